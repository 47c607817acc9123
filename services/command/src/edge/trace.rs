//! What ties a request to others: the metadata that goes into its record.

use smol_str::SmolStr;
use tonic::metadata::MetadataMap;

use crate::envelope::Trace;

/// Longer values are somebody's mistake, and every record would carry them for ever.
const MAX: usize = 128;

/// Reads `x-correlation-id`, `x-causation-id` and `traceparent`. What is too long or not printable ASCII is left out: it
/// is there for whoever reads the history, and no reason to refuse a command.
pub(crate) fn trace(metadata: &MetadataMap) -> Trace {
    let text = |key: &str| {
        let value = metadata.get(key)?.to_str().ok()?;
        (!value.is_empty() && value.len() <= MAX).then(|| SmolStr::new(value))
    };
    Trace {
        correlation_id: text("x-correlation-id"),
        causation_id: text("x-causation-id"),
        traceparent: text("traceparent"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn takes_what_fits_and_leaves_the_rest() {
        let mut metadata = MetadataMap::new();
        metadata.insert("x-correlation-id", "batch-7".parse().unwrap());
        metadata.insert("x-causation-id", "x".repeat(MAX + 1).parse().unwrap());
        let trace = trace(&metadata);
        assert_eq!(trace.correlation_id.as_deref(), Some("batch-7"));
        assert_eq!((trace.causation_id, trace.traceparent), (None, None));
    }
}
