//! What the log on Kafka tells about itself; the names are listed at the module.

use metrics::{Counter, counter, gauge};
use rdkafka::statistics::{Partition, Statistics};

pub(super) fn failed_entry() {
    counter!("pactum_kafka_failed_entries_total").increment(1);
}

/// Kept by whoever counts: it counts with every read.
pub(super) fn acknowledged() -> Counter {
    counter!("pactum_kafka_reader_acknowledged_entries_total")
}

/// A reader that fetches nothing is told nothing of its lag, and has none.
pub(super) fn caught_up(partition: crate::Partition) {
    let label = partition.to_string();
    gauge!("pactum_kafka_reader_lag_entries", "partition" => label.clone()).set(0.0);
    gauge!("pactum_kafka_reader_queue_entries", "partition" => label).set(0.0);
}

pub(super) fn producer_restarted() {
    counter!("pactum_kafka_producer_restarts_total").increment(1);
}

pub(super) fn assigned(partitions: usize) {
    gauge!("pactum_kafka_group_partitions").set(precise(partitions as u64));
}

pub(super) fn members(count: usize) {
    gauge!("pactum_kafka_group_members").set(precise(count as u64));
}

/// Publishes what a client says of itself.
pub(super) fn publish(statistics: &Statistics) {
    let is_producer = statistics.client_type == "producer";
    if is_producer {
        let producer = || statistics.name.clone();
        gauge!("pactum_kafka_producer_queue_entries", "producer" => producer()).set(precise(statistics.msg_cnt));
        gauge!("pactum_kafka_producer_queue_bytes", "producer" => producer()).set(precise(statistics.msg_size));
    }
    for broker in statistics.brokers.values().filter(|broker| broker.nodeid >= 0 && broker.source != "logical") {
        let label = broker.nodeid.to_string();
        gauge!("pactum_kafka_broker_up", "broker" => label.clone()).set(f64::from(u8::from(broker.state == "UP")));
        if let Some(rtt) = broker.rtt.as_ref().filter(|rtt| rtt.cnt > 0) {
            gauge!("pactum_kafka_broker_rtt_seconds", "broker" => label).set(rtt.avg as f64 / 1e6);
        }
    }
    if is_producer {
        return;
    }
    for partition in statistics.topics.values().flat_map(|topic| topic.partitions.values()) {
        if let Some(lag) = lag(partition) {
            let label = partition.partition.to_string();
            gauge!("pactum_kafka_reader_lag_entries", "partition" => label.clone()).set(precise(lag));
            let queue = u64::try_from(partition.fetchq_cnt).unwrap_or(0);
            gauge!("pactum_kafka_reader_queue_entries", "partition" => label).set(precise(queue));
        }
    }
}

/// How far what was given out is behind the end, if this client reads the partition.
fn lag(partition: &Partition) -> Option<u64> {
    let (end, given) = (u64::try_from(partition.hi_offset).ok()?, u64::try_from(partition.app_offset).ok()?);
    Some(end.saturating_sub(given))
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats; a few in 2^52 do not matter")]
fn precise(value: u64) -> f64 {
    value as f64
}
