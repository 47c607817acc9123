//! Bodies for requests to other instances.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// A message that notes whether the transport took it. What was not taken was certainly not received.
#[derive(Debug)]
pub(crate) struct Noted {
    bytes: Option<Bytes>,
    taken: Arc<AtomicBool>,
}

impl Noted {
    /// The body, and whether it was taken.
    pub(crate) fn new(bytes: Bytes) -> (Self, Arc<AtomicBool>) {
        let taken = Arc::new(AtomicBool::new(false));
        (Self { bytes: Some(bytes), taken: Arc::clone(&taken) }, taken)
    }
}

impl http_body::Body for Noted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.taken.store(true, Ordering::Release);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// A body that can be had back as long as the transport has taken nothing of it.
#[derive(Clone, Debug)]
pub(crate) struct Lent(Arc<Mutex<Loan>>);

#[derive(Debug)]
struct Loan {
    body: Body,
    touched: bool,
}

impl Lent {
    pub(crate) fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(Loan { body, touched: false })))
    }

    /// The body again; `None` where something of it was taken.
    pub(crate) fn take_back(&self) -> Option<Body> {
        let mut loan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!loan.touched).then(|| std::mem::take(&mut loan.body))
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut loan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = Pin::new(&mut loan.body).poll_frame(context);
        loan.touched |= polled.is_ready();
        polled
    }
}

/// Another instance's answer to a stream, whose breaking off is told in this API's words rather than as a broken connection.
#[derive(Debug)]
pub(crate) struct Told {
    inner: Option<Body>,
}

impl Told {
    pub(crate) fn new(inner: Body) -> Self {
        Self { inner: Some(inner) }
    }
}

impl http_body::Body for Told {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        match std::task::ready!(Pin::new(inner).poll_frame(context)) {
            Some(Err(_)) => {
                self.inner = None;
                let status = pactum_api::error::not_serving(
                    "the owner of the program broke off; for requests without an answer the outcome is unknown, repeat them \
                     with the same request ids",
                );
                let head: http::Response<Body> = status.into_http();
                Poll::Ready(Some(Ok(Frame::trailers(head.into_parts().0.headers))))
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}
