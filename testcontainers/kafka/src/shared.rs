//! One broker for all the tests of a process.

use tokio::sync::OnceCell;

use crate::cluster::Kafka;
use crate::error::Error;
use crate::options::Options;

static SHARED: OnceCell<Kafka> = OnceCell::const_new();

/// One plaintext broker, started by whoever asks first and ended with the process. Its logs are kept if a test panics. Give
/// topics names of your own, and do nothing to the broker itself.
///
/// # Errors
/// As [`Kafka::start`]; the next call tries again.
pub async fn shared() -> Result<&'static Kafka, Error> {
    SHARED
        .get_or_try_init(|| async {
            let kafka = Kafka::start(Options::default()).await?;
            keep_logs_of_failed_tests();
            Ok(kafka)
        })
        .await
}

/// What is static is never dropped, so a panic itself has to be heard.
fn keep_logs_of_failed_tests() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        if let Some(kafka) = SHARED.get() {
            kafka.keep_logs_and_tell();
        }
    }));
}
