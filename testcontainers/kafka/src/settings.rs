//! What a broker is told in its properties file.

use std::collections::BTreeMap;
use std::path::Path;

use crate::certificates::Certificates;
use crate::options::{Options, Security};

/// Where Kafka has the modules that check who logs in.
const MODULES: &str = "org.apache.kafka.common.security";

/// The ports of one broker.
#[derive(Debug, Clone)]
pub(crate) struct Listeners {
    /// Among controllers.
    pub controller: u16,
    /// Among brokers, and for the fixture's own questions. Always plaintext; clients never hear of it.
    pub internal: u16,
    /// For clients.
    pub client: u16,
    /// For clients that come through a proxy, one a network path: where the broker listens, and the proxy's port, which it
    /// tells them.
    pub proxied: Vec<(u16, u16)>,
}

/// The properties file of broker `id`, from 1.
pub(crate) fn render(
    options: &Options,
    id: u32,
    all: &[Listeners],
    data: &Path,
    certificates: Option<&Certificates>,
) -> String {
    let own = &all[id as usize - 1];
    let mut settings = Settings::default();
    settings.node(id, all, data);
    settings.listeners(&options.security, own);
    settings.durability(options.brokers);
    settings.pace();
    settings.size();
    if let Some(certificates) = certificates {
        settings.tls(&options.security, certificates);
    }
    settings.0.extend(options.broker_settings.iter().cloned());
    // The format escapes with backslashes, and so must we.
    settings.0.iter().map(|(name, value)| format!("{name}={}\n", value.replace('\\', "\\\\"))).collect()
}

#[derive(Default)]
struct Settings(BTreeMap<String, String>);

impl Settings {
    fn set(&mut self, name: &str, value: impl ToString) {
        self.0.insert(name.to_owned(), value.to_string());
    }

    fn node(&mut self, id: u32, all: &[Listeners], data: &Path) {
        let voters: Vec<String> =
            (1..).zip(all).map(|(id, other)| format!("{id}@127.0.0.1:{}", other.controller)).collect();
        self.set("process.roles", "broker,controller");
        self.set("node.id", id);
        self.set("controller.quorum.voters", voters.join(","));
        self.set("log.dirs", data.display());
    }

    fn listeners(&mut self, security: &Security, own: &Listeners) {
        let (protocol, sasl) = match security {
            Security::Plaintext => ("PLAINTEXT", Vec::new()),
            Security::Tls | Security::MutualTls => ("SSL", Vec::new()),
            Security::SaslPassword { username, password } => (
                "SASL_SSL",
                vec![
                    ("SCRAM-SHA-512", format!("{MODULES}.scram.ScramLoginModule required;")),
                    ("PLAIN", format!("{MODULES}.plain.PlainLoginModule required user_{username}=\"{password}\";")),
                ],
            ),
            // Without a validator of its own the broker takes unsigned tokens, which is what tests can mint.
            Security::SaslOauthBearer => {
                ("SASL_SSL", vec![("OAUTHBEARER", format!("{MODULES}.oauthbearer.OAuthBearerLoginModule required;"))])
            }
        };
        let mut listeners = vec![
            format!("CONTROLLER://127.0.0.1:{}", own.controller),
            format!("INTERNAL://127.0.0.1:{}", own.internal),
        ];
        let mut advertised = vec![format!("INTERNAL://127.0.0.1:{}", own.internal)];
        let mut protocols = vec!["CONTROLLER:PLAINTEXT".to_owned(), "INTERNAL:PLAINTEXT".to_owned()];
        let direct = ("CLIENT".to_owned(), own.client, own.client);
        let proxied = (0..).zip(&own.proxied).map(|(index, (port, proxy))| (format!("PATH{index}"), *port, *proxy));
        for (name, port, told) in std::iter::once(direct).chain(proxied) {
            listeners.push(format!("{name}://127.0.0.1:{port}"));
            advertised.push(format!("{name}://127.0.0.1:{told}"));
            protocols.push(format!("{name}:{protocol}"));
            let prefix = format!("listener.name.{}", name.to_lowercase());
            for (mechanism, module) in &sasl {
                self.set(&format!("{prefix}.{}.sasl.jaas.config", mechanism.to_lowercase()), module);
            }
            if !sasl.is_empty() {
                let mechanisms: Vec<_> = sasl.iter().map(|(mechanism, _)| *mechanism).collect();
                self.set(&format!("{prefix}.sasl.enabled.mechanisms"), mechanisms.join(","));
            }
        }
        self.set("listeners", listeners.join(","));
        self.set("advertised.listeners", advertised.join(","));
        self.set("listener.security.protocol.map", protocols.join(","));
        self.set("controller.listener.names", "CONTROLLER");
        self.set("inter.broker.listener.name", "INTERNAL");
    }

