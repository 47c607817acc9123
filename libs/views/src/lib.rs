//! Read models: keys, rows, fold and query, one file each.
