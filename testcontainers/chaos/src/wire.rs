//! Calls as bytes: a request is sent as it was recorded, and its answer is kept as it came.

use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// How much longer than the deadline the client's own timer waits: the server is to answer first.
const GRACE: Duration = Duration::from_millis(100);

/// What every answer to a command has in common, whatever its resource: the resource as field 1, the sequence as field 2.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Answer {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) resource: Bytes,
    #[prost(uint64, tag = "2")]
    pub(crate) sequence: u64,
}

/// One unary call within a deadline, which the server is told too.
pub(crate) async fn call(
    channel: Channel,
    path: &'static str,
    authorization: &MetadataValue<Ascii>,
    body: Bytes,
    deadline: Duration,
) -> Result<Bytes, Status> {
    let calling = async {
        let mut client = tonic::client::Grpc::new(channel);
        client.ready().await.map_err(|error| Status::unavailable(format!("the channel is broken: {error}")))?;
        let mut request = Request::new(body);
        request.metadata_mut().insert("authorization", authorization.clone());
        request.set_timeout(deadline);
        let path = path.parse().map_err(|error| Status::internal(format!("{path:?} is not a path: {error}")))?;
        client.unary(request, path, AsBytes).await.map(tonic::Response::into_inner)
    };
    tokio::time::timeout(deadline + GRACE, calling)
        .await
        .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer came")))
}

struct AsBytes;

impl Codec for AsBytes {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length)))
    }
}
