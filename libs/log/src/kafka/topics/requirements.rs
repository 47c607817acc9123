//! What a log needs of its topic.

use super::finding::{Finding, Severity};
use crate::kafka::KafkaOptions;
use crate::kafka::client::Description;
use std::collections::BTreeMap;

/// A topic's settings by name.
pub(super) type Settings = BTreeMap<String, String>;

/// Compares a topic with what a log needs. Without settings, because they could not be read, says so.
pub(super) fn compare(options: &KafkaOptions, topic: &Description, settings: Result<&Settings, &str>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = replication(options, topic).into_iter().collect();
    match settings {
        Ok(settings) => findings.extend(all(options, topic, settings)),
        Err(reason) => findings.push(Finding {
            setting: "the topic's settings".into(),
            found: "unknown".into(),
            expected: "readable".into(),
            severity: Severity::Warn,
            why: format!("they could not be read ({reason}), so that what the guarantees rest on is not verified"),
            fix: "run `pactum topics check` as a user who may describe the topic's configuration, with SCRAM, PLAIN or a \
                  certificate"
                .into(),
        }),
    }
    findings
}

fn all(options: &KafkaOptions, topic: &Description, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |setting: &str, expected: &str, severity: Severity, why: &str| {
        findings.push(Finding {
            setting: setting.into(),
            found: settings.get(setting).cloned().unwrap_or_else(|| "not set".into()),
            expected: expected.into(),
            severity,
            why: why.into(),
            fix: alter(options, setting, expected),
        });
    };
    let text = |setting: &str| settings.get(setting).map_or("", String::as_str);
    let number = |setting: &str| text(setting).parse::<i64>().unwrap_or(0);

    let (in_sync, replicas) = (number("min.insync.replicas"), i64::try_from(topic.replicas).unwrap_or(i64::MAX));
    let setting = "min.insync.replicas";
    if in_sync > replicas {
        note(setting, "2", Severity::Refuse, "there are not as many replicas, so nothing can be written");
    } else if in_sync < 2 && replicas >= 3 {
        note(
            setting,
            "2",
            Severity::Refuse,
            "an entry is acknowledged when one broker has it, and is lost with that broker",
        );
    } else if in_sync < 2 && replicas == 2 {
        note(
            setting,
            "2",
            Severity::Warn,
            "an entry is acknowledged when one broker has it, and is lost with that broker",
        );
    } else if in_sync == replicas && replicas >= 3 {
        note(setting, "2", Severity::Warn, "nothing can be written while one broker is down");
    }
    if text("unclean.leader.election.enable") != "false" {
        let why = "a broker that missed entries can become leader, and they are lost";
        note("unclean.leader.election.enable", "false", Severity::Refuse, why);
    }
    if text("cleanup.policy").contains("compact") {
        let why = "entries without a key are refused or deleted by compaction";
        note("cleanup.policy", "delete", Severity::Refuse, why);
    }
    for setting in ["retention.ms", "retention.bytes"] {
        if number(setting) != -1 {
            note(
                setting,
                "-1",
                Severity::Refuse,
                "old entries are deleted, and the log is the only place that has them",
            );
        }
    }
    let batch = i64::try_from(options.max_batch_bytes()).unwrap_or(i64::MAX);
    if number("max.message.bytes") < batch {
        let why = "the largest entry that is taken does not fit, and its partition cannot go on";
        note("max.message.bytes", &batch.to_string(), Severity::Refuse, why);
    }
    findings
}

