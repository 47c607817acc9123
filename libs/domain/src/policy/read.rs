//! From text to the document, with errors that name line and field.

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::Policy;
use super::document::Document;
use super::lines::Lines;
use super::problem::InvalidPolicy;

/// Reads one YAML document.
pub(super) fn read(text: &str) -> Result<Document, InvalidPolicy> {
    if text.len() > Policy::MAX_BYTES {
        let problem = format!("the document has {} bytes, {} are allowed", text.len(), Policy::MAX_BYTES);
        return Err(InvalidPolicy { line: 0, field: "document".to_owned(), problem });
    }
    // Aliases may repeat a part of the document, but not blow it up.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_documents: 1, max_depth: 32 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(&error, text))
}

fn explain(error: &Error, text: &str) -> InvalidPolicy {
    let error = error.without_snippet();
    let lines = Lines::of(text);
    let (line, column) = error.location().map_or((0, 0), |location| (location.line(), location.column()));
    let mut named = usize::try_from(line).unwrap_or(usize::MAX);
    let path = lines.path(line, column);
    let below = |path: &str, field: &str| if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    let expected = |names: &[&str]| names.join(", ");
    let (field, problem) = match error {
        Error::SerdeUnknownField { field, expected: known, .. } => {
            // The error is located at the key itself, or at the mapping that holds it.
            let at_key = path == field || path.ends_with(&format!(".{field}"));
            let field = if at_key { path.to_owned() } else { below(path, field) };
            (field, format!("there is no such field; known here: {}", expected(known)))
        }
        Error::SerdeMissingField { field, .. } => {
            let mapping = lines.mapping(line, column);
            named = lines.line(mapping);
            (below(mapping, field), "the field is missing".to_owned())
        }
        Error::SerdeUnknownVariant { variant, expected: known, .. } => {
            (path.to_owned(), format!("{variant:?} is none of {}", expected(known)))
        }
        other => (path.to_owned(), UserMessageFormatter.format_message(other).into_owned()),
    };
    let field = if field.is_empty() { "document".to_owned() } else { field };
    InvalidPolicy { line: named, field, problem }
}
