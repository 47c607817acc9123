//! The log that a topic holds, by the first entry of each partition.

use std::time::Duration;

use pactum_journal::entry::FORMAT;
use pactum_journal::{Entry, EntryError, Genesis};
use pactum_log::kafka::topics::{Finding, Severity};
use pactum_log::{Log, LogError, Partition};

/// How long an entry that is there may take to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a partition begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// It is empty.
    Nothing,
    /// A log's genesis.
    Genesis(Genesis),
    /// An entry that is none, and no log can begin with it.
    OtherEntry,
    /// What this program does not read.
    Unreadable(EntryError),
}

/// Reads the first entry of each partition.
pub(crate) async fn first_entries(log: &dyn Log) -> Result<Vec<First>, LogError> {
    let mut entries = Vec::new();
    for partition in 0..log.partitions() {
        let empty = log.end(partition).await? == 0;
        entries.push(if empty { First::Nothing } else { first(log, partition).await? });
    }
    Ok(entries)
}

async fn first(log: &dyn Log, partition: Partition) -> Result<First, LogError> {
    let reading = async { log.reader(partition, 0).await?.next(1).await };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    let read = read.map_err(|_| LogError::Unavailable(format!("partition {partition} cannot be read in time")))??;
    let Some(entry) = read.first() else { return Ok(First::Nothing) };
    Ok(match Entry::decode(&entry.bytes) {
        Ok(Entry::Genesis(genesis)) => First::Genesis(genesis),
        Ok(Entry::Claim(_) | Entry::Record(_)) => First::OtherEntry,
        Err(error) => First::Unreadable(error),
    })
}

/// The id of the log that is there, if there is one.
pub(crate) fn log_id(entries: &[First]) -> Option<u128> {
    entries.iter().find_map(|entry| match entry {
        First::Genesis(genesis) => Some(genesis.log_id),
        First::Nothing | First::OtherEntry | First::Unreadable(_) => None,
    })
}

/// Begins the log in every partition that is empty, with one id for all: that of the first partition, which whoever came
/// first has chosen.
pub(crate) async fn begin(log: &dyn Log) -> Result<Vec<First>, LogError> {
    let mut entries = first_entries(log).await?;
    let partitions = log.partitions();
    for partition in 0..partitions {
        if entries[partition as usize] != First::Nothing {
            continue;
        }
        let log_id = log_id(&entries).unwrap_or_else(rand::random);
        let genesis = Entry::Genesis(Genesis { log_id, partitions, format: FORMAT });
        log.appender(partition)?.append(genesis.encode())?;
        entries[partition as usize] = first(log, partition).await?;
    }
    Ok(entries)
}

