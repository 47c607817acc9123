//! A program's history made up from a seed: who joins, what they register, what comes of it. The same seed gives the same
//! requests, and the rules of the domain decide what they lead to.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::common::v1 as common;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::partner::v1 as partner;
use pactum_api::proto::program::v1 as program;
use pactum_domain::policy::Policy;
use pactum_domain::time::{DAY, Timestamp};
use prost_types::Timestamp as ProtoTimestamp;
use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::names;

/// How large a history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) partners: u32,
    pub(crate) deals: u32,
    pub(crate) years: u32,
    pub(crate) seed: u64,
}

/// Makes a history that ends at `now`.
pub(crate) fn generate(
    program_id: &str,
    policy_text: &str,
    policy: &Policy,
    size: Size,
    now: Timestamp,
) -> Vec<Request> {
    Generator {
        parent: format!("programs/{program_id}"),
        policy,
        size,
        now,
        rng: ChaCha8Rng::seed_from_u64(size.seed),
        queue: BinaryHeap::new(),
        number: 0,
    }
    .run(program_id, policy_text)
}

/// What happens later to a deal, in the order of days; the number keeps those of one moment in the order of their making.
type Later = Reverse<(i64, u64, Event)>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Register { deal: usize },
    Stage { deal: usize, stage: usize },
    Win { deal: usize },
    Lose { deal: usize },
    Withdraw { deal: usize },
}

struct Generator<'a> {
    parent: String,
    policy: &'a Policy,
    size: Size,
    now: Timestamp,
    rng: ChaCha8Rng,
    queue: BinaryHeap<Later>,
    number: u64,
}

struct Member {
    id: String,
    country: &'static str,
    territory: String,
}

const COUNTRIES: [&str; 8] = ["DE", "GB", "FR", "US", "CA", "SE", "JP", "AT"];

