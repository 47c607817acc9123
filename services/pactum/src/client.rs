//! Reaching a running system.

use std::time::Duration;

use anyhow::{Context, bail};
use pactum_api::Caller;
use pactum_domain::actor::{Actor, Role};
use pactum_ids::{ProgramId, ProgramName};
use pactum_runtime::token::TokenKey;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::cli::ConnectArgs;

/// The largest answer taken: a page of a thousand deals fits many times over.
pub(crate) const MAX_ANSWER: usize = 16 << 20;

/// A channel that says who calls.
pub(crate) type Connection = InterceptedService<Channel, Authorize>;

/// Puts the token on every call.
#[derive(Clone, Debug)]
pub(crate) struct Authorize {
    header: MetadataValue<Ascii>,
}

impl Authorize {
    pub(crate) fn bearer(token: &str) -> anyhow::Result<Self> {
        let header =
            format!("Bearer {token}").parse().context("the token has characters that a header cannot carry")?;
        Ok(Self { header })
    }
}

impl Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.header.clone());
        Ok(request)
    }
}

/// The id in `programs/{program}`.
pub(crate) fn program_id(name: &str) -> anyhow::Result<ProgramId> {
    let name: ProgramName = name.parse().context("--program takes a name such as programs/acme")?;
    Ok(name.0)
}

/// Connects as the given role of the program, with the token given or one made with the data directory's key.
pub(crate) async fn connect(to: &ConnectArgs, program: &ProgramId, role: Role) -> anyhow::Result<Connection> {
    let token = match &to.token {
        Some(token) => token.clone(),
        None => {
            let path = to.key_file.clone().unwrap_or_else(|| TokenKey::path(&to.data));
            let key = TokenKey::read(&path).with_context(|| {
                format!(
                    "no --token was given, and none can be made with {}; name the system's data directory with --data, or its key with --key-file",
                    path.display()
                )
            })?;
            let actor = Actor { subject: "pactum-cli".into(), role, partner: None };
            key.sign(&Caller { actor, program: program.clone() }, Duration::from_secs(12 * 3600))?
        }
    };
    let endpoint = Endpoint::from_shared(to.endpoint.clone())
        .with_context(|| format!("--endpoint {:?} is not a URL such as http://127.0.0.1:7400", to.endpoint))?
        .connect_timeout(Duration::from_secs(5))
        .tcp_nodelay(true);
    let Ok(channel) = endpoint.connect().await else {
        bail!("no system answers at {}; start one with `pactum serve`, or name another with --endpoint", to.endpoint);
    };
    Ok(InterceptedService::new(channel, Authorize::bearer(&token)?))
}

/// A refusal in words for a terminal, with the fields at fault.
pub(crate) fn explain(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    let mut text = status.message().to_owned();
    let details = status.get_error_details();
    if let Some(info) = details.error_info() {
        text = format!("{text} ({})", info.reason);
    }
    if let Some(request) = details.bad_request() {
        for violation in &request.field_violations {
            text = format!("{text}\n  {}: {}", violation.field, violation.description);
        }
    }
    text
}
