//! Who claims first when an owner is gone: an order over the instances that all of them compute alike, another for each
//! partition, so that one instance's partitions spread over those that are left.

use std::hash::Hasher;

use pactum_log::Partition;
use rustc_hash::FxHasher;

/// How many of `members` come before `address` in the partition's order; the one that is `gone` does not count. One that
/// knows of no members puts itself second: somebody may be there who knows more.
pub(crate) fn rank(partition: Partition, address: &str, members: &[String], gone: Option<&str>) -> u32 {
    if members.is_empty() {
        return 1;
    }
    let own = weight(partition, address);
    let others = members.iter().filter(|member| *member != address && Some(member.as_str()) != gone);
    let before = others.filter(|member| (weight(partition, member), member.as_str()) > (own, address)).count();
    u32::try_from(before).unwrap_or(u32::MAX)
}

fn weight(partition: Partition, address: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(address.as_bytes());
    hasher.write_u32(partition);
    // The hash alone leaves addresses that differ in a digit in one order for many partitions.
    let mut mixed = hasher.finish();
    mixed ^= mixed >> 31;
    mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Vec<String> {
        (1..=3).map(|host| format!("10.0.0.{host}:7400")).collect()
    }

    #[test]
    fn everyone_has_a_place_of_its_own() {
        let members = members();
        for partition in 0..64 {
            let mut places: Vec<_> = members.iter().map(|own| rank(partition, own, &members, None)).collect();
            places.sort_unstable();
            assert_eq!(places, [0, 1, 2], "partition {partition}");
        }
    }

    #[test]
    fn the_first_of_those_left_is_spread_over_them() {
        let members = members();
        let first = |partition| {
            members[1..].iter().position(|own| rank(partition, own, &members, Some(&members[0])) == 0).unwrap_or(9)
        };
        let second = (0..64).filter(|partition| first(*partition) == 0).count();
        let third = (0..64).filter(|partition| first(*partition) == 1).count();
        assert_eq!(second + third, 64);
        assert!(second > 16 && third > 16, "{second} and {third}");
    }

    #[test]
    fn one_that_is_alone_is_first_and_one_that_knows_nobody_waits_a_little() {
        assert_eq!(rank(0, "a:1", &["a:1".into()], None), 0);
        assert_eq!(rank(0, "a:1", &["b:1".into()], Some("b:1")), 0);
        assert_eq!(rank(0, "a:1", &[], Some("b:1")), 1);
    }
}
