//! Instances share the partitions, and know of each other.

use crate::kafka_support::{PATIENCE, make_topic, on, on_shared, until};
use pactum_log::kafka::{Group, KafkaOptions};
use pactum_testcontainers::{Kafka, Options};
use std::collections::BTreeSet;

fn assigned(group: &Group) -> BTreeSet<u32> {
    group.assigned().borrow().clone()
}

fn addresses(group: &Group) -> Vec<String> {
    group.members().borrow().iter().map(|member| member.address.clone()).collect()
}

fn join(options: &KafkaOptions, address: &str) -> Group {
    Group::join(options, &options.topic, address).unwrap()
}

#[tokio::test]
async fn two_share_and_the_one_that_stays_takes_all() {
    const BOTH: [&str; 2] = ["10.0.0.7:7400", "[::1]:7400"];
    let options = on_shared().await;
    make_topic(&options, 4, 1).await;
    let all: BTreeSet<u32> = (0..4).collect();

    let first = join(&options, BOTH[0]);
    until("the first takes all", || assigned(&first) == all).await;
    until("the first is listed", || addresses(&first) == [BOTH[0]]).await;

    let second = join(&options, BOTH[1]);
    let half = || assigned(&first).len() == 2 && assigned(&second).len() == 2;
    until("each has half", || half() && assigned(&first).is_disjoint(&assigned(&second))).await;
    until("both are listed to the first", || addresses(&first) == BOTH).await;
    until("both are listed to the second", || addresses(&second) == BOTH).await;

    first.leave().await;
    assert!(assigned(&first).is_empty(), "nothing is left to one who left");
    until("the second takes all", || assigned(&second) == all).await;
    until("the second is alone", || addresses(&second) == [BOTH[1]]).await;
    first.leave().await;

    // Without a word, too.
    let third = join(&options, BOTH[0]);
    until("the third gets some", || assigned(&third).len() == 2).await;
    drop(second);
    until("the third takes all", || assigned(&third) == all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_outlives_every_broker_in_turn() {
    let kafka = Kafka::start(Options { brokers: 3, ..Options::default() }).await.unwrap();
    let options = on(kafka.bootstrap());
    make_topic(&options, 4, 3).await;
    let (first, second) = (join(&options, "10.0.0.1:7400"), join(&options, "10.0.0.2:7400"));
    let half = || assigned(&first).len() == 2 && assigned(&second).len() == 2;
    until("each has half", half).await;
    for broker in kafka.brokers() {
        broker.kill().await.unwrap();
        broker.start().await.unwrap();
        kafka.whole(PATIENCE).await.unwrap();
    }
    until("each has half again", || half() && assigned(&first).is_disjoint(&assigned(&second))).await;
    until("both are listed", || addresses(&first).len() == 2).await;
    first.leave().await;
    until("the second takes all", || assigned(&second).len() == 4).await;
}
