//! What a broker is told in its properties file.

use std::collections::BTreeMap;
use std::path::Path;

use crate::options::Options;

/// The ports of one broker.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    /// Among controllers.
    pub controller: u16,
    /// Among brokers, and for the fixture's own questions. Always plaintext; clients never hear of it.
    pub internal: u16,
    /// For clients.
    pub client: u16,
}

/// The properties file of broker `id`, from 1.
pub(crate) fn render(options: &Options, id: u32, all: &[Listeners], data: &Path) -> String {
    let own = &all[id as usize - 1];
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    let mut set = |name: &str, value: String| {
        settings.insert(name.to_owned(), value);
    };
    let voters: Vec<String> =
        (1..).zip(all).map(|(id, other)| format!("{id}@127.0.0.1:{}", other.controller)).collect();
    set("process.roles", "broker,controller".into());
    set("node.id", id.to_string());
    set("controller.quorum.voters", voters.join(","));
    set("log.dirs", data.display().to_string());

    let advertised = format!("INTERNAL://127.0.0.1:{},CLIENT://127.0.0.1:{}", own.internal, own.client);
    set("listeners", format!("CONTROLLER://127.0.0.1:{},{advertised}", own.controller));
    set("advertised.listeners", advertised);
    set("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,CLIENT:PLAINTEXT".into());
    set("controller.listener.names", "CONTROLLER".into());
    set("inter.broker.listener.name", "INTERNAL".into());

    // As a careful operator would set a cluster of this size, so that what is tested is what is recommended.
    let replicas = options.brokers.to_string();
    let in_sync = if options.brokers > 2 { "2" } else { "1" };
    set("default.replication.factor", replicas.clone());
    set("min.insync.replicas", in_sync.into());
    set("offsets.topic.replication.factor", replicas.clone());
    set("transaction.state.log.replication.factor", replicas.clone());
    set("transaction.state.log.min.isr", in_sync.into());
    set("share.coordinator.state.topic.replication.factor", replicas);
    set("share.coordinator.state.topic.min.isr", in_sync.into());
    set("unclean.leader.election.enable", "false".into());
    set("auto.create.topics.enable", "false".into());

    // Quick where the defaults wait: a killed broker may come back at once, a group starts without waiting for more members.
    set("broker.session.timeout.ms", "1500".into());
    set("broker.heartbeat.interval.ms", "400".into());
    set("group.initial.rebalance.delay.ms", "0".into());
    set("group.min.session.timeout.ms", "500".into());

    // Small where the defaults are for large machines.
    set("offsets.topic.num.partitions", "1".into());
    set("transaction.state.log.num.partitions", "1".into());
    set("share.coordinator.state.topic.num.partitions", "1".into());
    set("num.network.threads", "2".into());
    set("num.io.threads", "4".into());
    set("background.threads", "2".into());
    set("log.cleaner.dedupe.buffer.size", "8388608".into());

    settings.extend(options.broker_settings.iter().cloned());
    // The format escapes with backslashes, and so must we.
    settings.iter().map(|(name, value)| format!("{name}={}\n", value.replace('\\', "\\\\"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(options: &Options) -> String {
        let port = |first| Listeners { controller: first, internal: first + 1, client: first + 2 };
        let all: Vec<_> = (0..options.brokers).map(|index| port(100 * (index as u16 + 1))).collect();
        render(options, options.brokers, &all, Path::new("/data"))
    }

    #[test]
    fn three_brokers_know_each_other_and_keep_what_they_acknowledge() {
        let text = rendered(&Options { brokers: 3, ..Options::default() });
        for line in [
            "node.id=3",
            "controller.quorum.voters=1@127.0.0.1:100,2@127.0.0.1:200,3@127.0.0.1:300",
            "advertised.listeners=INTERNAL://127.0.0.1:301,CLIENT://127.0.0.1:302",
            "default.replication.factor=3",
            "min.insync.replicas=2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing from\n{text}");
        }
    }

    #[test]
    fn what_the_test_says_goes_before() {
        let broker_settings = vec![("num.io.threads".to_owned(), "1".to_owned())];
        let text = rendered(&Options { broker_settings, ..Options::default() });
        assert_eq!(
            text.lines().filter(|line| line.starts_with("num.io.threads=")).collect::<Vec<_>>(),
            ["num.io.threads=1"]
        );
    }
}
