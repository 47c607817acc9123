//! Who is in the group.

use super::client::Client;
use super::{KafkaError, KafkaOptions, Member, measures};
use rdkafka::consumer::Consumer;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::watch;

/// How often the members are listed.
const EVERY: Duration = Duration::from_secs(1);
/// How long a listing may take. With a broker down it fails, because the library asks all of them; the list stays as it was.
const PATIENCE: Duration = Duration::from_secs(2);

/// Stands between what the client is called and where it is reached. No address contains it.
const MARK: char = '@';

/// The client id that tells a member's address.
pub(super) fn client_id(name: &str, address: &str) -> String {
    format!("{name}{MARK}{address}")
}

fn address(client_id: &str) -> Option<&str> {
    client_id.rsplit_once(MARK).map(|(_, address)| address).filter(|address| !address.is_empty())
}

/// Lists the members of a group again and again, until `stop` is dropped.
pub(super) struct Members {
    pub(super) client: Client,
    pub(super) group: String,
    pub(super) listed: watch::Sender<Vec<Member>>,
}

impl Members {
    pub(super) fn start(self, options: &KafkaOptions, stop: Receiver<()>) -> Result<(), KafkaError> {
        let topic = options.topic.clone();
        let run = move || {
            // The library lists nothing before it has learnt who the brokers are.
            while self.client.consumer.fetch_metadata(Some(&topic), PATIENCE).is_err() {
                if stop.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
            loop {
                self.list();
                if stop.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("kafka-members".into());
        thread.spawn(run).map_err(|error| KafkaError::Client { reason: format!("start a thread: {error}") })?;
        Ok(())
    }

    fn list(&self) {
        let groups = match self.client.consumer.fetch_group_list(Some(&self.group), PATIENCE) {
            Ok(groups) => groups,
            Err(error) => {
                tracing::debug!(group = self.group, %error, "cannot list the group's members; keeping the last list");
                return;
            }
        };
        let clients = groups.groups().iter().filter(|group| group.name() == self.group);
        let mut members: Vec<Member> = clients
            .flat_map(|group| group.members())
            .filter_map(|member| address(member.client_id()))
            .map(|address| Member { address: address.to_owned() })
            .collect();
        members.sort();
        members.dedup();
        measures::members(members.len());
        self.listed.send_if_modified(|last| {
            let changed = *last != members;
            *last = members;
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_the_client_id_whatever_the_name() {
        for name in ["pactum", "a@b", ""] {
            for at in ["10.0.0.7:7400", "[::1]:7400", "host.example:7400"] {
                assert_eq!(address(&client_id(name, at)), Some(at));
            }
        }
        assert_eq!(address("kafka-console"), None);
        assert_eq!(address("pactum@"), None);
    }
}
