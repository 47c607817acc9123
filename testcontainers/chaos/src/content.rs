//! Digests of messages: what a request says, and what an answer shows.

use pactum_api::Caller;
use pactum_api::convert::deal_to_proto;
use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::deal::v1 as proto;
use pactum_domain::deal::Deal;
use pactum_ids::ProgramId;
use prost::Message as _;
use prost::bytes::Buf as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use sha2::{Digest as _, Sha256};

use crate::history::SeenDeal;

/// The number of `validate_only` in every request of the contract.
const VALIDATE_ONLY: u32 = 3;

/// What a request says, as the log keeps it with the request id. Computed here from the contract alone, so that the log is
/// compared with what was asked and not with what the service made of it.
pub(crate) fn hash(request: &Request) -> [u8; 16] {
    let content = request.content();
    let mut said = Sha256::new();
    said.update(request.path());
    said.update([0]);
    for (tag, bytes, _) in Fields(&content) {
        if tag != VALIDATE_ONLY {
            said.update(bytes);
        }
    }
    half(said)
}

/// Whether a request is only to be validated.
pub(crate) fn validates_only(request: &Request) -> bool {
    let content = request.content();
    Fields(&content).any(|(tag, _, value)| tag == VALIDATE_ONLY && value == Some(1))
}

/// A deal as a client recognises it.
pub(crate) fn seen(deal: &proto::Deal) -> SeenDeal {
    let digest = half(Sha256::new_with_prefix(deal.encode_to_vec()));
    SeenDeal { name: deal.name.clone(), etag: deal.etag.clone(), digest }
}

/// A deal of the model as a client would recognise it.
pub(crate) fn shown(program: &ProgramId, deal: &Deal, viewer: &Caller) -> SeenDeal {
    seen(&deal_to_proto(program, deal, viewer))
}

fn half(hasher: Sha256) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finalize()[..16]);
    half
}

/// The fields of an encoded message: number, bytes with the key, and the value where it is a varint.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, &'a [u8], Option<u64>);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.0.has_remaining() {
            return None;
        }
        let whole = self.0;
        let (tag, wire_type) = decode_key(&mut self.0).ok()?;
        let mut ahead = self.0;
        let value = if wire_type == WireType::Varint { decode_varint(&mut ahead).ok() } else { None };
        skip_field(wire_type, tag, &mut self.0, DecodeContext::default()).ok()?;
        Some((tag, &whole[..whole.len() - self.0.len()], value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pactum_api::proto::deal::v1::LoseDealRequest;

    fn lose(validate_only: bool, reason: &str) -> Request {
        let name = "programs/p/deals/d".to_owned();
        let request_id = "r".to_owned();
        Request::LoseDeal(LoseDealRequest {
            name,
            request_id,
            validate_only,
            reason: reason.into(),
            ..Default::default()
        })
    }

    #[test]
    fn to_validate_says_the_same_as_to_do() {
        assert_eq!(hash(&lose(true, "price")), hash(&lose(false, "price")));
        assert_ne!(hash(&lose(false, "price")), hash(&lose(false, "time")));
        assert!(validates_only(&lose(true, "")) && !validates_only(&lose(false, "")));
    }
}
