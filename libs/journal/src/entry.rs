//! What a partition holds, and its bytes.
//!
//! Every entry starts with three bytes: the version of the encoding, a mark that tells our entries from foreign bytes, and
//! the kind. Integers are little-endian and of fixed size, so that a record costs its reader a few loads and its body is a
//! slice of what the log handed over, never a copy.
//!
//! | kind | after the three bytes |
//! |---|---|
//! | `G` genesis | log id (16), partitions (4), format (2) |
//! | `C` claim | 1 if there is a term before it else 0, that term (8), claim id (16), owner address (UTF-8, to the end) |
//! | `R` record | term (8), n (8), body (to the end) |

use bytes::{BufMut, Bytes, BytesMut};
use pactum_log::Offset;
use serde::{Deserialize, Serialize};

/// The format of a log as a whole, which its genesis names. It changes when the rule or the entries' meaning change.
pub const FORMAT: u16 = 1;

/// Bytes in front of a record's body.
pub const RECORD_HEADER: usize = PREFIX + 16;

const VERSION: u8 = 1;
const MARK: u8 = b'P';
const PREFIX: usize = 3;
const GENESIS: u8 = b'G';
const CLAIM: u8 = b'C';
const RECORD: u8 = b'R';

/// The start of a partition: which log this is and how it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// The log's identity.
    pub log_id: u128,
    /// How many partitions the log has: fixed when it was made.
    pub partitions: u32,
    /// The log's format, see [`FORMAT`].
    pub format: u16,
}

/// A writer takes the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The term that the claimant saw in force, which this claim ends.
    pub after: Option<Offset>,
    /// Chosen by the claimant, so that it knows its own claim when it reads it.
    pub claim_id: u128,
    /// Where the claimant takes commands.
    pub owner: String,
}

/// One command's whole effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The offset of the claim under which it was written.
    pub term: Offset,
    /// Its place among the records of that term, from 0.
    pub n: u64,
    /// What the state machine folds.
    pub body: Bytes,
}

/// What a partition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The start of the partition.
    Genesis(Genesis),
    /// A writer takes the partition.
    Claim(Claim),
    /// One command's effect.
    Record(Record),
}

/// Why bytes are not an entry. None of these is ever skipped: a reader that does not know what an entry means cannot know
/// what the ones after it mean.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The bytes were not written by this program.
    #[error("the bytes are not a journal entry")]
    Foreign,
    /// Written by a newer program.
    #[error("entry version {version} is newer than {known}, the newest this program reads")]
    Newer {
        /// The entry's version.
        version: u8,
        /// The newest version known here.
        known: u8,
    },
    /// A kind that this version does not have.
    #[error("unknown entry kind {0:#04x}")]
    Kind(u8),
    /// Too short, too long, or text that is not UTF-8.
    #[error("the {0} is malformed")]
    Malformed(&'static str),
}

impl Entry {
    /// The entry's bytes.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Genesis(genesis) => {
                let mut out = prefixed(GENESIS, 22);
                out.put_u128_le(genesis.log_id);
                out.put_u32_le(genesis.partitions);
                out.put_u16_le(genesis.format);
                out.freeze()
            }
            Self::Claim(claim) => {
                let mut out = prefixed(CLAIM, 25 + claim.owner.len());
                out.put_u8(u8::from(claim.after.is_some()));
                out.put_u64_le(claim.after.unwrap_or_default());
                out.put_u128_le(claim.claim_id);
                out.put_slice(claim.owner.as_bytes());
                out.freeze()
            }
            Self::Record(record) => encode_record(record.term, record.n, &record.body),
        }
    }

    /// Reads an entry; a record's body shares the memory of `bytes`.
    pub fn decode(bytes: &Bytes) -> Result<Self, EntryError> {
        let [version, mark, kind, rest @ ..] = &bytes[..] else { return Err(EntryError::Foreign) };
        if *mark != MARK || *version == 0 {
            return Err(EntryError::Foreign);
        }
        if *version > VERSION {
            return Err(EntryError::Newer { version: *version, known: VERSION });
        }
        match *kind {
            RECORD => {
                let (term, rest) = u64_le(rest).ok_or(EntryError::Malformed("record"))?;
                let (n, _) = u64_le(rest).ok_or(EntryError::Malformed("record"))?;
                Ok(Self::Record(Record { term, n, body: bytes.slice(RECORD_HEADER..) }))
            }
            CLAIM => claim(rest).map(Self::Claim).ok_or(EntryError::Malformed("claim")),
            GENESIS => genesis(rest).map(Self::Genesis).ok_or(EntryError::Malformed("genesis")),
            other => Err(EntryError::Kind(other)),
        }
    }
}

