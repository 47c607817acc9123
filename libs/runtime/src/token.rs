//! Tokens that say who calls: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256 under a key that never leaves the data
//! directory. They stand in for sign-in while an identity provider is not connected: whoever can read the key can make them.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pactum_api::Caller;
use pactum_domain::actor::{Actor, Role};
use pactum_ids::{PartnerId, ProgramId};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

const ISSUER: &str = "pactum";
const KEY_BYTES: usize = 32;

/// Why a token or its key is no good.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The key file cannot be read or made.
    #[error("the token key {path} cannot be used: {why}")]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The token is malformed, expired, or signed with another key.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// A claim is wrong.
    #[error("the token's {claim} {value:?} is not valid: {expected}")]
    Claim {
        /// The claim's name.
        claim: &'static str,
        /// What it says.
        value: String,
        /// What was expected.
        expected: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: u64,
    program: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<String>,
}

/// Makes and checks tokens.
pub struct TokenKey {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(hidden)")
    }
}

impl TokenKey {
    /// The key of a data directory.
    #[must_use]
    pub fn path(data: &Path) -> PathBuf {
        data.join("token.key")
    }

    /// The key that a process checks tokens with: `file` where it is given, which must be there, as others use it, too; else
    /// the data directory's, which is made.
    ///
    /// # Errors
    /// [`TokenError::Key`] where it cannot be read or made.
    pub fn of(file: Option<&Path>, data: &Path) -> Result<Self, TokenError> {
        match file {
            Some(file) => Self::read(file),
            None => Self::read_or_create(&Self::path(data)),
        }
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`TokenError::Key`] where there is none or it is too short.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let bytes = std::fs::read(path).map_err(|error| key_error(path, error.to_string()))?;
        if bytes.len() < KEY_BYTES {
            return Err(key_error(path, format!("it has {} bytes, at least {KEY_BYTES} are needed", bytes.len())));
        }
        Ok(Self::from_secret(&bytes))
    }

    /// Reads a key file, or makes one that only its owner can read.
    ///
    /// # Errors
    /// [`TokenError::Key`] where it can be neither read nor made.
    pub fn read_or_create(path: &Path) -> Result<Self, TokenError> {
        let mut secret = [0_u8; KEY_BYTES];
        rand::rng().fill_bytes(&mut secret);
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                file.write_all(&secret)
                    .and_then(|()| file.sync_all())
                    .map_err(|error| key_error(path, error.to_string()))?;
                Ok(Self::from_secret(&secret))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(key_error(path, error.to_string())),
        }
    }

    /// A key from its bytes.
    #[must_use]
    pub fn from_secret(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        Self { signing: EncodingKey::from_secret(secret), checking: DecodingKey::from_secret(secret), validation }
    }

    /// Makes a token for a caller.
    ///
    /// # Errors
    /// [`TokenError::Claim`] where a partner's role names no partner, or another role names one.
    pub fn sign(&self, caller: &Caller, valid_for: Duration) -> Result<String, TokenError> {
        let Caller { actor, program } = caller;
        fits(actor.role, actor.partner.as_ref())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = Claims {
            iss: ISSUER.into(),
            sub: actor.subject.to_string(),
            exp: (now + valid_for).as_secs(),
            program: program.to_string(),
            role: actor.role.as_str().into(),
            partner: actor.partner.as_ref().map(ToString::to_string),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|error| TokenError::Invalid(error.to_string()))
    }

    /// Checks a token and says whose it is and until when (seconds since the epoch).
    ///
    /// # Errors
    /// [`TokenError`] says what is wrong with it.
    pub fn verify(&self, token: &str) -> Result<(Caller, u64), TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation)
            .map_err(|error| TokenError::Invalid(error.to_string()))?
            .claims;
        let program = ProgramId::new(&claims.program)
            .map_err(|error| claim_error("program", &claims.program, error.to_string()))?;
        // The timer is Pactum itself and never comes from outside.
        let role = Role::parse(&claims.role).filter(|role| *role != Role::Timer);
        let role = role.ok_or_else(|| claim_error("role", &claims.role, role_names()))?;
        let partner = claims
            .partner
            .as_deref()
            .map(|partner| PartnerId::new(partner).map_err(|error| claim_error("partner", partner, error.to_string())));
        let partner = partner.transpose()?;
        fits(role, partner.as_ref())?;
        let actor = Actor { subject: SmolStr::new(&claims.sub), role, partner };
        Ok((Caller { actor, program }, claims.exp))
    }
}

/// The roles that a token can name, for messages.
#[must_use]
pub fn role_names() -> String {
    let names: Vec<_> = Role::ALL.iter().filter(|role| **role != Role::Timer).map(|role| role.as_str()).collect();
    format!("one of {}", names.join(", "))
}

fn fits(role: Role, partner: Option<&PartnerId>) -> Result<(), TokenError> {
    match (role.is_partner(), partner) {
        (true, None) => Err(claim_error("partner", "", format!("the role {} needs a partner", role.as_str()))),
        (false, Some(partner)) => {
            Err(claim_error("partner", partner.as_str(), format!("the role {} belongs to no partner", role.as_str())))
        }
        _ => Ok(()),
    }
}

fn claim_error(claim: &'static str, value: &str, expected: impl Into<String>) -> TokenError {
    TokenError::Claim { claim, value: value.to_owned(), expected: expected.into() }
}

fn key_error(path: &Path, why: String) -> TokenError {
    TokenError::Key { path: path.to_owned(), why }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn caller(role: Role, partner: Option<&str>) -> Caller {
        let partner = partner.map(|id| PartnerId::new(id).unwrap());
        Caller { actor: Actor { subject: "u1".into(), role, partner }, program: ProgramId::new("acme").unwrap() }
    }

    #[test]
    fn a_token_says_who_signed_it_up() {
        let key = TokenKey::from_secret(&[7; 32]);
        let given = caller(Role::PartnerSales, Some("north"));
        let token = key.sign(&given, Duration::from_secs(60)).unwrap();
        let (read, _) = key.verify(&token).unwrap();
        assert_eq!(read, given);
        assert!(TokenKey::from_secret(&[8; 32]).verify(&token).is_err());
        assert!(key.verify(&token[..token.len() - 2]).is_err());
    }

    #[test]
    fn roles_and_partners_must_fit() {
        let key = TokenKey::from_secret(&[7; 32]);
        assert!(key.sign(&caller(Role::PartnerSales, None), Duration::from_secs(60)).is_err());
        assert!(key.sign(&caller(Role::Auditor, Some("north")), Duration::from_secs(60)).is_err());
        let timer = key.sign(&caller(Role::Timer, None), Duration::from_secs(60)).unwrap();
        assert!(key.verify(&timer).unwrap_err().to_string().contains("role"));
    }

    #[test]
    fn an_expired_token_is_refused() {
        let key = TokenKey::from_secret(&[7; 32]);
        let claims = Claims {
            iss: ISSUER.into(),
            sub: "u1".into(),
            exp: 1_000_000,
            program: "acme".into(),
            role: "auditor".into(),
            partner: None,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key.signing).unwrap();
        assert!(matches!(key.verify(&token), Err(TokenError::Invalid(why)) if why.contains("ExpiredSignature")));
    }

    #[test]
    fn the_key_file_is_made_once_and_only_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = TokenKey::path(directory.path());
        let first = TokenKey::read_or_create(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let token = first.sign(&caller(Role::Auditor, None), Duration::from_secs(60)).unwrap();
        assert!(TokenKey::read_or_create(&path).unwrap().verify(&token).is_ok());
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(TokenKey::read_or_create(&path), Err(TokenError::Key { .. })));
    }
}
