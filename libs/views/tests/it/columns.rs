//! The pipeline held in columns answers as its rows do.

use pactum_domain::deal::DealState;
use pactum_domain::money::Currency;
use pactum_domain::time::Month;
use pactum_ids::{PartnerId, ProgramId};
use pactum_views::pipeline::{CELLS, Columns, Dimension, Filter, QueryError, query};
use pactum_views::view::ALL;
use pactum_views::{Changes, Folded, MemoryRows, RowError, fold};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use smol_str::SmolStr;

use crate::random::{PARTNERS, history, play};
use crate::world::{partner, place, program};

const DIMENSIONS: [Dimension; 9] = [
    Dimension::State,
    Dimension::Stage,
    Dimension::Partner,
    Dimension::Tier,
    Dimension::Territory,
    Dimension::Product,
    Dimension::CloseMonth,
    Dimension::Currency,
    Dimension::Conflict,
];

const STATES: [DealState; 6] = [
    DealState::Draft,
    DealState::Submitted,
    DealState::Conflicted,
    DealState::Approved,
    DealState::Won,
    DealState::Lost,
];

#[derive(Clone, Debug)]
struct Question {
    scope: Option<PartnerId>,
    filter: Filter,
    group_by: Vec<Dimension>,
}

/// None of the values, mostly; or some of them.
fn some<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = values.len();
    prop_oneof![3 => Just(Vec::new()), 1 => subsequence(values, 1..=most)]
}

fn texts(texts: &[&str]) -> impl Strategy<Value = Vec<SmolStr>> + use<> {
    some(texts.iter().map(SmolStr::new).collect())
}

fn month() -> impl Strategy<Value = Option<Month>> {
    prop_oneof![3 => Just(None), 1 => (1_u8..13).prop_map(|month| Some(Month { year: 2026, month }))]
}

fn question() -> impl Strategy<Value = Question> {
    let partners: Vec<_> = (0..=PARTNERS).map(|n| partner(&format!("p-{n}"))).collect();
    let currency = |code| Some(Currency::parse(code).unwrap());
    let filter = (
        (some(STATES.to_vec()), some(partners.clone()), texts(&["", "silver", "gold"])),
        (texts(&["", "DE", "FR", "EMEA"]), texts(&["", "core", "plus"]), texts(&["", "qualified", "proposal"])),
        (month(), month(), some(vec![None, currency("USD"), currency("JPY")])),
        prop_oneof![3 => Just(None), 1 => any::<bool>().prop_map(Some)],
    );
    let filter = filter.prop_map(|((states, partners, tiers), (territories, products, stages), months, conflicted)| {
        let (month_from, month_to, currencies) = months;
        Filter { states, partners, tiers, territories, products, stages, month_from, month_to, currencies, conflicted }
    });
    let scope = prop_oneof![3 => Just(None), 1 => select(partners).prop_map(Some)];
    let group_by = subsequence(DIMENSIONS.to_vec(), 0..=DIMENSIONS.len());
    (scope, filter, group_by).prop_map(|(scope, filter, group_by)| Question { scope, filter, group_by })
}

fn loaded(rows: &MemoryRows, program: &ProgramId) -> Columns {
    Columns::load(rows, program, |_| true).unwrap().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Read anew, or read at some time and then changed by the same writes as the rows.
    #[test]
    fn columns_answer_as_rows_do(
        history in history(),
        size in 1_usize..20,
        read in any::<Index>(),
        questions in prop::collection::vec(question(), 12),
    ) {
        let world = play(history);
        let view = *ALL.iter().find(|view| view.name() == "pipeline").unwrap();
        let batches: Vec<_> = world.records.chunks(size).collect();
        let read = read.index(batches.len());
        let (mut rows, mut held) = (MemoryRows::default(), None);
        for (batch, records) in batches.into_iter().enumerate() {
            let mut changes = Changes::new(&rows);
            for (n, record) in records.iter().enumerate() {
                fold(view, &mut changes, &Folded { record, place: place(batch * size + n) }).unwrap();
            }
            let writes = changes.into_writes();
            rows.write(writes.clone());
            if batch == read {
                held = Some(loaded(&rows, &program()));
            } else if let Some(columns) = &mut held {
                for write in writes {
                    columns.apply(write.keyspace, &write.key, write.row.as_deref()).unwrap();
                }
            }
            let Some(held) = &held else { continue };
            let anew = loaded(&rows, &program());
            prop_assert_eq!(held.sequence(), records.last().unwrap().last_sequence());
            for Question { scope, filter, group_by } in &questions {
                let expected = query(&rows, &program(), scope.as_ref(), filter, group_by).unwrap();
                for columns in [held, &anew] {
                    prop_assert_eq!(&columns.query(scope.as_ref(), filter, group_by).unwrap(), &expected);
                }
            }
        }
    }
}