/// A record's bytes, without making a [`Record`] first: this runs once per command.
pub fn encode_record(term: Offset, n: u64, body: &[u8]) -> Bytes {
    let mut out = prefixed(RECORD, RECORD_HEADER - PREFIX + body.len());
    out.put_u64_le(term);
    out.put_u64_le(n);
    out.put_slice(body);
    out.freeze()
}

fn prefixed(kind: u8, rest: usize) -> BytesMut {
    let mut out = BytesMut::with_capacity(PREFIX + rest);
    out.put_slice(&[VERSION, MARK, kind]);
    out
}

fn u64_le(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*head), rest))
}

fn claim(bytes: &[u8]) -> Option<Claim> {
    let (flag, rest) = bytes.split_first()?;
    let (after, rest) = u64_le(rest)?;
    let (claim_id, owner) = rest.split_first_chunk::<16>()?;
    let after = match flag {
        0 => None,
        1 => Some(after),
        _ => return None,
    };
    let owner = std::str::from_utf8(owner).ok()?.to_owned();
    Some(Claim { after, claim_id: u128::from_le_bytes(*claim_id), owner })
}

fn genesis(bytes: &[u8]) -> Option<Genesis> {
    let (log_id, rest) = bytes.split_first_chunk::<16>()?;
    let (partitions, rest) = rest.split_first_chunk::<4>()?;
    let (format, rest) = rest.split_first_chunk::<2>()?;
    rest.is_empty().then(|| Genesis {
        log_id: u128::from_le_bytes(*log_id),
        partitions: u32::from_le_bytes(*partitions),
        format: u16::from_le_bytes(*format),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claim_entry() -> Entry {
        Entry::Claim(Claim { after: Some(7), claim_id: 9, owner: "a:1".into() })
    }

    /// Bytes in a log outlive the program that wrote them: these must never change.
    #[test]
    fn bytes_are_stable() {
        let genesis = Entry::Genesis(Genesis { log_id: 0x0102, partitions: 4, format: 1 });
        assert_eq!(genesis.encode()[..5], [1, b'P', b'G', 2, 1]);
        assert_eq!(genesis.encode()[19..], [4, 0, 0, 0, 1, 0]);
        assert_eq!(claim_entry().encode()[..12], [1, b'P', b'C', 1, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(claim_entry().encode()[12..], *b"\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a:1");
        assert_eq!(encode_record(3, 2, b"xy")[..], *b"\x01PR\x03\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0xy");
    }

    #[test]
    fn a_body_is_a_slice_of_what_was_read() {
        let bytes = encode_record(3, 2, b"body");
        let Ok(Entry::Record(record)) = Entry::decode(&bytes) else { panic!("a record") };
        assert_eq!(record.body.as_ptr(), bytes[RECORD_HEADER..].as_ptr());
    }

    #[test]
    fn what_is_not_an_entry_is_an_error() {
        let with = |at: usize, byte: u8| {
            let mut bytes = claim_entry().encode().to_vec();
            bytes[at] = byte;
            bytes
        };
        let table: [(Vec<u8>, EntryError); 9] = [
            (vec![], EntryError::Foreign),
            (b"{\"a\":1}".to_vec(), EntryError::Foreign),
            (with(0, 0), EntryError::Foreign),
            (with(0, 2), EntryError::Newer { version: 2, known: 1 }),
            (with(2, b'x'), EntryError::Kind(b'x')),
            (with(3, 2), EntryError::Malformed("claim")),
            (with(28, 0xff), EntryError::Malformed("claim")),
            (b"\x01PR\0\0".to_vec(), EntryError::Malformed("record")),
            (b"\x01PG\0\0".to_vec(), EntryError::Malformed("genesis")),
        ];
        for (bytes, error) in table {
            assert_eq!(Entry::decode(&Bytes::from(bytes.clone())), Err(error), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn entries_round_trip(term: u64, n: u64, body: Vec<u8>, after: Option<u64>, id: u128, owner: String, p: u32) {
            for entry in [
                Entry::Record(Record { term, n, body: body.into() }),
                Entry::Claim(Claim { after, claim_id: id, owner }),
                Entry::Genesis(Genesis { log_id: id, partitions: p, format: FORMAT }),
            ] {
                prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
            }
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes: Vec<u8>) {
            let _ = Entry::decode(&bytes.into());
        }
    }
}
