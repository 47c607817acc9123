//! What the program would say to a command at a state.

use bytes::Bytes;
use pactum_api::convert;
use pactum_api::proto::deal::v1 as proto;
use pactum_api::request::{Edge, NewIds};
use pactum_api::{AccessTable, Caller, error};
use pactum_command::{Done, Envelope, ProgramsMachine, Refusal, Resource, Trace};
use pactum_domain::deal::Event;
use pactum_domain::event::AnyEvent;
use pactum_events::{Record, Request};
use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId, ProgramId};
use pactum_journal::{Decision, Machine};
use prost::Message as _;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::state::State;
use crate::history::{CommandCall, Refused};

/// A command as the command role's machine takes it.
pub(super) type Command = <ProgramsMachine as Machine>::Command;

/// What the program would say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Would {
    /// It would refuse.
    Refuse(Refused),
    /// It would answer, and append nothing.
    Answer { sequence: u64, resource: Bytes },
    /// It would append this record.
    Append(Bytes),
}

/// What is refused before the program is asked, whatever its state; or the command as the program gets it.
pub(super) fn at_edge(
    access: &AccessTable,
    call: &CommandCall,
    hash: [u8; 16],
    account: Option<AccountId>,
) -> Result<Command, Refused> {
    let (path, caller) = (call.request.path(), call.caller.as_ref());
    if !access.allows(path, caller.actor.role) {
        return Err(refused(&error::role_not_allowed(path, caller.actor.role)));
    }
    let ids = Minted { account };
    let write = call.request.as_ref().clone().parse(Edge { caller, ids: &ids });
    let write = write.map_err(|invalid| refused(&Status::from(invalid)))?;
    Ok(Box::new(Envelope {
        program: write.program,
        command: write.command,
        actor: caller.actor.clone(),
        occurred_at: write.occurred_at,
        expected_version: write.expected_version,
        request: write.request_id.map(|id| Request { id, content_hash: hash }),
        trace: Trace::default(),
        validate_only: write.validate_only,
    }))
}

/// Asks the program; its state stays as it is.
pub(super) fn ask(state: &mut State, envelope: &Command, now: i64, viewer: &Caller) -> Would {
    match state.machine.decide(envelope, now) {
        Decision::Append { body, undo, .. } => {
            state.machine.undo(undo);
            Would::Append(body)
        }
        Decision::Answer(Ok(done)) => {
            Would::Answer { sequence: done.sequence, resource: shown(&state.program, &done, viewer) }
        }
        Decision::Answer(Err(refusal)) => Would::Refuse(refused(&status(&refusal))),
    }
}

/// The resource of an answer, encoded as the contract shows it.
pub(super) fn shown(program: &ProgramId, done: &Done, viewer: &Caller) -> Bytes {
    let encoded = match &done.resource {
        Resource::Program(row) => convert::program_to_proto(row, done.at).encode_to_vec(),
        Resource::Partner(row) => convert::partner_to_proto(program, row).encode_to_vec(),
        Resource::Deal(row) => convert::deal_to_proto(program, row, viewer).encode_to_vec(),
        Resource::Opportunity(row) => convert::opportunity_to_proto(program, row).encode_to_vec(),
    };
    encoded.into()
}

/// The resource that a record's last event left, taken from the model alone.
pub(super) fn left_by(state: &State, record: &Record) -> Option<Done> {
    let model = &state.model;
    let resource = match &record.events.last()?.event {
        AnyEvent::Program(_) => Resource::Program(model.program()?.clone()),
        AnyEvent::Partner(id, _) => Resource::Partner(model.partner(id)?.clone()),
        AnyEvent::Deal(id, _) => Resource::Deal(model.deal(id)?.clone()),
        AnyEvent::Opportunity(id, _) => Resource::Opportunity(model.opportunity(id)?.clone()),
    };
    Some(Done { resource, sequence: record.last_sequence(), at: record.recorded_at })
}

fn status(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::Rejected(rejection) => error::rejected(rejection),
        Refusal::RequestIdReused(id) => error::request_id_reused(id.as_str()),
        Refusal::Unfoldable(why) => error::internal(why),
    }
}

/// A status as a client keeps it.
pub(crate) fn refused(status: &Status) -> Refused {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    Refused { code: status.code().into(), reason, message: status.message().to_owned() }
}

/// The account that a record's registration names: what the edge made up, where it is a new one.
pub(super) fn account_in(record: &Record) -> Option<AccountId> {
    record.events.iter().find_map(|recorded| match &recorded.event {
        AnyEvent::Deal(_, Event::Registered(registered) | Event::Resubmitted(registered)) => {
            Some(registered.account.clone())
        }
        _ => None,
    })
}

/// The account that an answer shows, and the moments in it: one of them is when the command was decided.
pub(super) fn told_in(resource: &Bytes) -> (Option<AccountId>, Vec<i64>) {
    let Ok(deal) = proto::Deal::decode(resource.clone()) else { return (None, Vec::new()) };
    let account = deal.account.rsplit('/').next().and_then(|id| AccountId::new(id).ok());
    let protection = deal.protection.unwrap_or_default();
    let moments = [deal.registered_at, protection.from, protection.until, deal.closed_at].into_iter().flatten();
    let micros = |time: prost_types::Timestamp| time.seconds * 1_000_000 + i64::from(time.nanos / 1_000);
    (account, moments.map(micros).collect())
}

/// Ids for what a command creates without naming it. The load names everything but accounts.
struct Minted {
    account: Option<AccountId>,
}

const UNNAMED: &str = "unnamed";
const VALID: &str = "the fixed id consists of letters";

impl NewIds for Minted {
    fn partner(&self) -> PartnerId {
        PartnerId::new(UNNAMED).expect(VALID)
    }

    fn deal(&self) -> DealId {
        DealId::new(UNNAMED).expect(VALID)
    }

    fn account(&self) -> AccountId {
        self.account.clone().unwrap_or_else(|| AccountId::new(UNNAMED).expect(VALID))
    }

    fn opportunity(&self) -> OpportunityId {
        OpportunityId::new(UNNAMED).expect(VALID)
    }
}
