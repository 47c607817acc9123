//! What a generation came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use pactum_ids::ProgramId;
use serde::Serialize;

use super::size::Size;
use super::writing::Written;

/// What a generation came to, as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    log: String,
    programs: Vec<Made>,
    seed: u64,
    from: String,
    until: String,
    records: u64,
    events: u64,
    bytes: u64,
    deals: u64,
    conflicts: u64,
    lapses: u64,
    won: u64,
    lost: u64,
    /// Decimal, by currency.
    won_amount: BTreeMap<String, String>,
    /// Commands that the rules refused, because something else had been faster.
    refused: u64,
    seconds: f64,
    events_per_second: u64,
    /// The most memory that the process had, where the system tells it.
    memory_mib: Option<u64>,
    kinds: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
struct Made {
    program: String,
    partners: u32,
    deals: u64,
}

impl Report {
    pub(super) fn new(log: &str, programs: &[(ProgramId, Size)], written: Written, elapsed: Duration) -> Self {
        let Written { tally, refused } = written;
        let size = programs.first().map(|(_, size)| size);
        let seconds = elapsed.as_secs_f64();
        Self {
            log: log.to_owned(),
            programs: programs
                .iter()
                .map(|(program, size)| Made {
                    program: format!("programs/{program}"),
                    partners: size.partners,
                    deals: size.deals,
                })
                .collect(),
            seed: size.map_or(0, |size| size.seed),
            from: size.map_or_else(String::new, |size| size.from().to_string()),
            until: size.map_or_else(String::new, |size| size.until.to_string()),
            records: tally.records,
            events: tally.events,
            bytes: tally.bytes,
            deals: tally.deals,
            conflicts: tally.conflicts,
            lapses: tally.lapses,
            won: tally.won,
            lost: tally.lost,
            won_amount: tally
                .amount
                .into_iter()
                .map(|(currency, minor)| (currency, format!("{}.{:02}", minor / 100, minor % 100)))
                .collect(),
            refused,
            seconds,
            events_per_second: (tally.events as f64 / seconds.max(1e-9)) as u64,
            memory_mib: peak_memory_mib(),
            kinds: tally.kinds,
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { log, records, events, deals, conflicts, lapses, won, lost, .. } = self;
        let mut text = format!(
            "{log}, {} to {}\n{events} events in {records} records, {} MiB; {deals} deals, {conflicts} conflicts, \
             {lapses} lapses, {won} won, {lost} lost\n",
            self.from,
            self.until,
            self.bytes >> 20
        );
        for (currency, amount) in &self.won_amount {
            let _ = writeln!(text, "won {amount} {currency}");
        }
        for made in self.programs.iter().take(10) {
            let _ = writeln!(text, "{}: {} partners, {} deals", made.program, made.partners, made.deals);
        }
        let memory = self.memory_mib.map_or_else(String::new, |mib| format!(", {mib} MiB of memory at most"));
        let _ = writeln!(text, "took {:.1} s, {} events a second{memory}", self.seconds, self.events_per_second);
        text
    }
}

fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(kib.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
