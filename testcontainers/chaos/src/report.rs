//! What fault runs came to: for a terminal, for `docs/reliability.md`, and for machines.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::check::{Findings, Kind, LogContents, NOT_YET, Violation, longest_gaps};
use crate::history::{History, Outcome};

/// One run of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The scenario's name.
    pub scenario: String,
    /// What chance was drawn from.
    pub seed: u64,
    /// What was done, and when.
    pub faults: Vec<String>,
    /// How long the load ran.
    pub seconds: f64,
    /// Commands asked.
    pub commands: u64,
    /// Those answered.
    pub answered: u64,
    /// Those refused by the rules.
    pub refused: u64,
    /// Those that certainly left nothing.
    pub not_taken: u64,
    /// Those whose clients gave up without knowing.
    pub unknown: u64,
    /// Of these, the ones that are in the log.
    pub unknown_effective: u64,
    /// Reads answered.
    pub reads: u64,
    /// Reads that nobody answered.
    pub failed_reads: u64,
    /// Refusals, dry runs and repeats that were found among the program's own decisions.
    pub decisions_checked: u64,
    /// Events after which the invariants were looked at.
    pub events: u64,
    /// Records in the log.
    pub records: u64,
    /// How often partitions changed hands, the first times included.
    pub terms: u64,
    /// Entries of the log that have no effect, by the rule.
    pub skipped: u64,
    /// Answered commands that are not in the log.
    pub lost: u64,
    /// Requests that took effect twice.
    pub doubled: u64,
    /// Everything that does not hold, those included.
    pub violations: u64,
    /// The first of them in words.
    pub counterexamples: Vec<Violation>,
    /// The longest time without an answer, by partition, in milliseconds.
    pub gaps_ms: Vec<(u32, u64)>,
}

impl RunReport {
    /// Puts the figures of a run together.
    #[must_use]
    pub fn new(scenario: &str, seed: u64, history: &History, log: &LogContents, findings: &Findings) -> Self {
        let count =
            |wanted: fn(&Outcome) -> bool| history.commands.iter().filter(|call| wanted(&call.outcome)).count() as u64;
        let partitions = u32::try_from(log.partitions.len()).unwrap_or(u32::MAX);
        let gaps = longest_gaps(history, partitions);
        Self {
            scenario: scenario.to_owned(),
            seed,
            faults: Vec::new(),
            seconds: Duration::from_nanos(history.ended.saturating_sub(history.began)).as_secs_f64(),
            commands: history.commands.len() as u64,
            answered: count(|outcome| matches!(outcome, Outcome::Answered { .. })),
            refused: count(|outcome| matches!(outcome, Outcome::Refused(_))),
            not_taken: count(|outcome| matches!(outcome, Outcome::NotTaken { .. })),
            unknown: count(|outcome| matches!(outcome, Outcome::Unknown { .. })),
            unknown_effective: findings.unknown_effective,
            reads: history.reads.len() as u64,
            failed_reads: history.failed_reads,
            decisions_checked: findings.decisions,
            events: findings.events,
            records: log.records() as u64,
            terms: log.terms,
            skipped: log.skipped,
            lost: findings.of(Kind::Lost),
            doubled: findings.of(Kind::Doubled),
            violations: findings.total(),
            counterexamples: findings.violations().to_vec(),
            gaps_ms: gaps.into_iter().map(|(partition, gap)| (partition, gap.as_millis() as u64)).collect(),
        }
    }

    /// The longest time that any partition was without an answer, in milliseconds.
    #[must_use]
    pub fn longest_gap_ms(&self) -> u64 {
        self.gaps_ms.iter().map(|(_, gap)| *gap).max().unwrap_or(0)
    }

