//! The log on a real broker passes the suite.

use crate::kafka_support::{connect, make_topic, on_shared};
use async_trait::async_trait;
use pactum_log::Log;
use pactum_log::conformance::{Factory, run};
use pactum_log::kafka::KafkaOptions;
use std::sync::Arc;
use std::sync::Mutex;

/// Makes a topic for each log.
#[derive(Default)]
struct OnKafka {
    producers: usize,
    last: Mutex<Option<KafkaOptions>>,
}

impl OnKafka {
    async fn make(&self, partitions: u32, narrow: bool) -> Arc<dyn Log> {
        let mut options = KafkaOptions { producers: self.producers, ..on_shared().await };
        if narrow {
            options.queue_entries = 16;
        }
        make_topic(&options, partitions, 1).await;
        let log = connect(&options).await;
        *self.last.lock().unwrap() = Some(options);
        Arc::new(log)
    }
}

#[async_trait]
impl Factory for OnKafka {
    async fn create(&self, partitions: u32) -> Arc<dyn Log> {
        self.make(partitions, false).await
    }

    async fn create_narrow(&self) -> Option<Arc<dyn Log>> {
        Some(self.make(1, true).await)
    }

    async fn reopen(&self, log: Arc<dyn Log>) -> Option<Arc<dyn Log>> {
        drop(log);
        let options = self.last.lock().unwrap().clone()?;
        Some(Arc::new(connect(&options).await))
    }

    fn max_entry_bytes(&self) -> Option<usize> {
        Some(256 * 1024)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafka() {
    run(&OnKafka { producers: 1, ..OnKafka::default() }).await;
}

#[tokio::test]
async fn kafka_on_one_thread_with_a_producer_for_each_partition() {
    run(&OnKafka { producers: 3, ..OnKafka::default() }).await;
}
