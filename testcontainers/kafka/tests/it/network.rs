//! Networks that are cut.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use pactum_testcontainers::{Kafka, Options};

use crate::speech::{answer, api_versions, ask, request};

const SILENCE: Duration = Duration::from_millis(700);
const SOON: Duration = Duration::from_secs(30);

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

/// The ports that a broker tells who asks on this connection.
fn told_ports(stream: &mut TcpStream) -> Vec<u16> {
    // Metadata 4: throttle time, then brokers of id, host, port, rack.
    let answer = ask(stream, &request(3, 4, &[0, 0, 0, 0, 0])).unwrap();
    let number = |at: usize| i32::from_be_bytes(answer[at..at + 4].try_into().unwrap());
    let mut at = 8;
    let mut ports = Vec::new();
    for _ in 0..number(4) {
        let host = usize::from(u16::from_be_bytes([answer[at + 4], answer[at + 5]]));
        ports.push(u16::try_from(number(at + 6 + host)).unwrap());
        at += 6 + host + 4 + 2;
    }
    ports
}

#[tokio::test]
async fn a_path_is_cut_while_others_are_not() {
    let kafka = Kafka::start(Options { network_paths: 2, ..Options::default() }).await.unwrap();
    let (cut, other) = (kafka.path(0), kafka.path(1));
    let address = cut.proxy(0).address();
    assert_eq!(cut.bootstrap(), address.to_string());
    let mut through = connect(address);
    assert_eq!(told_ports(&mut through), [address.port()], "the broker sends clients around the proxy");
    let mut beside = connect(other.proxy(0).address());
    assert_eq!(told_ports(&mut beside), [other.proxy(0).address().port()]);

    cut.cut();
    through.set_read_timeout(Some(SILENCE)).unwrap();
    let silence = ask(&mut through, &api_versions()).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "not silence: {silence}");
    let mut late = connect(address);
    late.set_read_timeout(Some(SILENCE)).unwrap();
    ask(&mut late, &api_versions()).unwrap_err();
    assert_eq!(told_ports(&mut beside).len(), 1);

    cut.heal();
    for stream in [&mut through, &mut late] {
        stream.set_read_timeout(Some(SOON)).unwrap();
        answer(stream).unwrap();
    }

    cut.delay(Duration::from_millis(200));
    let begin = Instant::now();
    ask(&mut through, &api_versions()).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(400), "no delay in each direction: {:?}", begin.elapsed());
    cut.heal();

    cut.reset();
    let closed = ask(&mut through, &api_versions()).unwrap_err();
    assert!(!matches!(closed.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "not closed: {closed}");
    assert_eq!(told_ports(&mut connect(address)).len(), 1);
}

#[test]
fn a_proxy_waits_for_nobody_when_dropped() {
    let proxy = pactum_testcontainers::Proxy::to("127.0.0.1:9").unwrap();
    proxy.cut();
    let _held = connect(proxy.address());
    let begin = Instant::now();
    drop(proxy);
    assert!(begin.elapsed() < SOON);
}