    /// The run in a line, then what was done and what is wrong.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} (seed {}): {:.0} s, {} faults; {} commands, {} answered, {} refused, {} not taken, {} unknown ({} took \
             effect), {} reads; {} records in {} terms, {} entries without effect; lost {}, doubled {}, violations {}; \
             longest gap {} ms\n",
            self.scenario,
            self.seed,
            self.seconds,
            self.faults.len(),
            self.commands,
            self.answered,
            self.refused,
            self.not_taken,
            self.unknown,
            self.unknown_effective,
            self.reads,
            self.records,
            self.terms,
            self.skipped,
            self.lost,
            self.doubled,
            self.violations,
            self.longest_gap_ms(),
        );
        for fault in &self.faults {
            let _ = writeln!(text, "    {fault}");
        }
        for violation in &self.counterexamples {
            let _ = writeln!(text, "  ! {violation}");
        }
        text
    }
}

/// Runs together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// In the order in which they were made.
    pub runs: Vec<RunReport>,
}

impl Report {
    /// Whether nothing is wrong in any.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.runs.iter().all(|run| run.violations == 0)
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("figures, texts and lists have a form in JSON")
    }

    /// As a table, a row a scenario, and the sum below.
    #[must_use]
    pub fn markdown(&self) -> String {
        const HEAD: [&str; 13] = [
            "scenario",
            "runs",
            "faults",
            "commands",
            "answered",
            "refused",
            "unknown",
            "reads",
            "owners",
            "lost",
            "doubled",
            "other violations",
            "longest gap",
        ];
        let mut text = format!("| {} |\n|---|{}\n", HEAD.join(" | "), "---:|".repeat(HEAD.len() - 1));
        let mut names: Vec<&str> = Vec::new();
        for run in &self.runs {
            if !names.contains(&run.scenario.as_str()) {
                names.push(&run.scenario);
            }
        }
        for name in names {
            row(&mut text, name, self.runs.iter().filter(|run| run.scenario == name));
        }
        row(&mut text, "**all**", self.runs.iter());
        let _ = writeln!(text, "\nNot checked, because the aggregates do not exist yet: {}.", NOT_YET.join(", "));
        text
    }
}

fn row<'a>(text: &mut String, name: &str, runs: impl Iterator<Item = &'a RunReport> + Clone) {
    let sum = |figure: fn(&RunReport) -> u64| runs.clone().map(figure).sum::<u64>();
    let figures = [
        sum(|_| 1),
        sum(|run| run.faults.len() as u64),
        sum(|run| run.commands),
        sum(|run| run.answered),
        sum(|run| run.refused),
        sum(|run| run.not_taken + run.unknown),
        sum(|run| run.reads),
        sum(|run| run.terms),
        sum(|run| run.lost),
        sum(|run| run.doubled),
        sum(|run| run.violations - run.lost - run.doubled),
    ];
    let gap = runs.clone().map(RunReport::longest_gap_ms).max().unwrap_or(0);
    let figures: Vec<_> = figures.iter().map(u64::to_string).collect();
    let _ = writeln!(text, "| {name} | {} | {}.{} s |", figures.join(" | "), gap / 1000, gap % 1000 / 100);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn run(scenario: &str, commands: u64, gap: u64, lost: u64) -> RunReport {
        let mut run = RunReport::new(scenario, 1, &History::default(), &LogContents::default(), &Findings::default());
        (run.commands, run.gaps_ms, run.lost, run.violations) = (commands, vec![(0, 3), (1, gap)], lost, lost + 1);
        run
    }

    #[test]
    fn a_row_a_scenario_and_the_sum() {
        let report = Report { runs: vec![run("kill", 10, 1_250, 0), run("cut", 5, 90, 1), run("kill", 7, 20, 0)] };
        let table = report.markdown();
        let rows: Vec<_> = table.lines().skip(2).take(3).collect();
        assert_eq!(rows[0], "| kill | 2 | 0 | 17 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 2 | 1.2 s |");
        assert_eq!(rows[1], "| cut | 1 | 0 | 5 | 0 | 0 | 0 | 0 | 0 | 1 | 0 | 1 | 0.0 s |");
        assert_eq!(rows[2], "| **all** | 3 | 0 | 22 | 0 | 0 | 0 | 0 | 0 | 1 | 0 | 3 | 1.2 s |");
        assert!(!report.is_clean());
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["runs"][0]["gaps_ms"][1], serde_json::json!([1, 1250]));
        assert!(table.contains("funds"));
    }
}
