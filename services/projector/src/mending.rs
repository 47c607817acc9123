//! Views that are made by themselves: those of a version whose place an earlier one holds, and those whose files are damaged.
//!
//! Damage that keeps a view from being opened is met when it is opened: the files are put aside and the view is built from the
//! log. This is about what turns up later, when a block is read: what can be read goes on answering, a build is made beside it
//! and takes its place, and the damaged files are put aside then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pactum_log::Partition;
use tokio_util::sync::CancellationToken;

use crate::live::LiveView;
use crate::operations::{OperationError, Operations, explain, is_open};

/// How often somebody looks.
const LOOK: Duration = Duration::from_millis(500);

/// How long it takes until what could not be done is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// What was begun for each view, so that a disk that damages everything is not kept busy.
type Begun = HashMap<(Partition, &'static str), Instant>;

/// Looks after the views until it is told to stop.
pub(crate) async fn watch(operations: &Arc<Operations>, stop: &CancellationToken) {
    let begun = tokio::task::spawn_blocking({
        let operations = Arc::clone(operations);
        move || succeed(&operations)
    });
    begun.await.ok();
    let mut begun = Begun::new();
    while tokio::time::timeout(LOOK, stop.cancelled()).await.is_err() {
        if !operations.views().iter().any(needs_care) {
            continue;
        }
        let operations = Arc::clone(operations);
        let mended = tokio::task::spawn_blocking(move || {
            mend(&operations, &mut begun);
            begun
        });
        begun = mended.await.unwrap_or_default();
    }
}

/// Begins to build the versions whose place earlier ones hold.
fn succeed(operations: &Operations) {
    for live in operations.views() {
        let Some(name) = live.successor.clone() else { continue };
        if let Err(error) = operations.build(live, name) {
            tell(live, "its new version cannot be built; `pactum view rebuild` begins it", &error);
        }
    }
}

fn needs_care(live: &Arc<LiveView>) -> bool {
    let damaged = |build: &crate::engine::Build| build.store.damage().is_some();
    live.store().damage().is_some()
        || live.build().is_some_and(|build| damaged(&build))
        || !live.left_damaged().is_empty()
}

fn mend(operations: &Operations, begun: &mut Begun) {
    for live in operations.views() {
        let (view, partition) = (live.view.name(), live.partition);
        for name in live.left_damaged() {
            if matches!(is_open(&live.builds.path(&name)), Ok(true)) {
                continue;
            }
            let why = live.builds.damage(&name).unwrap_or_default();
            match live.builds.set_aside(&name, &why) {
                Ok(()) => live.forget_damaged(&name),
                Err(error) => tell(live, "damaged files cannot be put aside", &error.into()),
            }
        }
        let damage = live.store().damage().map(str::to_owned);
        let build = live.build();
        let broken = build.as_ref().filter(|build| build.store.damage().is_some()).map(|build| build.name.clone());
        if damage.is_none() && broken.is_none() || build.is_some() && broken.is_none() {
            continue;
        }
        if begun.get(&(partition, view)).is_some_and(|last| last.elapsed() < AGAIN) {
            continue;
        }
        begun.insert((partition, view), Instant::now());
        drop(build);
        if let Some(name) = broken
            && let Err(error) = operations.drop_build(partition, view, &name)
        {
            tell(live, "a damaged build cannot be given up", &error);
            continue;
        }
        let Some(why) = damage else { continue };
        let damaged = live.answering();
        if let Err(error) = live.builds.note_damage(&damaged, &why) {
            tell(live, "damage cannot be written down", &error.into());
        }
        match operations.rebuild(partition, view) {
            Ok(build) => {
                tracing::error!(
                    view,
                    partition,
                    damaged,
                    why,
                    build,
                    "a view is damaged and is built anew from the log"
                );
                live.leave_damaged(damaged);
            }
            Err(error) => tell(live, "a damaged view cannot be built anew", &error),
        }
    }
}

fn tell(live: &LiveView, what: &str, error: &OperationError) {
    let (view, partition, why) = (live.view.name(), live.partition, explain(error));
    tracing::error!(view, partition, why, "{what}");
}
