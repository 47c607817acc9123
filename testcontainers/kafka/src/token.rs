//! Tokens for brokers that take them unsigned.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// An unsigned token (a JWT with `alg: none`) for `subject`, issued at `from` and good for `lifetime`. Brokers started with
/// [`Security::SaslOauthBearer`](crate::Security) take it while it is good; give a `from` in the past for one that is not.
///
/// # Panics
/// If `subject` has a quote, a backslash or a control character in it, which no test needs.
#[must_use]
pub fn unsigned_token(subject: &str, from: SystemTime, lifetime: Duration) -> String {
    let plain = subject.chars().all(|character| !character.is_control() && character != '"' && character != '\\');
    assert!(plain, "a subject without quotes, backslashes and control characters is expected, not {subject:?}");
    // A time before 1970 reads as 1970, which has expired just as well.
    let issued = from.duration_since(UNIX_EPOCH).unwrap_or_default();
    let expires = issued + lifetime;
    let claims = format!(r#"{{"sub":"{subject}","iat":{},"exp":{}}}"#, issued.as_secs(), expires.as_secs());
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts_and_the_last_is_empty() {
        let token = unsigned_token("a", UNIX_EPOCH + Duration::from_secs(5), Duration::from_secs(2));
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"a","iat":5,"exp":7}"#);
        assert_eq!(token, format!("eyJhbGciOiJub25lIn0.{claims}."));
    }
}
