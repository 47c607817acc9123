//! From the plan to the requests that carry it out. Each has an id made of the row's own, so that a second run repeats
//! the first one's requests and appends nothing.

use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::common::v1 as common;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::partner::v1 as partner;
use pactum_api::proto::program::v1 as program;
use pactum_domain::money::Money;
use pactum_domain::time::{Date, Timestamp};
use pactum_ids::ProgramId;
use prost_types::Timestamp as ProtoTimestamp;
use sha2::{Digest as _, Sha256};

use super::mapping::{Mapping, StageMeaning};
use super::plan::{ImportedDeal, ImportedPartner, Plan, Step, slug};

/// Which request of the plan was sent.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    /// One that makes the ground ready; the name is for messages.
    Setup(String),
    /// The step at this place of the plan.
    Step(usize),
}

pub(crate) struct Requests<'a> {
    plan: &'a Plan,
    mapping: &'a Mapping,
    parent: String,
    program: &'a ProgramId,
}

impl<'a> Requests<'a> {
    pub(crate) fn new(plan: &'a Plan, mapping: &'a Mapping, program: &'a ProgramId) -> Self {
        Self { plan, mapping, parent: format!("programs/{program}"), program }
    }

    /// Everything to send, in order, and what each of it is.
    pub(crate) fn build(&self, create_program: bool) -> (Vec<Sent>, Vec<Request>) {
        let mut sent = Vec::new();
        let mut requests = Vec::new();
        let mut setup = |name: String, request| {
            sent.push(Sent::Setup(name));
            requests.push(request);
        };
        if create_program {
            setup("the program".into(), Request::CreateProgram(self.create_program()));
        }
        let import = self.import_id();
        setup(
            "the import".into(),
            Request::StartHistoryImport(program::StartHistoryImportRequest {
                name: self.parent.clone(),
                request_id: format!("{import}-start"),
                import_id: import.clone(),
                source: "CRM opportunities from CSV files".into(),
                ..Default::default()
            }),
        );
        for partner in &self.plan.partners {
            for request in self.partner(partner) {
                setup(format!("partner {}", partner.id), request);
            }
        }
        for (place, step) in self.plan.steps.iter().enumerate() {
            sent.push(Sent::Step(place));
            requests.push(self.step(step));
        }
        sent.push(Sent::Setup("the import's end".into()));
        requests.push(Request::CompleteHistoryImport(program::CompleteHistoryImportRequest {
            name: self.parent.clone(),
            request_id: format!("{import}-complete"),
            import_id: import,
            ..Default::default()
        }));
        (sent, requests)
    }

    /// The same steps are the same import.
    fn import_id(&self) -> String {
        let mut hash = Sha256::new();
        for step in &self.plan.steps {
            hash.update(format!("{step:?}\n"));
        }
        let digest = hash.finalize();
        let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("crm-{hex}")
    }

    fn create_program(&self) -> program::CreateProgramRequest {
        program::CreateProgramRequest {
            program_id: self.program.to_string(),
            request_id: format!("crm-{}-create", self.program.as_str().chars().take(40).collect::<String>()),
            program: Some(program::Program {
                display_name: self.program.to_string(),
                currency_code: self.mapping.currency.clone(),
                ..Default::default()
            }),
            policy_document: self.policy(),
            ..Default::default()
        }
    }

    /// A policy that fits the files: their territories, products and stages.
    fn policy(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::from("# Made by `pactum import crm` from the files it was given.\n");
        let _ = writeln!(text, "tiers:\n  - id: {}", self.mapping.tier);
        let _ = writeln!(text, "partner_types: [{}]", self.mapping.partner_type);
        for (section, ids) in [("territories", &self.plan.territories), ("products", &self.plan.products)] {
            if !ids.is_empty() {
                let _ = writeln!(text, "{section}:");
                for id in ids {
                    let _ = writeln!(text, "  - id: {id}");
                }
            }
        }
        let mut stages: Vec<_> = self
            .mapping
            .stages
            .values()
            .filter_map(|meaning| match meaning {
                StageMeaning::Open { stage, probability } => Some((*probability, stage)),
                StageMeaning::Won | StageMeaning::Lost => None,
            })
            .collect();
        stages.sort();
        text.push_str("stages:\n");
        for (probability, stage) in stages {
            let _ = writeln!(text, "  - id: {stage}\n    probability: {probability}");
        }
        let _ = writeln!(
            text,
            "deal_registration:\n  protection_days: {}\n  auto_approve: \"true\"\n  on_conflict: review",
            self.mapping.protection_days
        );
        text
    }

