//! The published gRPC contract: generated types ([`proto`]), who may call what ([`AccessTable`], [`Caller`]), errors
//! ([`error`]), and conversions to and from the domain.

pub mod proto;