impl Generator<'_> {
    fn run(mut self, program_id: &str, policy_text: &str) -> Vec<Request> {
        let mut requests = vec![
            Request::CreateProgram(program::CreateProgramRequest {
                program_id: program_id.to_owned(),
                request_id: "demo-create".into(),
                program: Some(program::Program {
                    display_name: "Demo program".into(),
                    currency_code: "USD".into(),
                    ..Default::default()
                }),
                policy_document: policy_text.to_owned(),
                ..Default::default()
            }),
            Request::StartHistoryImport(program::StartHistoryImportRequest {
                name: self.parent.clone(),
                request_id: "demo-start".into(),
                import_id: format!("demo-{}", self.size.seed),
                source: "A generated history".into(),
                ..Default::default()
            }),
        ];
        let members: Vec<Member> = (0..self.size.partners as usize).map(|number| self.member(number)).collect();
        for (number, member) in members.iter().enumerate() {
            requests.extend(self.join(number, member));
        }
        let start = self.now.plus_days(-365 * i64::from(self.size.years));
        for deal in 0..self.size.deals as usize {
            let at = self.season(start);
            self.later(at, Event::Register { deal });
        }
        while let Some(Reverse((at, _, event))) = self.queue.pop() {
            if at <= self.now.0 {
                self.happens(Timestamp(at), &event, &members, &mut requests);
            }
        }
        requests.push(Request::CompleteHistoryImport(program::CompleteHistoryImportRequest {
            name: self.parent.clone(),
            request_id: "demo-complete".into(),
            import_id: format!("demo-{}", self.size.seed),
            ..Default::default()
        }));
        requests
    }

    fn later(&mut self, at: Timestamp, event: Event) {
        self.number += 1;
        self.queue.push(Reverse((at.0, self.number, event)));
    }

    /// A moment between `start` and now: more towards the end, for programs grow, and more at the end of a quarter.
    fn season(&mut self, start: Timestamp) -> Timestamp {
        let span = (self.now.0 - start.0) as f64;
        loop {
            let growth: f64 = self.rng.random::<f64>().sqrt();
            let at = Timestamp(start.0 + (growth * span) as i64);
            let (_, month, _) = at.date().ymd();
            let likely = if month % 3 == 0 { 1.0 } else { 0.6 };
            if self.rng.random::<f64>() < likely {
                return at;
            }
        }
    }

    /// Few sell much and many sell little: rank 1 twice as often as rank 2.
    fn zipf(&mut self, count: usize) -> usize {
        let u: f64 = self.rng.random();
        // The inverse of the integral of 1/x, close enough to the sum for a demo.
        let rank = ((count as f64 + 1.0).ln() * u).exp() - 1.0;
        (rank as usize).min(count - 1)
    }

    fn member(&mut self, number: usize) -> Member {
        let name = names::partner(number);
        let id = name.to_lowercase().replace(' ', "-");
        let country = if number < 2 { "DE" } else { COUNTRIES[self.rng.random_range(0..COUNTRIES.len())] };
        let territory = if self.policy.knows_territory(country) {
            country.to_owned()
        } else {
            self.policy.territories.first().map_or_else(String::new, |territory| territory.id.to_string())
        };
        Member { id, country, territory }
    }

    fn join(&mut self, number: usize, member: &Member) -> Vec<Request> {
        let name = format!("{}/partners/{}", self.parent, member.id);
        let tiers = &self.policy.tiers;
        // Each tier half as large as the one below it.
        let tier = if number < 2 {
            tiers.len() - 1
        } else {
            (self.rng.random::<u32>().leading_zeros() as usize).min(tiers.len() - 1)
        };
        let kind = match self.policy.partner_types.len() {
            0 => "reseller".to_owned(),
            kinds => self.policy.partner_types[self.rng.random_range(0..kinds)].to_string(),
        };
        let id = |verb: &str| format!("demo-{verb}-{number}");
        let mut requests = vec![
            Request::CreatePartner(partner::CreatePartnerRequest {
                parent: self.parent.clone(),
                request_id: id("apply"),
                partner_id: member.id.clone(),
                partner: Some(partner::Partner {
                    display_name: names::partner(number),
                    country_code: member.country.into(),
                    domain: format!("{}-example.com", member.id),
                    partner_type: kind.clone(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            Request::ApprovePartner(partner::ApprovePartnerRequest {
                name: name.clone(),
                request_id: id("approve"),
                ..Default::default()
            }),
            Request::EnrollPartner(partner::EnrollPartnerRequest {
                name: name.clone(),
                request_id: id("enroll"),
                tier: tiers[tier].id.to_string(),
                partner_type: kind,
                territories: vec![member.territory.clone()],
                specialisations: self.policy.specialisations.iter().map(ToString::to_string).collect(),
                ..Default::default()
            }),
            Request::ActivatePartner(partner::ActivatePartnerRequest {
                name: name.clone(),
                request_id: id("activate"),
                ..Default::default()
            }),
            Request::AssignPartnerManager(partner::AssignPartnerManagerRequest {
                name: name.clone(),
                request_id: id("manager"),
                manager: format!("manager-{}", number % 8),
                ..Default::default()
            }),
        ];
        if number > 20 && self.rng.random_range(0..40) == 0 {
            requests.push(Request::SuspendPartner(partner::SuspendPartnerRequest {
                name,
                request_id: id("suspend"),
                reason: "Agreement under renewal".into(),
                ..Default::default()
            }));
        }
        requests
    }

    fn happens(&mut self, at: Timestamp, event: &Event, members: &[Member], requests: &mut Vec<Request>) {
        let occurred_at = Some(ProtoTimestamp { seconds: at.0.div_euclid(1_000_000), nanos: 0 });
        let name = |deal: &usize| format!("{}/deals/d{deal:06}", self.parent);
        match event {
            Event::Register { deal } => {
                let request = self.register(*deal, members, occurred_at);
                requests.push(Request::RegisterDeal(request));
                self.plan(*deal, at);
            }
            Event::Stage { deal, stage } => requests.push(Request::ChangeDealStage(deal::ChangeDealStageRequest {
                name: name(deal),
                request_id: format!("demo-stage-{deal}-{stage}"),
                occurred_at,
                stage: self.policy.stages[*stage].id.to_string(),
                ..Default::default()
            })),
            Event::Win { deal } => requests.push(Request::WinDeal(deal::WinDealRequest {
                name: name(deal),
                request_id: format!("demo-win-{deal}"),
                occurred_at,
                amount: Some(common::Money { currency_code: "USD".into(), minor: amount(&mut self.rng) }),
                closed_on: at.date().to_string(),
                ..Default::default()
            })),
            Event::Lose { deal } => requests.push(Request::LoseDeal(deal::LoseDealRequest {
                name: name(deal),
                request_id: format!("demo-lose-{deal}"),
                occurred_at,
                reason: names::loss(&mut self.rng).into(),
                closed_on: at.date().to_string(),
                ..Default::default()
            })),
            Event::Withdraw { deal } => requests.push(Request::WithdrawDeal(deal::WithdrawDealRequest {
                name: name(deal),
                request_id: format!("demo-withdraw-{deal}"),
                occurred_at,
                reason: "The customer stopped the project".into(),
                ..Default::default()
            })),
        }
    }

    fn register(
        &mut self,
        number: usize,
        members: &[Member],
        occurred_at: Option<ProtoTimestamp>,
    ) -> deal::RegisterDealRequest {
        let member = &members[self.zipf(members.len())];
        let account = self.zipf((self.size.deals as usize / 3).max(1));
        let country = COUNTRIES[account % COUNTRIES.len()];
        let products = match self.policy.products.len() {
            0 => Vec::new(),
            count => vec![self.policy.products[self.zipf(count)].id.to_string()],
        };
        let customer = names::customer(account, country);
        deal::RegisterDealRequest {
            parent: self.parent.clone(),
            request_id: format!("demo-register-{number}"),
            occurred_at,
            deal_id: format!("d{number:06}"),
            deal: Some(deal::Deal {
                partner: format!("{}/partners/{}", self.parent, member.id),
                title: format!("{} for {customer}", products.first().map_or("Everything", String::as_str)),
                customer: Some(common::Customer {
                    name: customer,
                    country_code: country.into(),
                    domain: format!("customer-{account}-example.com"),
                    ..Default::default()
                }),
                scope: Some(common::Scope { products, territories: vec![member.territory.clone()] }),
                amount: Some(common::Money { currency_code: "USD".into(), minor: amount(&mut self.rng) }),
                ..Default::default()
            }),
            history: Some(deal::HistoryTerms { protection_days: self.policy.deal_registration.protection_days }),
            ..Default::default()
        }
    }

    /// What will come of a deal registered on that day.
    fn plan(&mut self, deal: usize, at: Timestamp) {
        let mut when = at;
        let last = self.policy.stages.len() - 1;
        let reached = self.rng.random_range(0..=last);
        for stage in 1..=reached {
            when = self.days_after(when, 6, 30);
            self.later(when, Event::Stage { deal, stage });
        }
        when = self.days_after(when, 5, 45);
        let fate = self.rng.random_range(0..100);
        match fate {
            0..=46 => self.later(when, Event::Win { deal }),
            47..=79 => self.later(when, Event::Lose { deal }),
            80..=84 => self.later(when, Event::Withdraw { deal }),
            // Stays open: its protection lapses, and nobody closes it.
            _ => {}
        }
    }

    fn days_after(&mut self, at: Timestamp, least: i64, most: i64) -> Timestamp {
        Timestamp(at.0 + self.rng.random_range(least * DAY..most * DAY))
    }
}

/// From a thousand to a few hundred thousand dollars, most of them small.
fn amount(rng: &mut impl Rng) -> i64 {
    let size: f64 = rng.random();
    let dollars = 1_000.0 * (size * 5.5).exp();
    (dollars.round() as i64) * 100
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn requests(seed: u64) -> Vec<Request> {
        let text = Policy::EXAMPLE;
        let policy = Policy::parse(text).unwrap();
        let size = Size { partners: 20, deals: 200, years: 2, seed };
        generate("demo", text, &policy, size, Timestamp(1_790_000_000_000_000))
    }

    #[test]
    fn a_seed_is_a_history() {
        assert_eq!(requests(7), requests(7));
        assert_ne!(requests(7), requests(8));
    }

    #[test]
    fn it_comes_in_the_order_of_days_and_has_every_kind_of_end() {
        let requests = requests(7);
        let mut before = i64::MIN;
        let mut kinds = std::collections::BTreeMap::<_, u32>::new();
        for request in &requests {
            let (kind, at) = match request {
                Request::RegisterDeal(request) => ("register", request.occurred_at),
                Request::WinDeal(request) => ("win", request.occurred_at),
                Request::LoseDeal(request) => ("lose", request.occurred_at),
                Request::WithdrawDeal(request) => ("withdraw", request.occurred_at),
                Request::ChangeDealStage(request) => ("stage", request.occurred_at),
                _ => continue,
            };
            *kinds.entry(kind).or_default() += 1;
            let at = at.unwrap().seconds;
            assert!(at >= before, "{request:?} goes back in time");
            before = at;
        }
        assert_eq!(kinds["register"], 200);
        assert_eq!(kinds.len(), 5, "{kinds:?}");
    }
}