    fn partner(&self, imported: &ImportedPartner) -> Vec<Request> {
        let name = format!("{}/partners/{}", self.parent, imported.id);
        let id = |verb: &str| request_id(&format!("partner-{verb}"), &imported.id);
        let mut requests = vec![
            Request::CreatePartner(partner::CreatePartnerRequest {
                parent: self.parent.clone(),
                request_id: id("create"),
                partner_id: imported.id.clone(),
                partner: Some(partner::Partner {
                    display_name: imported.display_name.clone(),
                    partner_type: self.mapping.partner_type.clone(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            Request::ApprovePartner(partner::ApprovePartnerRequest {
                name: name.clone(),
                request_id: id("approve"),
                note: "Sells in the CRM that was imported.".into(),
                ..Default::default()
            }),
            Request::EnrollPartner(partner::EnrollPartnerRequest {
                name: name.clone(),
                request_id: id("enroll"),
                tier: self.mapping.tier.clone(),
                partner_type: self.mapping.partner_type.clone(),
                territories: imported.territory.iter().cloned().collect(),
                ..Default::default()
            }),
            Request::ActivatePartner(partner::ActivatePartnerRequest {
                name: name.clone(),
                request_id: id("activate"),
                ..Default::default()
            }),
        ];
        if let Some(manager) = &imported.manager {
            requests.push(Request::AssignPartnerManager(partner::AssignPartnerManagerRequest {
                name,
                request_id: id("manager"),
                manager: manager.clone(),
                ..Default::default()
            }));
        }
        requests
    }

    fn step(&self, step: &Step) -> Request {
        match step {
            Step::Draft(imported) => Request::CreateDeal(deal::CreateDealRequest {
                parent: self.parent.clone(),
                request_id: request_id("draft", &imported.id),
                deal_id: imported.id.clone(),
                deal: Some(self.deal(imported)),
                ..Default::default()
            }),
            Step::Register(imported, on) => Request::RegisterDeal(deal::RegisterDealRequest {
                parent: self.parent.clone(),
                request_id: request_id("register", &imported.id),
                occurred_at: Some(start_of(*on)),
                deal_id: imported.id.clone(),
                deal: Some(self.deal(imported)),
                history: Some(deal::HistoryTerms { protection_days: self.mapping.protection_days }),
                ..Default::default()
            }),
            Step::Win { id, amount, on, .. } => Request::WinDeal(deal::WinDealRequest {
                name: format!("{}/deals/{id}", self.parent),
                request_id: request_id("win", id),
                occurred_at: Some(start_of(*on)),
                amount: Some(money(*amount)),
                closed_on: on.to_string(),
                ..Default::default()
            }),
            Step::Lose { id, on, .. } => Request::LoseDeal(deal::LoseDealRequest {
                name: format!("{}/deals/{id}", self.parent),
                request_id: request_id("lose", id),
                occurred_at: Some(start_of(*on)),
                reason: "Lost, as the CRM has it".into(),
                closed_on: on.to_string(),
                ..Default::default()
            }),
        }
    }

    fn deal(&self, imported: &ImportedDeal) -> deal::Deal {
        deal::Deal {
            partner: format!("{}/partners/{}", self.parent, imported.partner),
            title: imported.title.clone(),
            customer: imported.account.as_ref().map(|account| common::Customer {
                name: account.clone(),
                // The CRM tells accounts apart by their name, so the name is its key.
                crm_id: slug(account),
                ..Default::default()
            }),
            scope: imported
                .product
                .as_ref()
                .map(|product| common::Scope { products: vec![product.clone()], territories: Vec::new() }),
            amount: imported.expected.map(money),
            stage: imported.stage.clone().unwrap_or_default(),
            ..Default::default()
        }
    }
}

/// Ids of rows can be longer than a request id may be; what is cut off is kept apart by a hash.
fn request_id(verb: &str, id: &str) -> String {
    let plain = format!("crm-{verb}-{id}");
    if plain.len() <= 64 {
        return plain;
    }
    let digest = Sha256::digest(id.as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("crm-{verb}-{hex}")
}

fn start_of(day: Date) -> ProtoTimestamp {
    let Timestamp(micros) = day.start();
    ProtoTimestamp { seconds: micros.div_euclid(1_000_000), nanos: 0 }
}

fn money(amount: Money) -> common::Money {
    common::Money { currency_code: amount.currency.to_string(), minor: amount.minor }
}