fn replication(options: &KafkaOptions, topic: &Description) -> Option<Finding> {
    let Description { replicas, brokers, .. } = *topic;
    let (severity, why) = match (replicas, brokers) {
        (3.., _) => return None,
        (2, _) => (Severity::Warn, "with one broker down, either nothing can be written or one copy is all there is"),
        (_, 2..) => (Severity::Refuse, "the only copy of what was acknowledged is lost with one broker's disk"),
        (_, _) => (Severity::Warn, "the only copy of what was acknowledged is lost with the broker's disk"),
    };
    let topic = &options.topic;
    Some(Finding {
        setting: "replication factor".into(),
        found: replicas.to_string(),
        expected: "3".into(),
        severity,
        why: why.into(),
        fix: if brokers < 3 {
            "run three brokers or more, then `kafka-reassign-partitions` to three replicas".into()
        } else {
            format!("give every partition of {topic} three replicas with `kafka-reassign-partitions`")
        },
    })
}

fn alter(options: &KafkaOptions, setting: &str, value: &str) -> String {
    let (brokers, topic) = (&options.brokers, &options.topic);
    format!("`kafka-configs --bootstrap-server {brokers} --alter --topic {topic} --add-config {setting}={value}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Severity::{Refuse, Warn};

    fn good() -> Settings {
        let settings = [
            ("min.insync.replicas", "2"),
            ("unclean.leader.election.enable", "false"),
            ("cleanup.policy", "delete"),
            ("retention.ms", "-1"),
            ("retention.bytes", "-1"),
            ("max.message.bytes", "2000000"),
        ];
        settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn found(brokers: usize, replicas: usize, changes: &[(&str, &str)]) -> Vec<(String, Severity)> {
        let mut settings = good();
        settings.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let topic = Description { partitions: 4, brokers, replicas };
        let findings = compare(&KafkaOptions::default(), &topic, Ok(&settings));
        findings.into_iter().map(|finding| (finding.setting, finding.severity)).collect()
    }

    #[test]
    fn what_a_log_needs_is_no_finding_and_each_other_setting_is_one() {
        assert_eq!(found(3, 3, &[]), []);
        assert_eq!(found(5, 5, &[("min.insync.replicas", "3")]), []);
        type Row<'a> = (usize, usize, &'a [(&'a str, &'a str)], &'a [(&'a str, Severity)]);
        let table: [Row<'_>; 13] = [
            (1, 1, &[("min.insync.replicas", "1")], &[("replication factor", Warn)]),
            (2, 1, &[("min.insync.replicas", "1")], &[("replication factor", Refuse)]),
            (3, 2, &[], &[("replication factor", Warn)]),
            (3, 2, &[("min.insync.replicas", "1")], &[("replication factor", Warn), ("min.insync.replicas", Warn)]),
            (3, 3, &[("min.insync.replicas", "1")], &[("min.insync.replicas", Refuse)]),
            (3, 3, &[("min.insync.replicas", "3")], &[("min.insync.replicas", Warn)]),
            (3, 3, &[("min.insync.replicas", "4")], &[("min.insync.replicas", Refuse)]),
            (3, 3, &[("unclean.leader.election.enable", "true")], &[("unclean.leader.election.enable", Refuse)]),
            (3, 3, &[("cleanup.policy", "compact,delete")], &[("cleanup.policy", Refuse)]),
            (3, 3, &[("retention.ms", "604800000")], &[("retention.ms", Refuse)]),
            (3, 3, &[("retention.bytes", "1000")], &[("retention.bytes", Refuse)]),
            (3, 3, &[("max.message.bytes", "1048588")], &[("max.message.bytes", Refuse)]),
            (3, 3, &[("retention.ms", "")], &[("retention.ms", Refuse)]),
        ];
        for (brokers, replicas, changes, expected) in table {
            let expected: Vec<(String, Severity)> = expected.iter().map(|(name, s)| ((*name).to_owned(), *s)).collect();
            assert_eq!(
                found(brokers, replicas, changes),
                expected,
                "{brokers} brokers, {replicas} replicas, {changes:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let topic = Description { partitions: 1, brokers: 3, replicas: 3 };
        let findings = compare(&KafkaOptions::default(), &topic, Err("not allowed"));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().contains("not allowed"), "{}", findings[0]);
    }
}
