//! A bearer token from a file.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde::Deserialize;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A token that does not say when it expires is read again after about this time.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(300);

#[derive(Default, Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
}

/// Reads the token. When it expires and for whom it is, is read from it where it is a JWT; the brokers verify it, not we.
pub(super) fn read(file: &Path) -> Result<OAuthToken, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let token = text.trim().to_owned();
    if token.is_empty() {
        return Err(format!("{} holds no token", file.display()));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let claims = claims(&token);
    let expires = claims.exp.map_or(now + UNKNOWN_LIFETIME, |exp| Duration::from_secs_f64(exp.clamp(0.0, 1e11)));
    if expires <= now {
        return Err(format!("the token in {} has expired: renew it", file.display()));
    }
    let lifetime_ms = i64::try_from(expires.as_millis()).unwrap_or(i64::MAX);
    Ok(OAuthToken { token, principal_name: claims.sub.unwrap_or_else(|| "pactum".into()), lifetime_ms })
}

fn claims(token: &str) -> Claims {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_token_says_when_it_expires_or_is_read_again_soon() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let later = now.as_secs() + 3600;
        std::fs::write(&file, jwt(&format!(r#"{{"sub":"north","exp":{later}}}"#)) + "\n").unwrap();
        let token = read(&file).unwrap();
        assert_eq!((token.principal_name.as_str(), token.lifetime_ms), ("north", later as i64 * 1000));
        assert!(!token.token.ends_with('\n'));

        std::fs::write(&file, "opaque").unwrap();
        let token = read(&file).unwrap();
        let least = (now + UNKNOWN_LIFETIME).as_millis() as i64;
        assert!((least..least + 60_000).contains(&token.lifetime_ms));

        for (text, told) in [(jwt(r#"{"exp":1000}"#), "expired"), (" \n".into(), "no token")] {
            std::fs::write(&file, text).unwrap();
            let error = read(&file).map(drop).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        assert!(read(&directory.path().join("none")).map(drop).unwrap_err().contains("cannot read"));
    }
}
