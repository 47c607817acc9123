//! The two requests of Kafka's protocol that the fixture needs, so that no client library is needed to tell how a cluster is.
//!
//! Metadata (in version 4, the plainest that Kafka 4 still speaks): which brokers take part, who leads, who is in sync.
//! DescribeQuorum: which node is the active controller, as metadata name just any broker for that. Both go over a listener
//! that takes plaintext whatever clients have to speak.

use std::io::{Error, ErrorKind, Result};
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const METADATA: (i16, i16) = (3, 4);
const DESCRIBE_QUORUM: (i16, i16) = (55, 0);
/// The log of the controllers, which the active one leads.
const CONTROLLERS_TOPIC: &[u8] = b"__cluster_metadata";
const WITHIN: Duration = Duration::from_secs(2);
const MAX_ANSWER: usize = 16 << 20;

/// What a broker knows of its cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// The brokers that take part.
    pub brokers: Vec<i32>,
    /// The partitions of the topics asked for, in no order.
    pub partitions: Vec<Partition>,
}

/// A partition of whatever topic was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    pub id: i32,
    /// `None` while nobody leads it.
    pub leader: Option<i32>,
    pub replicas: usize,
    pub in_sync: usize,
}

/// What a question is about, besides the brokers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topics<'a> {
    None,
    One(&'a str),
    All,
}

/// Asks the broker on `port`.
pub(crate) async fn metadata(port: u16, topics: Topics<'_>) -> Result<Metadata> {
    ask(port, metadata_request(topics), parse_metadata).await
}

/// The id of the active controller; `None` while the broker on `port` does not know it.
pub(crate) async fn controller(port: u16) -> Result<Option<i32>> {
    ask(port, quorum_request(), parse_quorum).await
}

async fn ask<T>(port: u16, request: Vec<u8>, parse: impl Fn(&[u8]) -> Option<T>) -> Result<T> {
    let answer = tokio::time::timeout(WITHIN, exchange(port, request))
        .await
        .map_err(|_| Error::new(ErrorKind::TimedOut, format!("no answer from port {port} within {WITHIN:?}")))??;
    parse(&answer).ok_or_else(|| Error::new(ErrorKind::InvalidData, format!("port {port} answered with garbage")))
}

async fn exchange(port: u16, request: Vec<u8>) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(&request).await?;
    let length = usize::try_from(stream.read_i32().await?).unwrap_or(usize::MAX);
    if length > MAX_ANSWER {
        return Err(Error::new(ErrorKind::InvalidData, format!("port {port} does not speak Kafka's protocol")));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn metadata_request(topics: Topics<'_>) -> Vec<u8> {
    let count: i32 = match topics {
        Topics::None => 0,
        Topics::One(_) => 1,
        Topics::All => -1,
    };
    let mut body = count.to_be_bytes().to_vec();
    if let Topics::One(topic) = topics {
        body.extend(i16::try_from(topic.len()).unwrap_or(i16::MAX).to_be_bytes());
        body.extend(topic.as_bytes());
    }
    body.push(0); // do not create the topic
    framed(METADATA, &body)
}

/// This one is of the newer kind: lengths are one more than they say, in one byte while they are small, and every structure ends
/// with its tagged fields, of which there are none here.
fn quorum_request() -> Vec<u8> {
    let mut body = vec![0]; // the header's tagged fields
    body.extend([2, CONTROLLERS_TOPIC.len() as u8 + 1]); // one topic
    body.extend(CONTROLLERS_TOPIC);
    body.extend([2, 0, 0, 0, 0]); // one partition, 0
    body.extend([0, 0, 0]);
    framed(DESCRIBE_QUORUM, &body)
}

fn framed((key, version): (i16, i16), body: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend(key.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend(0_i32.to_be_bytes()); // correlation id: one request a connection
    request.extend((-1_i16).to_be_bytes()); // no client id
    request.extend(body);
    let mut framed = i32::try_from(request.len()).unwrap_or(i32::MAX).to_be_bytes().to_vec();
    framed.extend(request);
    framed
}

fn parse_quorum(answer: &[u8]) -> Option<Option<i32>> {
    let mut rest = Reader(answer);
    rest.i32()?; // correlation id
    rest.bytes(1)?; // tagged fields
    if rest.i16()? != 0 || rest.bytes(1)? != [2] {
        return Some(None);
    }
    let name = usize::from(*rest.bytes(1)?.first()?).checked_sub(1)?;
    rest.bytes(name)?;
    rest.bytes(1)?; // one partition
    rest.i32()?; // its number
    let error = rest.i16()?;
    let leader = rest.i32()?;
    Some(Some(leader).filter(|id| error == 0 && *id >= 0))
}

fn parse_metadata(answer: &[u8]) -> Option<Metadata> {
    let mut rest = Reader(answer);
    let mut metadata = Metadata::default();
    rest.i32()?; // correlation id
    rest.i32()?; // throttle time
    for _ in 0..rest.i32()? {
        metadata.brokers.push(rest.i32()?);
        rest.string()?; // host
        rest.i32()?; // port
        rest.string()?; // rack
    }
    rest.string()?; // cluster id
    rest.i32()?; // "controller": any broker
    for _ in 0..rest.i32()? {
        rest.i16()?; // error
        rest.string()?; // name
        rest.bytes(1)?; // is it internal
        for _ in 0..rest.i32()? {
            rest.i16()?; // error
            let id = rest.i32()?;
            let leader = Some(rest.i32()?).filter(|id| *id >= 0);
            metadata.partitions.push(Partition { id, leader, replicas: rest.ids()?, in_sync: rest.ids()? });
        }
    }
    Some(metadata)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn i16(&mut self) -> Option<i16> {
        self.bytes(2)?.try_into().ok().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.bytes(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    /// Skips the ids of brokers, and counts them.
    fn ids(&mut self) -> Option<usize> {
        let count = usize::try_from(self.i32()?).ok()?;
        self.bytes(count.checked_mul(4)?).map(|_| count)
    }

    /// Skips a string, which may be none.
    fn string(&mut self) -> Option<()> {
        let length = usize::try_from(self.i16()?).unwrap_or(0);
        self.bytes(length).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in [0, 0, 1, 7] {
            bytes.extend(i32::to_be_bytes(number)); // correlation, throttle, one broker, its id
        }
        bytes.extend([0, 1, b'h', 0, 0, 0, 9, 0xff, 0xff]); // host, port, no rack
        bytes.extend([0, 1, b'c', 0, 0, 0, 7]); // cluster, controller
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 1, b't', 0]); // one topic
        bytes.extend([0, 0, 0, 1, 0, 5, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff]); // partition 3 without a leader
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0]); // one replica, none in sync
        bytes
    }

    #[test]
    fn an_answer_is_read() {
        let partitions = vec![Partition { id: 3, leader: None, replicas: 1, in_sync: 0 }];
        let expected = Metadata { brokers: vec![7], partitions };
        assert_eq!(parse_metadata(&answer()), Some(expected));
    }

    #[test]
    fn a_cut_answer_is_refused() {
        let whole = answer();
        for length in 0..whole.len() {
            assert_eq!(parse_metadata(&whole[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn a_request_says_its_length() {
        for framed in [metadata_request(Topics::One("topic")), quorum_request()] {
            assert_eq!(framed[..4], (framed.len() as i32 - 4).to_be_bytes());
        }
    }
}