/// A cell for each partner, currency and amount: a deal that was won.
fn rows_of(amounts: impl IntoIterator<Item = (String, &'static str, i64)>) -> MemoryRows {
    use pactum_views::changes::Write;
    use pactum_views::key::Key;
    use pactum_views::pipeline::{Cell, CellKey};
    use pactum_views::table::Row as _;

    let mut rows = MemoryRows::default();
    for (partner, currency, minor) in amounts {
        let key = CellKey {
            state: DealState::Won,
            stage: "closing".into(),
            territories: Vec::new(),
            products: Vec::new(),
            month: None,
            currency: Some(Currency::parse(currency).unwrap()),
            conflicted: false,
        };
        let key = postcard::to_extend(&key, Key::of(&program()).text(&partner).bytes()).unwrap();
        let cell = Cell { deals: 1, minor: minor.into() };
        let row = postcard::to_extend(&cell, vec![Cell::VERSION]).unwrap();
        rows.write(vec![Write { keyspace: CELLS.keyspace, key, row: Some(row) }]);
    }
    rows
}

#[test]
fn what_rows_refuse_columns_refuse() {
    let many = |count| rows_of((0..count).map(|n| (format!("p-{n:05}"), "USD", 1)));
    for (rows, by, expected) in [
        (many(20_000), Dimension::Partner, None),
        (many(20_001), Dimension::Partner, Some(QueryError::TooManyGroups.to_string())),
        (many(20_001), Dimension::State, None),
        (
            rows_of(
                [("p-1", "USD", i64::MAX), ("p-1", "JPY", i64::MAX), ("p-2", "JPY", 1), ("p-2", "EUR", 1)]
                    .map(|(partner, currency, minor)| (partner.to_owned(), currency, minor)),
            ),
            Dimension::Partner,
            Some(QueryError::SumOutOfRange(Currency::parse("JPY").unwrap()).to_string()),
        ),
    ] {
        let (filter, by) = (Filter::default(), [by]);
        let of_rows = query(&rows, &program(), None, &filter, &by).map_err(|error| error.to_string());
        let of_columns = loaded(&rows, &program()).query(None, &filter, &by).map_err(|error| error.to_string());
        assert_eq!(of_rows.as_ref().err(), expected.as_ref());
        assert_eq!(of_columns, of_rows);
    }
}

#[test]
fn a_program_that_finds_no_room_is_not_held() {
    let rows = rows_of((0..10_000).map(|n| (format!("p-{n:05}"), "USD", 1)));
    let mut asked = Vec::new();
    let columns = Columns::load(&rows, &program(), |bytes| {
        asked.push(bytes);
        bytes < 1_000_000
    });
    assert!(columns.unwrap().is_none());
    assert!(asked.len() > 1 && asked.is_sorted(), "{asked:?}");
    let all = loaded(&rows, &program());
    // Five numbers and figures of 36 bytes, the index, and a partner for each cell.
    assert!((400_000..4_000_000).contains(&all.bytes()), "{}", all.bytes());
    let other = loaded(&rows, &ProgramId::new("acm").unwrap());
    assert_eq!(other.query(None, &Filter::default(), &[]).unwrap().totals.deals, 0);
}

#[test]
fn a_damaged_row_is_told() {
    let mut rows = rows_of([("p-1".to_owned(), "USD", 5)]);
    let damaged = [b"acme\0p-1\0".as_slice(), &[200, 200]].concat();
    let row = rows.all(CELLS.keyspace).next().unwrap().1.to_vec();
    rows.write(vec![pactum_views::changes::Write { keyspace: CELLS.keyspace, key: damaged, row: Some(row) }]);
    let error = Columns::load(&rows, &program(), |_| true).unwrap_err();
    assert!(matches!(error, RowError::Malformed { keyspace: "pipeline_cells" }), "{error}");
}
