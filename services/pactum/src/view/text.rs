//! Views as people and programs read them.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use pactum_api::proto::projector::v1 as proto;
use pactum_domain::time::Timestamp;
use serde_json::{Value, json as object};

/// How far each view is, its builds, and what was decided.
pub(super) fn list(views: &[proto::View]) -> String {
    let mut table = table(&["partition", "view", "offset", "behind", "builds", "state"], &[0, 2, 3]);
    for view in views {
        let builds: Vec<_> = view.builds.iter().map(build).collect();
        table.add_row([
            view.partition.to_string(),
            view.view.clone(),
            view.offset.to_string(),
            view.lag_records.to_string(),
            builds.join("\n"),
            state(view),
        ]);
    }
    format!("{table}\n")
}

/// What each view holds, and how fast.
pub(super) fn stats(views: &[proto::View]) -> String {
    let headers = ["partition", "view", "rows", "MiB", "records/s", "behind", "oldest s", "state"];
    let mut table = table(&headers, &[0, 2, 3, 4, 5, 6]);
    for view in views {
        table.add_row([
            view.partition.to_string(),
            format!("{}@{}", view.view, view.version),
            view.rows.to_string(),
            format!("{:.1}", view.file_bytes as f64 / f64::from(1 << 20)),
            format!("{:.0}", view.records_per_second),
            view.lag_records.to_string(),
            format!("{:.1}", view.lag_seconds),
            state(view),
        ]);
    }
    format!("{table}\n")
}

fn table(headers: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(headers.to_vec());
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn build(build: &proto::Build) -> String {
    match &build.progress {
        Some(at) if at.error.is_empty() => {
            format!("{} being made: {} of {}, {:.0} s left", build.name, at.offset, at.end, at.seconds_left)
        }
        Some(at) => format!("{} being made: {}", build.name, at.error),
        None if build.live => format!("{} answers", build.name),
        None => build.name.clone(),
    }
}

fn state(view: &proto::View) -> String {
    let mut lines = vec![match (&view.error, view.caught_up) {
        (error, _) if !error.is_empty() => error.clone(),
        (_, true) => "caught up".to_owned(),
        (_, false) => "folding".to_owned(),
    }];
    lines.extend(
        view.quarantined
            .iter()
            .map(|one| format!("passes over offset {}: {} ({}, {})", one.offset, one.reason, one.by, moment(one.at))),
    );
    lines.join("\n")
}

fn moment(time: Option<prost_types::Timestamp>) -> String {
    time.map_or_else(String::new, |time| {
        Timestamp(time.seconds.saturating_mul(1_000_000) + i64::from(time.nanos) / 1_000).to_string()
    })
}

/// The same for programs.
pub(super) fn json(views: &[proto::View]) -> Vec<Value> {
    let builds = |view: &proto::View| -> Vec<Value> {
        let builds = view.builds.iter().map(|build| {
            let progress = build.progress.as_ref().map(|at| {
                object!({
                    "offset": at.offset,
                    "end": at.end,
                    "entries_per_second": at.entries_per_second,
                    "seconds_left": at.seconds_left,
                    "error": at.error,
                })
            });
            object!({ "name": build.name, "live": build.live, "progress": progress })
        });
        builds.collect()
    };
    let quarantined = |view: &proto::View| -> Vec<Value> {
        let all = view.quarantined.iter();
        all.map(|one| object!({ "offset": one.offset, "by": one.by, "at": moment(one.at), "reason": one.reason }))
            .collect()
    };
    let of = |view: &proto::View| {
        object!({
            "partition": view.partition,
            "view": view.view,
            "version": view.version,
            "offset": view.offset,
            "end": view.end,
            "lag_records": view.lag_records,
            "lag_seconds": view.lag_seconds,
            "caught_up": view.caught_up,
            "error": view.error,
            "rows": view.rows,
            "file_bytes": view.file_bytes,
            "records_per_second": view.records_per_second,
            "builds": builds(view),
            "quarantined": quarantined(view),
        })
    };
    views.iter().map(of).collect()
}

/// What verifying a view of a partition found.
pub(super) fn verified(partition: u32, verified: &proto::VerifyViewResponse) -> Value {
    let proto::VerifyViewResponse { agrees, offset, rows, live_digest, fresh_digest } = verified;
    object!({
        "partition": partition,
        "agrees": agrees,
        "offset": offset,
        "rows": rows,
        "live_digest": live_digest,
        "fresh_digest": fresh_digest,
    })
}
