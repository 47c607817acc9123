//! The rules of the command role, asked on simulated time.

use bytes::Bytes;
use pactum_command::{Done, Envelope, ProgramsMachine, Refusal};
use pactum_domain::actor::Actor;
use pactum_domain::command::Command;
use pactum_domain::rejection::Rejection;
use pactum_domain::time::Timestamp;
use pactum_events::Request;
use pactum_ids::ProgramId;
use pactum_journal::{Decision, Machine as _};

use super::error::GenerateError;

/// Lapses looked for at once.
const DUE: usize = 64;

/// The state machine that the command role runs, with one program in it, and what it decides.
pub(super) struct Decider {
    program: ProgramId,
    machine: ProgramsMachine,
    /// What was refused by rules that a caller cannot know the outcome of beforehand.
    refused: u64,
    /// Everything asked, and when: for tests that ask the same elsewhere.
    #[cfg(test)]
    pub(super) asked: Option<Vec<(Box<Envelope>, Timestamp)>>,
}

/// Something that is asked.
pub(super) struct Ask<'a> {
    pub(super) at: Timestamp,
    pub(super) actor: &'a Actor,
    pub(super) command: Command,
    /// When it happened, where that is not when it is told.
    pub(super) occurred_at: Option<Timestamp>,
    pub(super) request: Request,
}

impl Decider {
    pub(super) fn new(program: ProgramId) -> Self {
        Self {
            program,
            machine: ProgramsMachine::default(),
            refused: 0,
            #[cfg(test)]
            asked: None,
        }
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// Decides. Nothing where it was refused because somebody or something else was faster, which happens in life too; any
    /// other refusal is a fault of the generator.
    pub(super) fn ask(&mut self, ask: Ask<'_>, out: &mut Vec<Bytes>) -> Result<Option<Done>, GenerateError> {
        let at = ask.at;
        let envelope = Box::new(Envelope {
            program: self.program.clone(),
            command: ask.command,
            actor: ask.actor.clone(),
            occurred_at: ask.occurred_at,
            expected_version: None,
            request: Some(ask.request),
            trace: pactum_command::envelope::Trace::default(),
            validate_only: false,
        });
        let answer = match self.decide(&envelope, at) {
            Decision::Append { body, answer, .. } => {
                out.push(body);
                answer
            }
            Decision::Answer(answer) => answer,
        };
        match answer {
            Ok(done) => Ok(Some(done)),
            Err(Refusal::Rejected(
                Rejection::InvalidTransition { .. } | Rejection::Protected { .. } | Rejection::PolicyForbids { .. },
            )) => {
                self.refused += 1;
                Ok(None)
            }
            Err(refusal) => {
                let command = format!("{:?}", envelope.command);
                Err(GenerateError::Refused { at, command, source: Box::new(refusal) })
            }
        }
    }

    /// Lets lapse what has fallen due, as the command role's timer does.
    pub(super) fn timer(&mut self, at: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        loop {
            let due = self.machine.due(at.0, DUE);
            if due.is_empty() {
                return Ok(());
            }
            let before = out.len();
            for envelope in due {
                // What another lapse settled already appends nothing.
                if let Decision::Append { body, .. } = self.decide(&envelope, at) {
                    out.push(body);
                }
            }
            if out.len() == before {
                return Err(GenerateError::NotLapsed { at });
            }
        }
    }

    #[expect(clippy::borrowed_box, reason = "the machine's command is boxed")]
    fn decide(
        &mut self,
        envelope: &Box<Envelope>,
        at: Timestamp,
    ) -> Decision<pactum_command::Answer, pactum_command::machine::Undo> {
        #[cfg(test)]
        if let Some(asked) = &mut self.asked {
            asked.push((envelope.clone(), at));
        }
        self.machine.decide(envelope, at.0)
    }
}
