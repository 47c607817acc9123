//! Keys: parts one after another, so that sorted bytes are sorted values.
//!
//! Text is followed by a zero byte, which no id contains, so a program's keys never begin with another's. Numbers are
//! big-endian; signed ones have their sign bit flipped.

use pactum_ids::ProgramId;

/// A key under construction. Every key starts with its program.
#[derive(Clone, Debug)]
pub struct Key(Vec<u8>);

impl Key {
    /// The start of all keys of a program.
    #[must_use]
    pub fn of(program: &ProgramId) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(program.as_str().as_bytes());
        bytes.push(0);
        Self(bytes)
    }

    /// The end of a key, to follow another's start.
    #[must_use]
    pub fn end() -> Self {
        Self(Vec::with_capacity(32))
    }

    /// Appends text. A zero byte in it would end it early, so it is left out: ids and codes have none.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        if bytes.contains(&0) {
            self.0.extend(bytes.iter().filter(|byte| **byte != 0));
        } else {
            self.0.extend_from_slice(bytes);
        }
        self.0.push(0);
        self
    }

    /// Appends a byte.
    #[must_use]
    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// Has another byte in place of the last.
    pub fn set_last(&mut self, byte: u8) {
        if let Some(last) = self.0.last_mut() {
            *last = byte;
        }
    }

    /// Appends a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Appends a signed number.
    #[must_use]
    pub fn signed(self, number: i64) -> Self {
        self.number(number.cast_unsigned() ^ (1 << 63))
    }

    /// Appends bytes that were a key's end before.
    #[must_use]
    pub fn rest(mut self, rest: &[u8]) -> Self {
        self.0.extend_from_slice(rest);
        self
    }

    /// The key.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// The key, borrowed.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

/// Takes text off the front of a key.
#[must_use]
pub fn take_text(key: &[u8]) -> Option<(&str, &[u8])> {
    let end = key.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(&key[..end]).ok()?, &key[end + 1..]))
}

/// Takes a number off the front of a key.
#[must_use]
pub fn take_number(key: &[u8]) -> Option<(u64, &[u8])> {
    let (head, rest) = key.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*head), rest))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn program(id: &str) -> ProgramId {
        ProgramId::new(id).unwrap()
    }

    #[test]
    fn a_program_never_holds_anothers_keys() {
        let inner = Key::of(&program("acme")).bytes();
        for other in ["acme-2", "acm", "acme.x", "acmeacme"] {
            assert!(!Key::of(&program(other)).text("deal").bytes().starts_with(&inner), "{other}");
        }
    }

    proptest! {
        #[test]
        fn sorted_bytes_are_sorted_values(a: (i64, String), b: (i64, String)) {
            let key = |(number, text): &(i64, String)| Key::of(&program("p")).signed(*number).text(text).bytes();
            let clean = |(number, text): &(i64, String)| (*number, text.replace('\0', ""));
            prop_assert_eq!(key(&a).cmp(&key(&b)), clean(&a).cmp(&clean(&b)));
        }

        #[test]
        fn parts_come_back(number: u64, text in "[a-zA-Z0-9.-]{0,40}") {
            let key = Key::of(&program("p")).number(number).text(&text).bytes();
            let (owner, rest) = take_text(&key).unwrap();
            let (first, rest) = take_number(rest).unwrap();
            let (second, rest) = take_text(rest).unwrap();
            prop_assert_eq!((owner, first, second, rest), ("p", number, text.as_str(), &[][..]));
        }
    }
}
