#![expect(clippy::unwrap_used, reason = "tests")]
use pactum_domain::deal::DealState;
use pactum_domain::time::Timestamp;
use pactum_journal::Position;
use pactum_store::Shared;
use pactum_views::changes::Write;
use pactum_views::clock::{CLOCKS, Clock};
use pactum_views::key::Key;
use pactum_views::pipeline::{self, CELLS, Cell, CellKey};
use pactum_views::table::Row;
use tempfile::TempDir;

use super::*;

/// A view's rows, written batch by batch.
struct Rows {
    store: Arc<ViewStore>,
    offset: u64,
    _directory: TempDir,
}

fn row<R: Row>(row: &R) -> Vec<u8> {
    postcard::to_extend(row, vec![R::VERSION]).unwrap()
}

fn program(id: &str) -> ProgramId {
    ProgramId::new(id).unwrap()
}

impl Rows {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipeline@1");
        let store = ViewStore::open(&path, &pipeline::Pipeline, &Shared::default()).unwrap();
        Self { store: Arc::new(store), offset: 0, _directory: directory }
    }

    /// Writes a program's clock and so many cells of a deal each, whose partners' names begin with `name`.
    fn write(&mut self, id: &str, name: &str, cells: u64) {
        self.offset += 1;
        let key = CellKey {
            state: DealState::Approved,
            stage: "open".into(),
            territories: Vec::new(),
            products: Vec::new(),
            month: None,
            currency: None,
            conflicted: false,
        };
        let cell = |number| {
            let key = postcard::to_extend(&key, Key::of(&program(id)).text(&format!("{name}-{number}")).bytes());
            Write { keyspace: CELLS.keyspace, key: key.unwrap(), row: Some(row(&Cell { deals: 1, minor: 0 })) }
        };
        let clock = Clock { sequence: self.offset, recorded_at: Timestamp(0) };
        let clock = Write { keyspace: CLOCKS.keyspace, key: Key::of(&program(id)).bytes(), row: Some(row(&clock)) };
        let writes: Vec<_> = (0..cells).map(cell).chain([clock]).collect();
        let position = Position { offset: self.offset, ..Position::default() };
        self.store.write(&writes, &position).unwrap();
    }

    fn ask(&self, pool: &ColumnPool, id: &str, scope: Option<&str>) -> Option<(u64, u64)> {
        let scope = scope.map(|partner| PartnerId::new(partner).unwrap());
        let question = Question { program: program(id), scope, filter: Filter::default(), group_by: Vec::new() };
        let (sequence, answer) = pool.answer(&self.store, &question)?;
        Some((sequence, answer.unwrap().totals.deals))
    }
}

fn held(pool: &ColumnPool) -> Vec<String> {
    let all = pool.all();
    let loaded = all.values().filter(|held| held.bytes.load(Ordering::Relaxed) > 0);
    let mut held: Vec<_> = loaded.map(|held| held.program.to_string()).collect();
    held.sort_unstable();
    held
}

#[test]
fn what_was_written_since_is_taken() {
    let (mut rows, pool) = (Rows::new(), ColumnPool::new(1 << 20));
    rows.write("acme", "p", 10);
    assert_eq!(rows.ask(&pool, "acme", None), Some((1, 10)));
    rows.write("other", "p", 5);
    rows.write("acme", "q", 3);
    assert_eq!(rows.ask(&pool, "acme", None), Some((3, 13)));
    assert_eq!(rows.ask(&pool, "acme", Some("p-1")), Some((3, 1)));
    assert_eq!(rows.ask(&pool, "other", None), Some((2, 5)));
}

#[test]
fn a_question_about_few_rows_reads_no_others() {
    let (mut rows, pool) = (Rows::new(), ColumnPool::new(1 << 20));
    rows.write("acme", "p", 10);
    assert_eq!(rows.ask(&pool, "acme", Some("p-1")), None);
    assert_eq!(held(&pool), [""; 0]);
}

#[test]
fn changes_that_outgrow_their_room_are_read_anew() {
    let (mut rows, pool) = (Rows::new(), ColumnPool::new(8 << 20));
    rows.write("acme", "p", 10);
    assert_eq!(rows.ask(&pool, "acme", None), Some((1, 10)));
    rows.write("acme", "q", 20_000);
    let ticket = pool.all()[&program("acme")].ticket.load(Ordering::Relaxed);
    assert!(rows.store.watches().take(&program("acme"), ticket, rows.offset).is_none());
    assert_eq!(rows.ask(&pool, "acme", None), Some((2, 20_010)));
    rows.write("acme", "r", 1);
    assert_eq!(rows.ask(&pool, "acme", None), Some((3, 20_011)));
}

#[test]
fn who_was_asked_about_longest_ago_goes() {
    let (mut rows, pool) = (Rows::new(), ColumnPool::new(1 << 20));
    for (cells, id) in (1_000..).zip(["a", "b", "c", "d"]) {
        rows.write(id, "p", cells);
    }
    for (expected, id) in (1_000..).zip(["a", "b"]) {
        assert_eq!(rows.ask(&pool, id, None).map(|(_, deals)| deals), Some(expected));
    }
    assert_eq!(held(&pool), ["a", "b"]);
    assert!(rows.ask(&pool, "a", None).is_some());
    assert_eq!(rows.ask(&pool, "c", None), Some((3, 1_002)));
    assert_eq!(held(&pool), ["a", "c"]);
    let together: usize = pool.all().values().map(|held| held.bytes.load(Ordering::Relaxed)).sum();
    assert!(together <= 1 << 20, "{together}");
    assert_eq!(rows.ask(&pool, "b", None), Some((2, 1_001)));
    assert_eq!(held(&pool), ["b", "c"]);
}

#[test]
fn a_program_that_takes_more_than_all_may_is_not_held() {
    let (mut rows, pool) = (Rows::new(), ColumnPool::new(1 << 20));
    rows.write("small", "p", 100);
    rows.write("large", "p", 30_000);
    assert_eq!(rows.ask(&pool, "large", None), None);
    assert_eq!(rows.ask(&pool, "small", None), Some((1, 100)));
    assert_eq!(rows.ask(&pool, "large", None), None);
    assert_eq!(held(&pool), ["small"], "it is not read again only to be put away");
    rows.write("small", "q", 30_000);
    assert_eq!(rows.ask(&pool, "small", None), None, "it has grown");
    assert_eq!(held(&pool), [""; 0]);
    assert_eq!(rows.ask(&ColumnPool::new(0), "small", None), None);
}
