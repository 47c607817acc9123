//! A running `pactum serve` of a test's own, on free ports, ended with the test.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pactum_testcontainers::free_port;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

pub(crate) const PACTUM: &str = env!("CARGO_BIN_EXE_pactum");

/// How long a start may take before the test gives up: long, for machines that do other things.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct System {
    child: Child,
    pub(crate) grpc: u16,
    pub(crate) http: u16,
    data: std::path::PathBuf,
}

/// Runs the binary to its end.
pub(crate) fn pactum(arguments: &[&str]) -> Output {
    Command::new(PACTUM).args(arguments).env_remove("PACTUM_TOKEN").output().unwrap()
}

/// Runs the binary to its end, which must be a good one, and gives what it printed.
pub(crate) fn pactum_ok(arguments: &[&str]) -> String {
    let output = pactum(arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "pactum {arguments:?} ended with {}:\n{out}\n{err}", output.status);
    out.into_owned()
}

impl System {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_as(&["serve"], data)
    }

    /// Starts a subcommand that serves, and waits until it is ready.
    pub(crate) fn start_as(subcommand: &[&str], data: &Path) -> Self {
        let (mut child, grpc, http) = Self::spawn(subcommand, data);
        let started = Instant::now();
        while !get(http, "/readyz").starts_with("HTTP/1.1 200") {
            assert!(child.try_wait().unwrap().is_none(), "pactum {subcommand:?} ended before it was ready");
            assert!(started.elapsed() < PATIENCE, "not ready: {}", get(http, "/readyz"));
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, grpc, http, data: data.to_owned() }
    }

    /// Starts it, and waits until it answers, whether it is ready or not.
    pub(crate) fn start_unready(data: &Path) -> Self {
        let (child, grpc, http) = Self::spawn(&["serve"], data);
        let system = Self { child, grpc, http, data: data.to_owned() };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", grpc)).is_err() {
            assert!(started.elapsed() < PATIENCE, "it does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        system
    }

    fn spawn(subcommand: &[&str], data: &Path) -> (Child, u16, u16) {
        let (grpc, http) = (free_port().unwrap(), free_port().unwrap());
        let child = Command::new(PACTUM)
            .args(subcommand)
            .args(["--log", "warn", "--data"])
            .arg(data)
            .args(["--grpc-listen", &format!("127.0.0.1:{grpc}"), "--http-listen", &format!("127.0.0.1:{http}")])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        (child, grpc, http)
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    pub(crate) fn token(&self, program: &str, role: &str, partner: Option<&str>) -> String {
        let data = self.data.to_str().unwrap();
        let mut arguments = vec!["token", "--data", data, "--program", program, "--role", role];
        arguments.extend(partner.iter().flat_map(|partner| ["--partner", partner]));
        pactum_ok(&arguments).trim().to_owned()
    }

    pub(crate) async fn connect(&self, program: &str, role: &str, partner: Option<&str>) -> Connection {
        let token = self.token(program, role, partner);
        let channel = Endpoint::from_shared(self.endpoint()).unwrap().connect().await.unwrap();
        InterceptedService::new(channel, Bearer::of(&token))
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// `kill -9`: nothing in the process gets to say goodbye.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and how the process ended.
    pub(crate) fn terminate(mut self) -> (std::process::ExitStatus, Duration) {
        let started = Instant::now();
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        (self.child.wait().unwrap(), started.elapsed())
    }

    pub(crate) fn get(&self, path: &str) -> String {
        get(self.http, path)
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // Ended already where the test did it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) type Connection = InterceptedService<Channel, Bearer>;

#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Bearer {
    pub(crate) fn of(token: &str) -> Self {
        Self(format!("Bearer {token}").parse().unwrap())
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// What an HTTP GET answers, head and body; empty where nobody listens.
pub(crate) fn get(port: u16, path: &str) -> String {
    let answer = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok::<_, std::io::Error>(text)
    };
    answer().unwrap_or_default()
}

/// A small program with active partners `north`, `south` and `east`, made through bulk.
pub(crate) async fn small_program(system: &System, program: &str, policy: &str) -> Connection {
    let connection = system.connect(&format!("programs/{program}"), "program-admin", None).await;
    small_program_by(connection, program, policy).await
}

/// The same, by an administrator.
pub(crate) async fn small_program_by(connection: Connection, program: &str, policy: &str) -> Connection {
    use pactum_api::proto::bulk::v1::ExecuteRequest;
    use pactum_api::proto::bulk::v1::bulk_service_client::BulkServiceClient;
    use pactum_api::proto::bulk::v1::execute_request::Request as Bulk;
    use pactum_api::proto::bulk::v1::execute_response::Outcome;
    use pactum_api::proto::partner::v1 as partner;
    use pactum_api::proto::program::v1 as proto;
    let name = format!("programs/{program}");
    let mut requests = vec![Bulk::CreateProgram(proto::CreateProgramRequest {
        program_id: program.into(),
        program: Some(proto::Program {
            display_name: program.into(),
            currency_code: "USD".into(),
            ..Default::default()
        }),
        policy_document: policy.into(),
        ..Default::default()
    })];
    for id in ["north", "south", "east"] {
        let partner = format!("{name}/partners/{id}");
        requests.push(Bulk::CreatePartner(partner::CreatePartnerRequest {
            parent: name.clone(),
            partner_id: id.into(),
            partner: Some(partner::Partner { display_name: id.into(), ..Default::default() }),
            ..Default::default()
        }));
        requests
            .push(Bulk::ApprovePartner(partner::ApprovePartnerRequest { name: partner.clone(), ..Default::default() }));
        requests.push(Bulk::EnrollPartner(partner::EnrollPartnerRequest {
            name: partner.clone(),
            tier: "silver".into(),
            partner_type: "reseller".into(),
            ..Default::default()
        }));
        requests.push(Bulk::ActivatePartner(partner::ActivatePartnerRequest { name: partner, ..Default::default() }));
    }
    let requests: Vec<_> = requests.into_iter().map(|request| ExecuteRequest { request: Some(request) }).collect();
    let mut answers =
        BulkServiceClient::new(connection.clone()).execute(tokio_stream::iter(requests)).await.unwrap().into_inner();
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(matches!(answer.outcome, Some(Outcome::Result(_))), "{answer:?}");
    }
    connection
}

/// A policy that approves at once.
pub(crate) const POLICY: &str = "\
tiers:
  - id: silver
stages:
  - id: open
    probability: 25
products:
  - id: platform
  - id: add-on
deal_registration:
  protection_days: 90
  auto_approve: \"true\"
";
