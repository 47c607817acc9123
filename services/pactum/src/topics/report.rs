//! What is told about a topic.

use anyhow::bail;
use pactum_log::kafka::topics::{Finding, Severity, Topic};

use crate::output;

/// A topic, and what is wrong with it.
pub(super) struct Report {
    pub(super) name: String,
    pub(super) topic: Topic,
    pub(super) log_id: Option<u128>,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    /// Prints it, and fails where the topic must not be used as it is. `created` says whether it was made now.
    pub(super) fn print(&self, created: Option<bool>, json: bool) -> anyhow::Result<()> {
        let refused = self.findings.iter().filter(|finding| finding.severity == Severity::Refuse).count();
        if json {
            output::json(&self.as_json(created, refused == 0))?;
        } else {
            output::text(&self.as_text(created))?;
        }
        if refused > 0 {
            bail!("the topic {} must not be used as it is", self.name);
        }
        Ok(())
    }

    fn as_json(&self, created: Option<bool>, usable: bool) -> serde_json::Value {
        let finding = |finding: &Finding| {
            serde_json::json!({
                "setting": finding.setting,
                "found": finding.found,
                "expected": finding.expected,
                "severity": severity(finding),
                "why": finding.why,
                "fix": finding.fix,
            })
        };
        let mut value = serde_json::json!({
            "topic": self.name,
            "partitions": self.topic.partitions,
            "replication_factor": self.topic.replication_factor,
            "brokers": self.topic.brokers,
            "log_id": self.log_id.map(|id| format!("{id:032x}")),
            "usable": usable,
            "findings": self.findings.iter().map(finding).collect::<Vec<_>>(),
        });
        if let Some(created) = created {
            value["created"] = created.into();
        }
        value
    }

    fn as_text(&self, created: Option<bool>) -> String {
        let made = match created {
            Some(true) => ", made now",
            Some(false) => ", there already",
            None => "",
        };
        let Topic { partitions, replication_factor, brokers } = self.topic;
        let mut text = format!(
            "topic {}{made}: {partitions} partitions on {replication_factor} of {brokers} brokers each\n",
            self.name
        );
        if let Some(id) = self.log_id {
            text.push_str(&format!("log {id:032x}\n"));
        }
        for finding in &self.findings {
            text.push_str(&format!("{}: {finding}\n", severity(finding)));
        }
        if self.findings.is_empty() {
            text.push_str("all settings are as a log needs them\n");
        }
        text
    }
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Refuse => "refused",
        Severity::Warn => "warning",
    }
}
