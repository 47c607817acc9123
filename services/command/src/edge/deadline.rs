//! How long a caller waits: the `grpc-timeout` header.

use std::time::Duration;

use http::HeaderMap;
use tonic::metadata::MetadataMap;

/// How long the service takes where the caller does not say, and at most.
pub(crate) const DEFAULT: Duration = Duration::from_secs(10);
const MAX: Duration = Duration::from_secs(60);

/// The journal looks at deadlines this often, or more often.
const PRECISION: Duration = Duration::from_millis(150);

/// What a caller's patience means on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For the journal: early enough that its answer (certainly nothing appended, or not known) still reaches the caller.
    pub(crate) journal: Duration,
    /// Where the caller gave a deadline: when to answer in any case, just before the transport hangs up on both.
    pub(crate) edge: Option<Duration>,
}

/// Reads the header. One that is malformed counts as none, as the transport has it too.
pub(crate) fn patience(metadata: &MetadataMap) -> Patience {
    let asked = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse);
    match asked {
        None => Patience { journal: DEFAULT, edge: None },
        Some(asked) => {
            let edge = Some(answer_by(asked));
            let asked = asked.min(MAX);
            Patience { journal: asked - PRECISION.min(asked / 4), edge }
        }
    }
}

/// How long a request with these headers may take before its caller is answered in any case.
pub(crate) fn patience_of(headers: &HeaderMap) -> Duration {
    let asked = headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse);
    asked.map_or(DEFAULT, answer_by)
}

/// Just before the transport hangs up on both.
fn answer_by(asked: Duration) -> Duration {
    let asked = asked.min(MAX);
    asked - Duration::from_millis(10).min(asked / 20)
}

/// Up to eight digits and a unit, as gRPC over HTTP/2 defines it.
fn parse(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn reads_every_unit_and_nothing_else() {
        for (text, duration) in [
            ("1H", Duration::from_secs(3_600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("250m", Duration::from_millis(250)),
            ("99999999u", Duration::from_micros(99_999_999)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(parse(text), Some(duration), "{text}");
        }
        for text in ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1.5S", "1 S", "1é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn is_bounded_and_leaves_time_to_answer() {
        let of = |value: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", value.parse().unwrap());
            patience(&metadata)
        };
        assert_eq!(patience(&MetadataMap::new()), Patience { journal: DEFAULT, edge: None });
        assert_eq!(of("nonsense"), Patience { journal: DEFAULT, edge: None });
        assert_eq!(of("9H").edge, Some(MAX - Duration::from_millis(10)));
        for text in ["0n", "1n", "1m", "200m", "5S"] {
            let patience = of(text);
            assert!(Some(patience.journal) <= patience.edge, "{text}");
        }
        assert_eq!(of("5S").journal, Duration::from_millis(4_850));
    }
}
