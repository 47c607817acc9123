//! Random commands on few things, so that they meet. The domain refuses what may not be.

use pactum_api::proto::bulk::v1::ExecuteRequest;
use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::common::v1::{Customer, Money};
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::partner::v1 as partner;
use pactum_api::proto::program::v1 as program;

use crate::system::{Client, POLICY, deal_name, deal_of};

/// Deals that are asked about; others come besides.
pub(crate) const DEALS: u64 = 8;
const ALL_DEALS: u64 = 40;
pub(crate) const DOMAINS: [&str; 3] = ["alpha.com", "beta.com", "gamma.com"];
pub(crate) const PARTNERS: [&str; 2] = ["north", "south"];

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }

    pub(crate) fn deal(&mut self) -> String {
        format!("d-{}", self.roll(ALL_DEALS))
    }
}

/// Something that somebody may try.
pub(crate) fn happening(dice: &mut Dice) -> Request {
    let name = deal_name(&dice.deal());
    let reason = || "because".to_owned();
    let of = format!("programs/acme/partners/{}", dice.one(&PARTNERS));
    match dice.roll(20) {
        0..=7 => {
            let partner = dice.one(&PARTNERS);
            let mut deal = deal_of(partner, dice.one(&DOMAINS));
            deal.amount = Some(Money { currency_code: "USD".into(), minor: i64::try_from(dice.roll(90_000)).unwrap() });
            deal.close_date = format!("2199-{:02}-15", 1 + dice.roll(12));
            Request::RegisterDeal(deal::RegisterDealRequest {
                parent: "programs/acme".into(),
                deal_id: dice.deal(),
                deal: Some(deal),
                ..Default::default()
            })
        }
        8 => Request::WithdrawDeal(deal::WithdrawDealRequest { name, reason: reason(), ..Default::default() }),
        9 | 10 => Request::WinDeal(deal::WinDealRequest {
            name,
            amount: Some(Money { currency_code: "USD".into(), minor: 5 }),
            ..Default::default()
        }),
        11 | 12 => Request::LoseDeal(deal::LoseDealRequest { name, reason: reason(), ..Default::default() }),
        13 => Request::ReopenDeal(deal::ReopenDealRequest { name, reason: reason(), ..Default::default() }),
        14 | 15 => {
            let stage = dice.one(&["new", "late"]).to_owned();
            Request::ChangeDealStage(deal::ChangeDealStageRequest { name, stage, ..Default::default() })
        }
        16 => Request::ReassignDeal(deal::ReassignDealRequest {
            name,
            reason_code: "MOVED".into(),
            note: reason(),
            partner: of,
            evidence: vec![1],
            ..Default::default()
        }),
        17 => {
            Request::SuspendPartner(partner::SuspendPartnerRequest { name: of, reason: reason(), ..Default::default() })
        }
        18 => Request::ReinstatePartner(partner::ReinstatePartnerRequest {
            name: of,
            reason: reason(),
            ..Default::default()
        }),
        _ => Request::PublishPolicy(program::PublishPolicyRequest {
            name: "programs/acme".into(),
            policy_document: POLICY.replace("probability: 80", &format!("probability: {}", dice.roll(100))),
            ..Default::default()
        }),
    }
}

/// Tries one; the program's sequence after it, where it was taken.
pub(crate) async fn try_one(admin: &Client, request: Request) -> Option<u64> {
    let requests = tokio_stream::iter([ExecuteRequest { request: Some(request) }]);
    let mut answers = admin.bulk().execute(admin.request(requests)).await.unwrap().into_inner();
    match answers.message().await.unwrap().unwrap().outcome.unwrap() {
        Outcome::Result(result) => Some(result.sequence),
        Outcome::Error(_) => None,
    }
}

pub(crate) fn customer(domain: &str) -> Customer {
    Customer { domain: domain.into(), ..Default::default() }
}