/// What is wrong with the log in a topic, by what its partitions begin with.
pub(crate) fn judge(entries: &[First]) -> Vec<Finding> {
    let (id, mut findings) = (log_id(entries), Vec::new());
    let mut told_partitions = false;
    for (entry, partition) in entries.iter().zip(0_u32..) {
        let mut refuse = |setting: String, found: String, expected: String, why: &str, fix: &str| {
            let (why, fix) = (why.to_owned(), fix.to_owned());
            findings.push(Finding { setting, found, expected, severity: Severity::Refuse, why, fix });
        };
        let start = format!("the first entry of partition {partition}");
        let genesis = "the genesis of a log".to_owned();
        let foreign = "it holds something else than a log, or its beginning is gone";
        match entry {
            First::Nothing => {
                refuse(start, "missing".into(), genesis, "no log was begun in it", "run `pactum topics ensure`")
            }
            First::OtherEntry => {
                refuse(start, "another entry".into(), genesis, foreign, "name another topic with kafka.topic");
            }
            First::Unreadable(error @ EntryError::Newer { .. }) => refuse(
                start,
                error.to_string(),
                genesis,
                "a newer version of pactum wrote it",
                "use that version or a newer one",
            ),
            First::Unreadable(error) => {
                refuse(start, error.to_string(), genesis, foreign, "name another topic with kafka.topic");
            }
            First::Genesis(found) if found.format > FORMAT => refuse(
                "the log's format".into(),
                found.format.to_string(),
                format!("at most {FORMAT}"),
                "a newer version of pactum made it",
                "use that version or a newer one",
            ),
            First::Genesis(found) if Some(found.log_id) != id => refuse(
                start,
                format!("of log {:032x}", found.log_id),
                format!("of log {:032x}, as in the partitions before it", id.unwrap_or_default()),
                "two logs are mixed in the topic",
                "make a new topic and copy the log that is meant into it with `pactum log copy`",
            ),
            First::Genesis(found) if found.partitions as usize != entries.len() => {
                if !std::mem::replace(&mut told_partitions, true) {
                    refuse(
                        "partitions".into(),
                        entries.len().to_string(),
                        format!("{}, as the log was made with", found.partitions),
                        "programs would be looked for in other partitions than their own",
                        "partitions cannot be taken away: copy the log to a topic of its own with `pactum log copy`",
                    );
                }
            }
            First::Genesis(_) => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use pactum_log::memory::{MemoryLog, MemoryOptions};

    fn log(partitions: u32) -> MemoryLog {
        MemoryLog::new(&MemoryOptions { partitions, ..MemoryOptions::default() })
    }

    fn genesis(log_id: u128, partitions: u32, format: u16) -> First {
        First::Genesis(Genesis { log_id, partitions, format })
    }

    #[tokio::test]
    async fn a_log_is_begun_once_with_one_id() {
        let log = log(3);
        assert_eq!(first_entries(&log).await.unwrap(), vec![First::Nothing; 3]);
        let begun = begin(&log).await.unwrap();
        let id = log_id(&begun).unwrap();
        assert_eq!(begun, vec![genesis(id, 3, FORMAT); 3]);
        assert_eq!(begin(&log).await.unwrap(), begun);
        assert_eq!(log.end(0).await.unwrap(), 1);
        assert_eq!(judge(&begun), []);
    }

    #[tokio::test]
    async fn partitions_that_were_begun_are_joined_by_the_others() {
        let log = log(2);
        let entry = Entry::Genesis(Genesis { log_id: 7, partitions: 2, format: FORMAT });
        log.appender(1).unwrap().append(entry.encode()).unwrap();
        assert_eq!(begin(&log).await.unwrap(), vec![genesis(7, 2, FORMAT); 2]);
    }

    #[tokio::test]
    async fn foreign_bytes_are_seen() {
        let log = log(1);
        log.appender(0).unwrap().append("{\"order\": 1}".into()).unwrap();
        assert_eq!(first_entries(&log).await.unwrap(), [First::Unreadable(EntryError::Foreign)]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases: [(&[First], &str, &str); 7] = [
            (&[First::Nothing, genesis(1, 2, FORMAT)], "partition 0", "topics ensure"),
            (&[First::OtherEntry], "partition 0", "kafka.topic"),
            (&[First::Unreadable(EntryError::Foreign)], "partition 0", "kafka.topic"),
            (&[First::Unreadable(EntryError::Newer { version: 9, known: 1 })], "partition 0", "newer"),
            (&[genesis(1, 1, FORMAT + 1)], "format", "newer"),
            (&[genesis(1, 2, FORMAT), genesis(2, 2, FORMAT)], "partition 1", "log copy"),
            (&[genesis(1, 4, FORMAT), genesis(1, 4, FORMAT)], "partitions", "log copy"),
        ];
        for (entries, setting, fix) in cases {
            let findings = judge(entries);
            assert_eq!(findings.len(), 1, "{findings:?}");
            let Finding { severity, setting: named, fix: advised, .. } = &findings[0];
            assert_eq!(*severity, Severity::Refuse);
            assert!(named.contains(setting) && advised.contains(fix), "{findings:?}");
        }
    }
}
