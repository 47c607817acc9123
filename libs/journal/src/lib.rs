//! Claims, terms, validity and read-back: the writer's protocol over any log.
