//! A request that can be made more than once, here or elsewhere.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use pactum_api::{Reason, error};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tonic_types::StatusExt as _;

use super::Attempt;

/// On a request that another instance sent on: it is not sent on again.
pub(crate) const FORWARDED: HeaderName = HeaderName::from_static("pactum-forwarded");

/// On the answer to such a request: nothing was appended, whoever asked may ask another.
pub(crate) const NOT_OWNER: HeaderName = HeaderName::from_static("pactum-not-owner");

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// What gRPC puts in front of a message.
const FRAME: usize = 5;

/// A request with one message, kept until it has its answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    pub(crate) message: Bytes,
    pub(crate) deadline: Instant,
    /// It was sent to an owner whose answer did not come: it may have taken effect.
    pub(crate) doubtful: bool,
}

impl Call {
    /// A request that was not sent anywhere yet.
    pub(crate) fn new(parts: Parts, message: Bytes, deadline: Instant) -> Self {
        Self { parts, message, deadline, doubtful: false }
    }

    /// What the service here answered, as far as it is [`certain`] of the request.
    pub(crate) fn certain_response(&self, response: Response<Body>) -> Response<Body> {
        // Nearly always: nothing is read then.
        if !self.doubtful {
            return response;
        }
        let failure = Status::from_header_map(response.headers()).filter(says_nothing_appended);
        failure.map_or(response, |_| error::outcome_unknown().into_http())
    }

    /// Reads the request whole.
    pub(crate) async fn read(request: Request<Body>, deadline: Instant, limit: usize) -> Result<Self, Status> {
        let (parts, body) = request.into_parts();
        // A little more than may be, so that the service itself says what is too large.
        let whole = Limited::new(body, limit + FRAME + 1).collect().await;
        let message = match whole {
            Ok(whole) => whole.to_bytes(),
            Err(failure) if failure.is::<http_body_util::LengthLimitError>() => {
                return Err(error::message_too_large(&format!("it has over {limit} bytes")));
            }
            Err(failure) => return Err(Status::from_error(failure)),
        };
        Ok(Self::new(parts, message, deadline))
    }

    /// The request, for the service here.
    pub(crate) fn here(&self, attempt: &Attempt) -> Request<Body> {
        let mut request = Request::from_parts(self.parts.clone(), Body::new(Full::new(self.message.clone())));
        // A caller that sets no deadline is not given one here: watching it would cost every command a timer.
        if request.headers().contains_key(TIMEOUT) {
            request.headers_mut().insert(TIMEOUT, self.timeout());
        }
        request.extensions_mut().insert(attempt.clone());
        request
    }

    /// The request for another instance, over `body`: with everything that the caller said about it but its way here.
    pub(crate) fn elsewhere(&self, body: Body, hops: u8) -> Request<Body> {
        let mut request = Request::from_parts(self.parts.clone(), body);
        *request.extensions_mut() = http::Extensions::new();
        *request.uri_mut() = path_of(request.uri());
        let headers = request.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.remove(http::header::HOST);
        headers.insert(TIMEOUT, self.timeout());
        headers.insert(FORWARDED, HeaderValue::from(u16::from(hops)));
        request
    }

    /// How often the request was sent on.
    pub(crate) fn hops(&self) -> u8 {
        hops(&self.parts.headers)
    }

    /// What is left of the caller's patience.
    fn timeout(&self) -> HeaderValue {
        timeout(self.deadline.saturating_duration_since(Instant::now()))
    }
}

/// What a failure comes to for a request that may have taken effect before: one that says that nothing was appended is true of
/// the attempt that met it, and not known of the request.
pub(crate) fn certain(failure: Status, doubtful: bool) -> Status {
    if doubtful && says_nothing_appended(&failure) { error::outcome_unknown() } else { failure }
}

/// Whether it is one of [`Reason::NOTHING_APPENDED`].
pub(crate) fn says_nothing_appended(failure: &Status) -> bool {
    failure.get_details_error_info().is_some_and(|info| Reason::says_nothing_appended(&info.reason))
}

/// How often a request was sent on. What cannot be read was sent on often enough.
pub(crate) fn hops(headers: &HeaderMap) -> u8 {
    headers.get(FORWARDED).map_or(0, |hops| hops.to_str().ok().and_then(|hops| hops.parse().ok()).unwrap_or(u8::MAX))
}

/// A URI's path alone: the channel knows the rest.
pub(crate) fn path_of(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map(Uri::from).unwrap_or_default()
}

/// A message as gRPC frames it.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut framed = Vec::with_capacity(FRAME + message.len());
    framed.push(0);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

/// The first message of a body, unless it is compressed, which nobody here asks for.
pub(crate) fn unframe(body: &[u8]) -> Option<&[u8]> {
    let (head, rest) = body.split_at_checked(FRAME)?;
    let [0, length @ ..] = head else { return None };
    rest.get(..u32::from_be_bytes(length.try_into().ok()?) as usize)
}

/// At most eight digits: milliseconds reach over a day.
fn timeout(left: Duration) -> HeaderValue {
    let millis = left.as_millis().min(99_999_999);
    HeaderValue::from_str(&format!("{millis}m")).expect("digits and a letter can be in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_holds_its_message() {
        for message in [&b""[..], b"x", &[7; 70_000]] {
            assert_eq!(unframe(&frame(message)), Some(message));
        }
        for broken in [&b""[..], b"\0\0\0\0", b"\0\0\0\0\x02x", b"\x01\0\0\0\x01x"] {
            assert_eq!(unframe(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn what_may_have_taken_effect_is_not_said_to_have_had_none() {
        use pactum_api::error::{not_decided, not_found, outcome_unknown, queue_full};
        for nothing in [not_decided(), queue_full(Duration::ZERO)] {
            assert_eq!(certain(nothing.clone(), false).message(), nothing.message());
            assert_eq!(certain(nothing, true).message(), outcome_unknown().message());
        }
        assert_eq!(certain(not_found("deal", "d"), true).code(), tonic::Code::NotFound);
    }

    #[test]
    fn hops_that_cannot_be_read_are_many() {
        let mut headers = HeaderMap::new();
        assert_eq!(hops(&headers), 0);
        for (text, expected) in [("1", 1), ("2", 2), ("-1", u8::MAX), ("many", u8::MAX), ("300", u8::MAX)] {
            headers.insert(FORWARDED, HeaderValue::from_static(text));
            assert_eq!(hops(&headers), expected, "{text}");
        }
    }
}
