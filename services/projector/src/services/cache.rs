//! Answers of the pipeline, encoded, kept while their program does not change.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use pactum_ids::{PartnerId, ProgramId};

/// How many answers are kept.
const CAPACITY: usize = 256;

/// What an answer depends on, besides the sequence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    pub(crate) program: ProgramId,
    /// The partner whose eyes see it; none: the vendor's.
    pub(crate) scope: Option<PartnerId>,
    /// The moment of the past it is of; none: now. So that what was does not displace what is.
    pub(crate) past: Option<u64>,
    /// The question: filter and groups, encoded.
    pub(crate) question: Vec<u8>,
}

/// An answer, and the sequence it is of.
#[derive(Debug)]
struct Answer {
    sequence: u64,
    encoded: Bytes,
}

/// Answers by question. A view's rows are a function of the sequence, so an answer of the same sequence is the same answer.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    answers: Mutex<HashMap<CacheKey, Answer>>,
}

impl Cache {
    /// The answer to a question, if it is kept and of this sequence.
    pub(crate) fn get(&self, key: &CacheKey, sequence: u64) -> Option<Bytes> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(key).filter(|answer| answer.sequence == sequence).map(|answer| answer.encoded.clone())
    }

    /// Keeps an answer. When there is no more room all are forgotten: they are cheap to make again.
    pub(crate) fn put(&self, key: CacheKey, sequence: u64, encoded: Bytes) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= CAPACITY && !answers.contains_key(&key) {
            answers.clear();
        }
        answers.insert(key, Answer { sequence, encoded });
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn key(question: usize) -> CacheKey {
        let program = ProgramId::new("acme").unwrap();
        CacheKey { program, scope: None, past: None, question: question.to_be_bytes().to_vec() }
    }

    #[test]
    fn an_answer_holds_for_its_sequence_only() {
        let cache = Cache::default();
        let answer = Bytes::from_static(b"an answer");
        cache.put(key(1), 7, answer.clone());
        assert_eq!(cache.get(&key(1), 7), Some(answer));
        assert_eq!(cache.get(&key(1), 8), None);
        assert_eq!(cache.get(&key(2), 7), None);
        let scoped = CacheKey { scope: Some(PartnerId::new("p").unwrap()), ..key(1) };
        assert_eq!(cache.get(&scoped, 7), None);
    }

    #[test]
    fn is_bounded() {
        let cache = Cache::default();
        for question in 0..10 * CAPACITY {
            cache.put(key(question), 1, Bytes::new());
            assert!(cache.answers.lock().unwrap().len() <= CAPACITY);
        }
    }
}
