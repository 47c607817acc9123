//! What a figure was measured on.

use std::fmt;

use serde::Serialize;

/// The machine, as far as it tells.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    memory_mib: u64,
    version: &'static str,
}

impl Machine {
    pub(super) fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .map(|rest| rest.trim_start_matches([':', ' ', '\t']).trim().to_owned())
                .unwrap_or_else(|| "unknown".to_owned())
        };
        let memory = after(&read("/proc/meminfo"), "MemTotal");
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: after(&read("/proc/cpuinfo"), "model name"),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory_mib: memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cores, {}, {} MiB, Linux {}, pactum {}",
            self.cores, self.processor, self.memory_mib, self.kernel, self.version
        )
    }
}
