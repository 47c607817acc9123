//! The published gRPC contract: generated types and conversions to and from the domain.
