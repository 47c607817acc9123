//! What a request says, as a hash, so that a request id that comes again can be told from one that is used twice.

use bytes::Buf;
use pactum_events::Request;
use pactum_ids::RequestId;
use prost::encoding::{DecodeContext, decode_key, skip_field};
use sha2::{Digest, Sha256};

/// The number of `validate_only` in every request of the contract. It says how to answer, not what is asked.
const VALIDATE_ONLY: u32 = 3;

/// Hashes what a request says, from its message encoded anew: two encodings of one message may differ in bytes, but not
/// those that one encoder makes of it.
pub(crate) fn identify(id: RequestId, path: &str, encoded: &[u8]) -> Request {
    let mut hasher = Sha256::new();
    // The method too: two kinds of request may have the same bytes.
    hasher.update(path.as_bytes());
    hasher.update([0]);
    let mut rest = encoded;
    while rest.has_remaining() {
        let field = rest;
        let skipped = decode_key(&mut rest).and_then(|(tag, wire_type)| {
            skip_field(wire_type, tag, &mut rest, DecodeContext::default())?;
            Ok(tag)
        });
        let tag = skipped.expect("an encoder's own bytes can be decoded");
        if tag != VALIDATE_ONLY {
            hasher.update(&field[..field.len() - rest.len()]);
        }
    }
    let digest = hasher.finalize();
    let mut content_hash = [0; 16];
    content_hash.copy_from_slice(&digest[..16]);
    Request { id, content_hash }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use pactum_api::proto::deal::v1::{LoseDealRequest, ReopenDealRequest};
    use prost::Message;

    fn hash(path: &str, request: &impl Message) -> [u8; 16] {
        identify(RequestId::new("r-1").unwrap(), path, &request.encode_to_vec()).content_hash
    }

    #[test]
    fn tells_requests_apart_by_all_they_say() {
        let lose = LoseDealRequest {
            name: "programs/acme/deals/d".into(),
            request_id: "r-1".into(),
            reason: "price".into(),
            ..LoseDealRequest::default()
        };
        let first = hash("/Lose", &lose);
        assert_eq!(first, hash("/Lose", &lose.clone()));
        let others = [
            LoseDealRequest { name: "programs/acme/deals/e".into(), ..lose.clone() },
            LoseDealRequest { reason: "time".into(), ..lose.clone() },
            LoseDealRequest { closed_on: "2026-01-01".into(), ..lose.clone() },
            LoseDealRequest { etag: "3".into(), ..lose.clone() },
        ];
        for other in others {
            assert_ne!(first, hash("/Lose", &other), "{other:?}");
        }
        let reopen = ReopenDealRequest {
            name: lose.name.clone(),
            request_id: lose.request_id.clone(),
            reason: lose.reason.clone(),
            ..ReopenDealRequest::default()
        };
        assert_eq!(lose.encode_to_vec(), reopen.encode_to_vec());
        assert_ne!(first, hash("/Reopen", &reopen));
    }

    #[test]
    fn to_validate_and_to_do_are_one_request() {
        let lose = LoseDealRequest { name: "programs/acme/deals/d".into(), ..LoseDealRequest::default() };
        let checked = LoseDealRequest { validate_only: true, ..lose.clone() };
        assert_eq!(hash("/Lose", &lose), hash("/Lose", &checked));
    }
}
