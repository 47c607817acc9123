//! How long a query may wait for the view: the `grpc-timeout` header, within bounds.

use std::time::{Duration, Instant};

use tonic::metadata::MetadataMap;

use crate::options::ProjectorOptions;

/// Time kept back so that the typed error still reaches the caller before the transport hangs up.
const TO_ANSWER: Duration = Duration::from_millis(10);

/// Until when to wait. A header that is malformed counts as none, as the transport has it too.
pub(crate) fn of(metadata: &MetadataMap, options: &ProjectorOptions) -> Instant {
    let asked = metadata.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse);
    let patience = asked.unwrap_or(options.default_deadline).min(options.max_deadline);
    Instant::now() + (patience - TO_ANSWER.min(patience / 10))
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
    use super::*;

    #[test]
    fn reads_every_unit_and_nothing_else() {
        let seconds = Duration::from_secs;
        for (text, expected) in [
            ("1H", Some(seconds(3_600))),
            ("2M", Some(seconds(120))),
            ("3S", Some(seconds(3))),
            ("250m", Some(Duration::from_millis(250))),
            ("99999999u", Some(Duration::from_micros(99_999_999))),
            ("0n", Some(Duration::ZERO)),
            ("", None),
            ("S", None),
            ("123456789S", None),
            ("-1S", None),
            ("1s", None),
            ("1é", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
