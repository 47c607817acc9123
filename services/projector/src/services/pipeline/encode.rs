//! The answer, encoded group by group.
//!
//! There may be twenty thousand groups, of a dozen texts each. As one message they would all be made before the first is encoded,
//! to be dropped after the last; here one group is filled again for each. Protobuf allows that: messages one behind the other
//! are one message, with the repeated fields of all.

use std::fmt::{self, Display, Write as _};

use bytes::Bytes;
use pactum_api::convert::{deal_state, partner_name};
use pactum_api::proto::common::v1::Money;
use pactum_api::proto::pipeline::v1 as proto;
use pactum_ids::{ProductId, ProgramId};
use pactum_views::pipeline::{Answer, Figures, GroupKey};
use prost::Message;
use smol_str::SmolStr;

/// The answer as a `QueryPipelineResponse`.
pub(super) fn encode(program: &ProgramId, answer: &Answer, sequence: u64) -> Bytes {
    let mut bytes = Vec::new();
    let mut one = proto::QueryPipelineResponse { groups: vec![proto::PipelineGroup::default()], ..Default::default() };
    for group in &answer.groups {
        let filled = &mut one.groups[0];
        fill_key(filled.key.get_or_insert_default(), program, &group.key);
        fill_figures(filled.figures.get_or_insert_default(), &group.figures);
        append(&mut bytes, &one);
    }
    let mut totals = proto::PipelineFigures::default();
    fill_figures(&mut totals, &answer.totals);
    let policy_version = answer.policy_version;
    let rest = proto::QueryPipelineResponse { groups: Vec::new(), totals: Some(totals), sequence, policy_version };
    append(&mut bytes, &rest);
    bytes.into()
}

fn append(bytes: &mut Vec<u8>, message: &proto::QueryPipelineResponse) {
    message.encode(bytes).expect("a Vec has room for any message");
}

fn fill_key(key: &mut proto::PipelineKey, program: &ProgramId, group: &GroupKey) {
    key.state = group.state.map(|state| deal_state(state).into());
    fill(&mut key.stage, group.stage.as_ref());
    key.partner = group.partner.as_ref().map(|partner| partner_name(program, partner));
    fill(&mut key.tier, group.tier.as_ref());
    fill_all(&mut key.territories, group.territories.as_deref().unwrap_or_default(), SmolStr::as_str);
    fill_all(&mut key.products, group.products.as_deref().unwrap_or_default(), ProductId::as_str);
    fill(&mut key.close_month, group.month.map(OrNothing));
    fill(&mut key.currency_code, group.currency.map(OrNothing));
    key.conflicted = group.conflicted;
}

fn fill_figures(filled: &mut proto::PipelineFigures, figures: &Figures) {
    (filled.deals, filled.conflicted) = (figures.deals, figures.conflicted);
    filled.amounts.resize_with(figures.amounts.len(), Default::default);
    for (filled, (currency, sums)) in filled.amounts.iter_mut().zip(&figures.amounts) {
        filled.deals = sums.deals;
        for (money, minor) in [(&mut filled.amount, sums.minor), (&mut filled.weighted_amount, sums.weighted_minor)] {
            let Money { currency_code, minor: filled } = money.get_or_insert_default();
            currency_code.clear();
            currency_code.push_str(currency.as_str());
            *filled = minor;
        }
    }
}

fn fill(text: &mut Option<String>, value: Option<impl Display>) {
    let Some(value) = value else { return *text = None };
    let text = text.get_or_insert_default();
    text.clear();
    write!(text, "{value}").expect("a String has room for any text");
}

fn fill_all<T>(texts: &mut Vec<String>, values: &[T], text_of: impl Fn(&T) -> &str) {
    texts.resize_with(values.len(), String::new);
    for (text, value) in texts.iter_mut().zip(values) {
        text.clear();
        text.push_str(text_of(value));
    }
}

/// Shows what is not there as an empty text.
struct OrNothing<T>(Option<T>);

impl<T: Display> Display for OrNothing<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |value| value.fmt(formatter))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use pactum_domain::deal::DealState;
    use pactum_domain::money::Currency;
    use pactum_domain::time::Month;
    use pactum_ids::PartnerId;
    use pactum_views::pipeline::{Group, Sums};

    fn figures(amounts: &[(&str, i64)]) -> Figures {
        let amount = |(code, minor): &(&str, i64)| {
            (Currency::parse(code).unwrap(), Sums { deals: 1, minor: *minor, weighted_minor: minor / 2 })
        };
        Figures { deals: 2, conflicted: 1, amounts: amounts.iter().map(amount).collect() }
    }

    /// Whatever a group has, the next does not have it unless it is its own.
    #[test]
    fn no_group_shows_anything_of_the_one_before() {
        let full = GroupKey {
            state: Some(DealState::Won),
            stage: Some("proposal".into()),
            partner: Some(PartnerId::new("north").unwrap()),
            tier: Some("gold".into()),
            territories: Some(vec!["DE".into(), "FR".into()]),
            products: Some(vec![ProductId::new("core").unwrap()]),
            month: Some(Some(Month { year: 2026, month: 3 })),
            currency: Some(Currency::parse("EUR").ok()),
            conflicted: Some(true),
        };
        let unset = GroupKey { month: Some(None), currency: Some(None), tier: Some("".into()), ..GroupKey::default() };
        let groups = vec![
            Group { key: full, figures: figures(&[("EUR", 100), ("USD", -4)]) },
            Group { key: unset, figures: figures(&[]) },
            Group { key: GroupKey::default(), figures: figures(&[("CHF", 8)]) },
        ];
        let answer = Answer { groups, totals: figures(&[("EUR", 6)]), policy_version: 3 };
        let program = ProgramId::new("acme").unwrap();
        let read = proto::QueryPipelineResponse::decode(encode(&program, &answer, 9)).unwrap();

        let [full, unset, bare] = read.groups.as_slice() else { panic!("{} groups", read.groups.len()) };
        let key = proto::PipelineKey {
            state: Some(deal_state(DealState::Won).into()),
            stage: Some("proposal".into()),
            partner: Some("programs/acme/partners/north".into()),
            tier: Some("gold".into()),
            territories: vec!["DE".into(), "FR".into()],
            products: vec!["core".into()],
            close_month: Some("2026-03".into()),
            currency_code: Some("EUR".into()),
            conflicted: Some(true),
        };
        assert_eq!(full.key, Some(key));
        let empty = || Some(String::new());
        let key =
            proto::PipelineKey { tier: empty(), close_month: empty(), currency_code: empty(), ..Default::default() };
        assert_eq!(unset.key, Some(key));
        assert_eq!(bare.key, Some(proto::PipelineKey::default()));

        let money = |code: &str, minor| Some(Money { currency_code: code.into(), minor });
        let amount = |code, minor| proto::PipelineAmount {
            deals: 1,
            amount: money(code, minor),
            weighted_amount: money(code, minor / 2),
        };
        let amounts = |group: &proto::PipelineGroup| group.figures.clone().unwrap().amounts;
        assert_eq!(amounts(full), [amount("EUR", 100), amount("USD", -4)]);
        assert_eq!(amounts(unset), []);
        assert_eq!(amounts(bare), [amount("CHF", 8)]);
        assert_eq!((read.sequence, read.policy_version), (9, 3));
        assert_eq!(
            read.totals.unwrap(),
            proto::PipelineFigures { deals: 2, conflicted: 1, amounts: vec![amount("EUR", 6)] }
        );
    }
}
