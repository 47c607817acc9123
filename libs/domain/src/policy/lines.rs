//! Where each field stands in the document, so that an error can name its line and its path.

use serde_saphyr::granit_parser::{Event, Parser};

/// No policy nests deeper. Without a bound here and on names, paths could take far more room than the document.
const MAX_DEPTH: usize = 32;

/// No field's name is longer.
const MAX_NAME: usize = 64;

/// Every node of a YAML document with its path (`tiers[1].id`), in document order; a key of a mapping comes before its
/// value, under the same path.
pub(super) struct Lines(Vec<Node>);

struct Node {
    line: u64,
    column: u64,
    path: String,
    key: bool,
}

/// A collection that is open while the document is read.
struct Open {
    path: String,
    at: Place,
}

enum Place {
    /// In a sequence, before the item of this index.
    Item(usize),
    /// In a mapping, before a key.
    Key,
    /// In a mapping, before the value of this key.
    Value(String),
}

impl Lines {
    /// Reads as far as the document is YAML.
    pub(super) fn of(document: &str) -> Self {
        let mut nodes = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str(document) {
            let Ok((event, span)) = event else { break };
            if open.len() > MAX_DEPTH {
                break;
            }
            let (starts, name) = match &event {
                Event::Scalar(text, ..) => (None, text.chars().take(MAX_NAME).collect()),
                Event::Alias(_) => (None, "?".to_owned()),
                Event::MappingStart(..) => (Some(Place::Key), "?".to_owned()),
                Event::SequenceStart(..) => (Some(Place::Item(0)), "?".to_owned()),
                Event::MappingEnd | Event::SequenceEnd => {
                    open.pop();
                    continue;
                }
                _ => continue,
            };
            let key = matches!(open.last(), Some(Open { at: Place::Key, .. }));
            let path = open.last_mut().map_or_else(String::new, |parent| parent.step(name));
            let (line, column) = (span.start.line() as u64, span.start.col() as u64 + 1);
            nodes.push(Node { line, column, path: path.clone(), key });
            open.extend(starts.map(|at| Open { path, at }));
        }
        Self(nodes)
    }

    /// The line of a field, from 1; that of the nearest field around it where it is not there itself; 0 where nothing is.
    pub(super) fn line(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            // The first is the key, where a value may begin on a later line.
            if let Some(node) = self.0.iter().find(|node| node.path == path) {
                return usize::try_from(node.line).unwrap_or(usize::MAX);
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None if path.is_empty() => return 0,
                None => path = "",
            }
        }
    }

    /// The path of the mapping that lacks a field, where an error about that stands at the mapping itself or at one of its
    /// keys.
    pub(super) fn mapping(&self, line: u64, column: u64) -> &str {
        match self.at(line, column) {
            Some(Node { key: true, path, .. }) => path.rfind('.').map_or("", |end| &path[..end]),
            node => node.map_or("", |node| &node.path),
        }
    }

    /// The path of the innermost that begins at a place, or else of what begins last before it.
    pub(super) fn path(&self, line: u64, column: u64) -> &str {
        self.at(line, column).map_or("", |node| &node.path)
    }

    fn at(&self, line: u64, column: u64) -> Option<&Node> {
        self.0.iter().take_while(|node| (node.line, node.column) <= (line, column)).last()
    }
}

impl Open {
    /// The path of the next node in it. `key` is what the node is called if it turns out to be a key.
    fn step(&mut self, key: String) -> String {
        let below = |path: &str, key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match std::mem::replace(&mut self.at, Place::Key) {
            Place::Item(index) => {
                self.at = Place::Item(index + 1);
                format!("{}[{index}]", self.path)
            }
            Place::Key => {
                let path = below(&self.path, &key);
                self.at = Place::Value(key);
                path
            }
            Place::Value(key) => below(&self.path, &key),
        }
    }
}
