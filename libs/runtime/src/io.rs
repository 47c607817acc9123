//! A TCP connection as HTTP/2 writes to it best when messages are small.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, BufWriter, ReadBuf};
use tokio::net::TcpStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// What `h2` collects before it writes; more goes past the buffer.
const BUFFER_BYTES: usize = 16 * 1024;

/// A connection that takes one slice at a time.
///
/// Where a connection takes several slices at once, `h2` gives every message of 256 bytes or more a system call of its own;
/// where it does not, messages up to 1 KiB are copied together. Under load that is one call for dozens of answers instead
/// of one each. What is larger comes as a head and a rest, which the buffer puts together until `h2` flushes.
#[derive(Debug)]
pub struct Coalesced(BufWriter<TcpStream>);

impl From<TcpStream> for Coalesced {
    fn from(connection: TcpStream) -> Self {
        Self(BufWriter::with_capacity(BUFFER_BYTES, connection))
    }
}

impl Connected for Coalesced {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.0.get_ref().connect_info()
    }
}

impl AsyncRead for Coalesced {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

/// Vectored writes stay at the trait's default, which is not to offer them.
impl AsyncWrite for Coalesced {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
