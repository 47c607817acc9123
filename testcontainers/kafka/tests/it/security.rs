//! Brokers that demand TLS, and who one is.

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use pactum_testcontainers::{Certificates, Kafka, Options, Security, unsigned_token};

use crate::speech::{api_versions, ask, request};

/// A TLS connection, by the command line.
struct Tls(Child);

impl Tls {
    /// Trusts nobody but the authority in `ca`.
    fn connect(port: u16, ca: &Path, own: Option<&Certificates>) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-verify_ip", "127.0.0.1", "-CAfile"]).arg(ca);
        command.args(["-connect", &format!("127.0.0.1:{port}")]);
        if let Some(certificates) = own {
            command.arg("-cert").arg(&certificates.client_file).arg("-key").arg(&certificates.client_key_file);
        }
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.0.stdout.as_mut().unwrap().read(buffer)
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.stdin.as_mut().unwrap().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.stdin.as_mut().unwrap().flush()
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn start(security: Security) -> (Kafka, u16, Certificates) {
    let kafka = Kafka::start(Options { security, ..Options::default() }).await.unwrap();
    let (port, certificates) = (kafka.broker(0).port(), kafka.certificates().unwrap().clone());
    (kafka, port, certificates)
}

#[tokio::test]
async fn tls_means_no_plaintext_and_no_stranger() {
    let (_kafka, port, certificates) = start(Security::MutualTls).await;
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    assert!(ask(&mut plain, &api_versions()).is_err(), "a plaintext request was answered");

    let mut known = Tls::connect(port, &certificates.ca_file, Some(&certificates));
    let answer = ask(&mut known, &api_versions()).unwrap();
    assert_eq!(answer[..2], [0, 0], "the error code");

    let mut nameless = Tls::connect(port, &certificates.ca_file, None);
    assert!(ask(&mut nameless, &api_versions()).is_err(), "one without a certificate was answered");
    let mut wary = Tls::connect(port, &certificates.foreign_ca_file, Some(&certificates));
    assert!(ask(&mut wary, &api_versions()).is_err(), "the brokers' certificate passed for another's");
}

/// A broker's answers to the choice of a mechanism and to the first message of it: two error codes, and what else it said.
fn authenticate(port: u16, certificates: &Certificates, mechanism: &str, message: &str) -> (i16, i16, String) {
    let mut stream = Tls::connect(port, &certificates.ca_file, None);
    let mut named = (mechanism.len() as i16).to_be_bytes().to_vec();
    named.extend(mechanism.as_bytes());
    let chosen = ask(&mut stream, &request(17, 1, &named)).unwrap();
    let mut said = (message.len() as i32).to_be_bytes().to_vec();
    said.extend(message.as_bytes());
    let code = |answer: &[u8]| i16::from_be_bytes([answer[0], answer[1]]);
    let heard = ask(&mut stream, &request(36, 0, &said)).unwrap_or_else(|_| (-1_i16).to_be_bytes().to_vec());
    (code(&chosen), code(&heard), String::from_utf8_lossy(&heard[2..]).trim_matches(['\0', '\u{fffd}']).to_owned())
}

#[tokio::test]
async fn only_the_user_there_is_may_begin_with_scram() {
    let security = Security::SaslPassword { username: "pactum".into(), password: "secret".into() };
    let (_kafka, port, certificates) = start(security).await;
    let begin = |user: &str| authenticate(port, &certificates, "SCRAM-SHA-512", &format!("n,,n={user},r=0123456789"));
    let (chosen, heard, challenge) = begin("pactum");
    assert_eq!((chosen, heard), (0, 0));
    assert!(challenge.contains("r=0123456789"), "{challenge}");
    assert_eq!(begin("nobody").1, 58, "the code for failed authentication");
    let mut anonymous = Tls::connect(port, &certificates.ca_file, None);
    assert!(ask(&mut anonymous, &request(3, 4, &[0, 0, 0, 0, 0])).is_err(), "metadata without authentication");
}

#[tokio::test]
async fn only_a_token_that_is_good_is_taken() {
    let (_kafka, port, certificates) = start(Security::SaslOauthBearer).await;
    let show = |from: SystemTime| {
        let token = unsigned_token("pactum", from, Duration::from_secs(300));
        authenticate(port, &certificates, "OAUTHBEARER", &format!("n,,\u{1}auth=Bearer {token}\u{1}\u{1}"))
    };
    let now = SystemTime::now();
    assert_eq!(show(now), (0, 0, String::new()));
    // A token is refused with words; the code comes when the client has acknowledged them.
    let (_, _, words) = show(now - Duration::from_secs(3600));
    assert!(words.contains("invalid_token"), "an expired token was taken: {words:?}");
    assert_eq!(authenticate(port, &certificates, "PLAIN", "").0, 33, "the code for a mechanism that is not enabled");
}
