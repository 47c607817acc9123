//! Brokers that demand encryption, a user, or a token: they are satisfied by configuration, and refusals are told apart.

use crate::kafka_support::{connect, make_topic, on, soon, until};
use crate::support::{append, number, numbered};
use pactum_log::Log;
use pactum_log::kafka::topics::{Severity, TopicSpec, check, ensure};
use pactum_log::kafka::{Group, KafkaError, KafkaLog, KafkaOptions, Mechanism, Protocol, Security};
use pactum_testcontainers::{Kafka, Options, Security as Demand, unsigned_token};
use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use std::error::Error;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

async fn demanding(security: Demand) -> Kafka {
    Kafka::start(Options { security, ..Options::default() }).await.unwrap()
}

/// Appends, reads back and asks for the end.
async fn works(log: &KafkaLog, entry: u64) {
    let end = soon("the end", log.end(0)).await.unwrap();
    let mut reader = log.reader(0, end).await.unwrap();
    append(&*log.appender(0).unwrap(), numbered(entry, 100)).await;
    assert_eq!(number(&soon("the entry", reader.next(1)).await.unwrap()[0]), entry);
}

async fn refused(options: &KafkaOptions) -> KafkaError {
    let started = Instant::now();
    let error = soon("an error", KafkaLog::connect(options.clone())).await.map(drop).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(30), "{error}: after {:?}", started.elapsed());
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls() {
    let kafka = demanding(Demand::Tls).await;
    let certificates = kafka.certificates().unwrap();
    let trusting = |ca_file| Security { protocol: Protocol::Ssl, ca_file, ..Security::default() };
    let options = KafkaOptions { security: trusting(Some(certificates.ca_file.clone())), ..on(kafka.bootstrap()) };
    make_topic(&options, 1, 1).await;
    works(&connect(&options).await, 1).await;
    assert!(check(&options).await.unwrap().iter().all(|finding| finding.severity == Severity::Warn));

    for ca_file in [Some(certificates.foreign_ca_file.clone()), None] {
        let error = refused(&KafkaOptions { security: trusting(ca_file), ..options.clone() }).await;
        assert!(matches!(error, KafkaError::Tls { .. }) && !error.is_passing(), "{error}");
    }
    let plain = KafkaOptions { security: Security::default(), connect_timeout_ms: 2000, ..options };
    let error = refused(&plain).await;
    assert!(matches!(error, KafkaError::Unreachable { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_certificate() {
    let kafka = demanding(Demand::MutualTls).await;
    let certificates = kafka.certificates().unwrap();
    let bare = Security { protocol: Protocol::Ssl, ca_file: Some(certificates.ca_file.clone()), ..Security::default() };
    let security = Security {
        certificate_file: Some(certificates.client_file.clone()),
        key_file: Some(certificates.client_key_file.clone()),
        ..bare.clone()
    };
    let options = KafkaOptions { security, ..on(kafka.bootstrap()) };
    make_topic(&options, 1, 1).await;
    works(&connect(&options).await, 1).await;
    let error = refused(&KafkaOptions { security: bare, ..options }).await;
    assert!(matches!(error, KafkaError::Tls { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_a_password() {
    let (username, password) = ("pactum".to_owned(), "correct horse".to_owned());
    let kafka = demanding(Demand::SaslPassword { username: username.clone(), password: password.clone() }).await;
    for (mechanism, entry) in [(Mechanism::ScramSha512, 1), (Mechanism::Plain, 2)] {
        let security = Security {
            protocol: Protocol::SaslSsl,
            ca_file: Some(kafka.certificates().unwrap().ca_file.clone()),
            mechanism: Some(mechanism),
            username: Some(username.clone()),
            password: Some(password.clone()),
            ..Security::default()
        };
        let options = KafkaOptions { security: security.clone(), ..on(kafka.bootstrap()) };
        make_topic(&options, 1, 1).await;
        works(&connect(&options).await, entry).await;
        assert!(check(&options).await.unwrap().iter().all(|finding| finding.severity == Severity::Warn));
        let group = Group::join(&options, "owners", "10.0.0.7:7400").unwrap();
        until("a partition is assigned", || group.assigned().borrow().len() == 1).await;
        until("the member is listed", || group.members().borrow().len() == 1).await;

        let wrong = Security { password: Some("wrong".into()), ..security };
        let error = refused(&KafkaOptions { security: wrong, ..options }).await;
        assert!(matches!(error, KafkaError::Credentials { .. }) && !error.is_passing(), "{mechanism:?}: {error}");
        assert!(!error.to_string().contains("wrong"), "a password is told: {error}");
    }
}

/// Makes topics with a token, as the library's administrator cannot, by writing to them.
struct Maker(String);

impl ClientContext for Maker {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let lifetime = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(600);
        let lifetime_ms = i64::try_from(lifetime.as_millis())?;
        Ok(OAuthToken { token: self.0.clone(), principal_name: "pactum".into(), lifetime_ms })
    }
}

impl ProducerContext for Maker {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        assert!(result.is_ok(), "the first entry makes the topic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_renewed_in_time() {
    let settings = [
        ("auto.create.topics.enable", "true"),
        ("num.partitions", "1"),
        // Connections must show a good token again before the one that they came with expires.
        ("connections.max.reauth.ms", "3600000"),
    ];
    let broker_settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let kafka = Kafka::start(Options { security: Demand::SaslOauthBearer, broker_settings, ..Options::default() });
    let kafka = kafka.await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let write = |from: SystemTime, lifetime: u64| {
        let token = unsigned_token("pactum", from, Duration::from_secs(lifetime));
        std::fs::write(&file, &token).unwrap();
        token
    };
    let ca_file = kafka.certificates().unwrap().ca_file.clone();
    let security = Security {
        protocol: Protocol::SaslSsl,
        ca_file: Some(ca_file.clone()),
        mechanism: Some(Mechanism::Oauthbearer),
        oauth_token_file: Some(file.clone()),
        ..Security::default()
    };
    let token = write(SystemTime::now(), 600);
    let options = KafkaOptions { security, ..on(kafka.bootstrap()) };
    let topic = options.topic.clone();
    let make = move || {
        let mut config = rdkafka::ClientConfig::new();
        config.set("bootstrap.servers", kafka.bootstrap()).set("security.protocol", "sasl_ssl");
        config.set("sasl.mechanism", "OAUTHBEARER").set("ssl.ca.location", ca_file.to_string_lossy());
        let maker: BaseProducer<Maker> = config.create_with_context(Maker(token)).unwrap();
        maker.send(BaseRecord::<(), [u8]>::to(&topic).payload(&[0; 8])).map_err(|(error, _)| error).unwrap();
        maker.flush(Duration::from_secs(30)).unwrap();
        kafka
    };
    let kafka = tokio::task::spawn_blocking(make).await.unwrap();

    // The first token is about to expire; the next is good for long.
    const FIRST: u64 = 5;
    let started = Instant::now();
    write(SystemTime::now(), FIRST);
    let log = connect(&options).await;
    works(&log, 1).await;
    write(SystemTime::now(), 600);
    while started.elapsed() < Duration::from_secs(FIRST + 2) {
        works(&log, 2).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let group = Group::join(&options, "owners", "10.0.0.7:7400").unwrap();
    until("a partition is assigned", || group.assigned().borrow().len() == 1).await;

    // What the library cannot do with a token is said, and does not hang.
    let findings = check(&options).await.unwrap();
    assert!(findings.iter().any(|finding| finding.why.contains("token")), "{findings:?}");
    let other = KafkaOptions { topic: format!("{}-other", options.topic), ..options.clone() };
    let spec = TopicSpec { partitions: 1, replication_factor: 1, min_insync_replicas: 1 };
    let error = soon("an error", ensure(&other, spec)).await.unwrap_err();
    assert!(matches!(error, KafkaError::InvalidOption { option: "security.mechanism", .. }), "{error}");

    write(SystemTime::now() - Duration::from_secs(100), 10);
    let error = refused(&options).await;
    assert!(matches!(&error, KafkaError::Credentials { reason } if reason.contains("expired")), "{error}");
    drop(kafka);
}
