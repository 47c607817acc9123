//! How to connect to the brokers, and as whom.

use super::KafkaError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// How to connect to the brokers, and as whom.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// Whether to encrypt, and whether to authenticate.
    pub protocol: Protocol,
    /// The certificates (PEM) of who may vouch for the brokers; without it the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// This client's own certificate (PEM), if the brokers ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<PathBuf>,
    /// The key (PEM) of the client's own certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// How to authenticate, with a `sasl_` protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Mechanism>,
    /// The user, with SCRAM and PLAIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's password. Better kept in `password_file`.
    #[serde(skip_serializing)]
    pub password: Option<String>,
    /// A file that holds nothing but the user's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// With OAUTHBEARER: a file that holds nothing but the token. It is read again whenever the token is about to expire,
    /// so whatever writes it renews it in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_token_file: Option<PathBuf>,
}

/// Whether to encrypt, and whether to authenticate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Neither: for a machine or network of one's own.
    #[default]
    Plaintext,
    /// TLS; the client may show a certificate.
    Ssl,
    /// SASL without encryption.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

impl Protocol {
    fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }
}

/// How to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// SCRAM with SHA-256.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// SCRAM with SHA-512.
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
    /// The password as it is: over TLS only, in earnest.
    Plain,
    /// A bearer token.
    Oauthbearer,
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::Plain => "PLAIN",
            Self::Oauthbearer => "OAUTHBEARER",
        }
    }
}

impl Security {
    /// Whether a token is presented instead of a password.
    pub(super) fn uses_token(&self) -> bool {
        self.protocol.is_sasl() && self.mechanism == Some(Mechanism::Oauthbearer)
    }

    pub(super) fn validate(&self) -> Result<(), KafkaError> {
        self.properties().map(drop)
    }

    /// librdkafka's properties for this. Reads the password's file, but no certificate: the client does that.
    pub(super) fn properties(&self) -> Result<Vec<(&'static str, String)>, KafkaError> {
        let missing = |option, expected| Err(KafkaError::InvalidOption { option, expected });
        let mut properties = vec![("security.protocol", self.protocol.name().to_owned())];
        let files = [
            ("ssl.ca.location", "security.ca_file", &self.ca_file),
            ("ssl.certificate.location", "security.certificate_file", &self.certificate_file),
            ("ssl.key.location", "security.key_file", &self.key_file),
        ];
        for (property, option, file) in files {
            if let Some(file) = file {
                std::fs::File::open(file).map_err(|source| unreadable(option, file, source))?;
                properties.push((property, file.to_string_lossy().into_owned()));
            }
        }
        if self.certificate_file.is_some() != self.key_file.is_some() {
            return missing("security.key_file", "a file, together with security.certificate_file");
        }
        if !self.protocol.is_sasl() {
            return Ok(properties);
        }
        let Some(mechanism) = self.mechanism else {
            return missing("security.mechanism", "scram-sha-256, scram-sha-512, plain or oauthbearer");
        };
        properties.push(("sasl.mechanism", mechanism.name().to_owned()));
        if mechanism == Mechanism::Oauthbearer {
            let Some(file) = &self.oauth_token_file else {
                return missing("security.oauth_token_file", "a file that holds the token");
            };
            std::fs::File::open(file).map_err(|source| unreadable("security.oauth_token_file", file, source))?;
            return Ok(properties);
        }
        let Some(username) = &self.username else { return missing("security.username", "a user") };
        properties.push(("sasl.username", username.clone()));
        properties.push(("sasl.password", self.secret()?));
        Ok(properties)
    }

    fn secret(&self) -> Result<String, KafkaError> {
        match (&self.password, &self.password_file) {
            (Some(password), None) => Ok(password.clone()),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|source| unreadable("security.password_file", file, source))?;
                Ok(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            (None, None) | (Some(_), Some(_)) => Err(KafkaError::InvalidOption {
                option: "security.password_file",
                expected: "a file that holds the password, or else security.password",
            }),
        }
    }
}

fn unreadable(option: &'static str, file: &Path, source: std::io::Error) -> KafkaError {
    KafkaError::File { option, path: file.to_owned(), source: source.into() }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Security")
            .field("protocol", &self.protocol)
            .field("ca_file", &self.ca_file)
            .field("certificate_file", &self.certificate_file)
            .field("key_file", &self.key_file)
            .field("mechanism", &self.mechanism)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("password_file", &self.password_file)
            .field("oauth_token_file", &self.oauth_token_file)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn scram() -> Security {
        Security {
            protocol: Protocol::SaslSsl,
            mechanism: Some(Mechanism::ScramSha512),
            username: Some("pactum".into()),
            password: Some("hunter2".into()),
            ..Security::default()
        }
    }

    #[test]
    fn a_password_is_neither_printed_nor_written() {
        let (debug, json) = (format!("{:?}", scram()), serde_json::to_string(&scram()).unwrap());
        assert!(!debug.contains("hunter2") && debug.contains("***"), "{debug}");
        assert!(!json.contains("hunter2"), "{json}");
    }

    #[test]
    fn what_is_missing_is_told_by_name() {
        let wrong = [
            ("security.mechanism", Security { mechanism: None, ..scram() }),
            ("security.username", Security { username: None, ..scram() }),
            ("security.password_file", Security { password: None, ..scram() }),
            ("security.oauth_token_file", Security { mechanism: Some(Mechanism::Oauthbearer), ..scram() }),
        ];
        for (name, security) in wrong {
            match security.validate() {
                Err(KafkaError::InvalidOption { option, .. }) => assert_eq!(option, name),
                other => panic!("{name}: {other:?}"),
            }
        }
        let no_file = Security { ca_file: Some("/no/such/file".into()), ..scram() };
        assert!(matches!(no_file.validate(), Err(KafkaError::File { option: "security.ca_file", .. })));
    }

    #[test]
    fn a_password_is_read_from_its_file_without_the_end_of_the_line() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "hunter 2\n").unwrap();
        let security = Security { password: None, password_file: Some(file), ..scram() };
        assert!(security.properties().unwrap().contains(&("sasl.password", "hunter 2".into())));
    }
}