    fn tls(&mut self, security: &Security, certificates: &Certificates) {
        self.set("ssl.keystore.type", "PEM");
        self.set("ssl.keystore.location", certificates.broker_file.display());
        self.set("ssl.truststore.type", "PEM");
        self.set("ssl.truststore.location", certificates.ca_file.display());
        self.set("ssl.client.auth", if *security == Security::MutualTls { "required" } else { "none" });
    }

    /// As a careful operator would set a cluster of this size, so that what is tested is what is recommended.
    fn durability(&mut self, brokers: u32) {
        let in_sync = if brokers > 2 { 2 } else { 1 };
        self.set("default.replication.factor", brokers);
        self.set("min.insync.replicas", in_sync);
        self.set("offsets.topic.replication.factor", brokers);
        self.set("transaction.state.log.replication.factor", brokers);
        self.set("transaction.state.log.min.isr", in_sync);
        self.set("share.coordinator.state.topic.replication.factor", brokers);
        self.set("share.coordinator.state.topic.min.isr", in_sync);
        self.set("unclean.leader.election.enable", false);
        self.set("auto.create.topics.enable", false);
    }

    /// Quick where the defaults wait: for a broker or a controller that may yet answer, and for more members of a group. With
    /// these a killed broker is out of the cluster after 1.5 s, and one that was the controller after 2.5 s; with the defaults
    /// it takes 9 s.
    fn pace(&mut self) {
        self.set("broker.session.timeout.ms", 1500);
        self.set("broker.heartbeat.interval.ms", 400);
        self.set("controller.quorum.fetch.timeout.ms", 1000);
        self.set("controller.quorum.election.timeout.ms", 500);
        self.set("controller.quorum.election.backoff.max.ms", 250);
        self.set("group.initial.rebalance.delay.ms", 0);
        self.set("group.min.session.timeout.ms", 500);
    }

    /// Small where the defaults are for large machines.
    fn size(&mut self) {
        self.set("offsets.topic.num.partitions", 1);
        self.set("transaction.state.log.num.partitions", 1);
        self.set("share.coordinator.state.topic.num.partitions", 1);
        self.set("num.network.threads", 2);
        self.set("num.io.threads", 4);
        self.set("background.threads", 2);
        self.set("log.cleaner.dedupe.buffer.size", 8 << 20);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(options: &Options) -> String {
        let ports = |first| Listeners {
            controller: first,
            internal: first + 1,
            client: first + 2,
            proxied: (0..options.network_paths as u16).map(|path| (first + 10 + path, first + 20 + path)).collect(),
        };
        let all: Vec<_> = (0..options.brokers).map(|index| ports(100 * (index as u16 + 1))).collect();
        render(options, options.brokers, &all, Path::new("/data"), None)
    }

    fn assert_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "{line} is missing from\n{text}");
        }
    }

    #[test]
    fn three_brokers_know_each_other_and_keep_what_they_acknowledge() {
        assert_lines(
            &rendered(&Options { brokers: 3, ..Options::default() }),
            &[
                "node.id=3",
                "controller.quorum.voters=1@127.0.0.1:100,2@127.0.0.1:200,3@127.0.0.1:300",
                "advertised.listeners=INTERNAL://127.0.0.1:301,CLIENT://127.0.0.1:302",
                "default.replication.factor=3",
                "min.insync.replicas=2",
            ],
        );
    }

    #[test]
    fn who_comes_through_a_proxy_is_told_the_proxys_port_and_asked_for_the_same() {
        let security = Security::SaslPassword { username: "u".into(), password: "p".into() };
        assert_lines(
            &rendered(&Options { network_paths: 1, security, ..Options::default() }),
            &[
                "advertised.listeners=INTERNAL://127.0.0.1:101,CLIENT://127.0.0.1:102,PATH0://127.0.0.1:120",
                "listeners=CONTROLLER://127.0.0.1:100,INTERNAL://127.0.0.1:101,CLIENT://127.0.0.1:102,PATH0://127.0.0.1:110",
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,CLIENT:SASL_SSL,PATH0:SASL_SSL",
                "listener.name.path0.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN",
            ],
        );
    }

    #[test]
    fn what_the_test_says_goes_before() {
        let broker_settings = vec![("num.io.threads".to_owned(), "1".to_owned())];
        let text = rendered(&Options { broker_settings, ..Options::default() });
        let found: Vec<_> = text.lines().filter(|line| line.starts_with("num.io.threads=")).collect();
        assert_eq!(found, ["num.io.threads=1"]);
    }
}
