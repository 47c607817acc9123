//! Which partition of the log a program lies in.

use pactum_ids::ProgramId;
use sha2::{Digest, Sha256};

/// The partition of a program, in a log of `partitions`: the first eight bytes of the SHA-256 of its id, big-endian,
/// modulo the count. Writers and readers must agree for as long as the log exists, so this never changes.
///
/// # Panics
/// Where `partitions` is 0: there is no such log.
#[must_use]
pub fn partition_of(program: &ProgramId, partitions: u32) -> u32 {
    let digest = Sha256::digest(program.as_str().as_bytes());
    let head = digest.iter().take(8).fold(0_u64, |head, byte| head << 8 | u64::from(*byte));
    u32::try_from(head % u64::from(partitions)).expect("the remainder by a u32 is a u32")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn is_what_it_was() {
        // A changed figure here would lose every program of every log there is.
        for (program, of_eight, of_sixty_four) in [("acme", 0, 32), ("globex", 7, 39), ("initech", 3, 3)] {
            let id = ProgramId::new(program).unwrap();
            assert_eq!((partition_of(&id, 8), partition_of(&id, 64)), (of_eight, of_sixty_four), "{program}");
            assert_eq!(partition_of(&id, 1), 0);
        }
    }

    #[test]
    fn spreads_programs() {
        let mut counts = [0_u32; 8];
        for n in 0..8_000 {
            counts[partition_of(&ProgramId::new(format!("program-{n}")).unwrap(), 8) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }
}
