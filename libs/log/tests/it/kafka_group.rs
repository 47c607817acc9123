//! Instances share the partitions, and know of each other.

use crate::kafka_support::{make_topic, on_shared, until};
use pactum_log::kafka::{Group, KafkaOptions};
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
