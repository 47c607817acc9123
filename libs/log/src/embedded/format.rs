//! How entries lie in the database.

use crate::{LogError, Offset, Partition};

const CHECK: usize = 4;

/// A partition's keyspace.
pub(super) fn keyspace_name(partition: Partition) -> String {
    format!("partition-{partition:03}")
}

/// Big-endian, so that the order of keys is the order of offsets.
pub(super) fn key(offset: Offset) -> [u8; 8] {
    offset.to_be_bytes()
}

/// Writes the entry and its checksum into `value`, which is reused from entry to entry.
pub(super) fn encode(partition: Partition, offset: Offset, entry: &[u8], value: &mut Vec<u8>) {
    value.clear();
    value.extend_from_slice(entry);
    value.extend_from_slice(&check(partition, offset, entry).to_le_bytes());
}

/// Reads a row that must be the entry at `offset`.
pub(super) fn decode<'a>(
    partition: Partition,
    offset: Offset,
    row_key: &[u8],
    value: &'a [u8],
) -> Result<&'a [u8], LogError> {
    if row_key != key(offset) {
        let found = <[u8; 8]>::try_from(row_key).map(Offset::from_be_bytes);
        return Err(LogError::Corrupt(match found {
            Ok(found) => format!("partition {partition} lacks the entries from {offset} to {found} (exclusive)"),
            Err(_) => format!("partition {partition} has a key that is no offset where {offset} should be"),
        }));
    }
    let intact = value
        .split_last_chunk::<CHECK>()
        .filter(|(entry, stored)| check(partition, offset, entry) == u32::from_le_bytes(**stored));
    intact.map(|(entry, _)| entry).ok_or_else(|| {
        LogError::Corrupt(format!("partition {partition}, offset {offset}: the entry does not match its checksum"))
    })
}

/// Covers the place too: an intact entry in the wrong place is damage.
fn check(partition: Partition, offset: Offset, entry: &[u8]) -> u32 {
    let place = crc32c::crc32c(&offset.to_le_bytes());
    let place = crc32c::crc32c_append(place, &partition.to_le_bytes());
    crc32c::crc32c_append(place, entry)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn round_trips_and_notices_any_damage_and_any_wrong_place() {
        let mut value = vec![9; 99];
        for entry in [&b""[..], b"x", b"an entry"] {
            encode(3, 77, entry, &mut value);
            assert_eq!(decode(3, 77, &key(77), &value).unwrap(), entry);
            for bit in 0..value.len() * 8 {
                let mut damaged = value.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(decode(3, 77, &key(77), &damaged).is_err(), "bit {bit}");
            }
            assert!(decode(3, 78, &key(78), &value).is_err());
            assert!(decode(2, 77, &key(77), &value).is_err());
            assert!(decode(3, 77, &key(77), &value[..value.len() - 1]).is_err());
        }
        assert_eq!(
            decode(3, 77, &key(80), &value).unwrap_err().to_string(),
            "the log is corrupt: partition 3 lacks the entries from 77 to 80 (exclusive)"
        );
    }
}
