//! Certificates that are good for one cluster and one run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Explain as _};

/// Extensions are spelled out, so that it does not matter what the machine's own configuration says.
const CONFIGURATION: &str = "\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[broker]
subjectAltName = IP:127.0.0.1,DNS:localhost
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
";

/// The files, all PEM, of a cluster that demands TLS.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// Who vouches for the brokers.
    pub ca_file: PathBuf,
    /// One who vouches for nobody here: a client that trusts only this one has to refuse the brokers.
    pub foreign_ca_file: PathBuf,
    /// A client's certificate that the brokers accept.
    pub client_file: PathBuf,
    /// Its key.
    pub client_key_file: PathBuf,
    /// The brokers' key and certificates, as they want it: in one file.
    pub(crate) broker_file: PathBuf,
}

impl Certificates {
    /// Makes them all in `directory`.
    pub(crate) fn make(directory: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(directory).explain(|| format!("cannot create {}", directory.display()))?;
        let maker = Maker { directory };
        maker.write("openssl.cnf", CONFIGURATION)?;
        maker.authority("ca")?;
        maker.authority("foreign-ca")?;
        maker.signed("broker")?;
        maker.signed("client")?;
        let whole = [maker.read("broker.key")?, maker.read("broker.pem")?, maker.read("ca.pem")?].concat();
        maker.write("broker-keystore.pem", &whole)?;
        Ok(Self {
            ca_file: maker.path("ca.pem"),
            foreign_ca_file: maker.path("foreign-ca.pem"),
            client_file: maker.path("client.pem"),
            client_key_file: maker.path("client.key"),
            broker_file: maker.path("broker-keystore.pem"),
        })
    }
}

struct Maker<'a> {
    directory: &'a Path,
}

impl Maker<'_> {
    fn authority(&self, name: &str) -> Result<(), Error> {
        self.openssl(&format!(
            "req -x509 -config openssl.cnf -extensions ca -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
             -keyout {name}.key -out {name}.pem -days 7 -subj /CN=pactum-test-{name}"
        ))
    }

    /// A key, and a certificate with the extensions of the same name.
    fn signed(&self, name: &str) -> Result<(), Error> {
        self.openssl(&format!(
            "req -new -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
             -keyout {name}.key -out {name}.csr -subj /CN=pactum-test-{name}"
        ))?;
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 7 \
             -extfile openssl.cnf -extensions {name} -out {name}.pem"
        ))
    }

    fn openssl(&self, arguments: &str) -> Result<(), Error> {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(self.directory)
            .stdin(Stdio::null())
            .output()
            .explain(|| "cannot run openssl, which makes the brokers' certificates: install it".into())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(std::io::Error::other(said.into_owned())).explain(|| format!("`openssl {arguments}` failed"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn read(&self, name: &str) -> Result<String, Error> {
        std::fs::read_to_string(self.path(name)).explain(|| format!("cannot read {}", self.path(name).display()))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        std::fs::write(self.path(name), text).explain(|| format!("cannot write {}", self.path(name).display()))
    }
}
