//! The contract's generated types, clients and servers, one module a package: `proto::deal::v1` is `pactum.deal.v1`.
//!
//! Made from `proto/` by the test `generated` and checked in, so that building needs no compiler for it. The comments are
//! the contract's own.

#![expect(clippy::allow_attributes, reason = "generated code is as its generator makes it")]

macro_rules! packages {
    ($($context:ident = $file:literal;)*) => {$(
        #[doc = concat!("`", $file, "`")]
        pub mod $context {
            /// Version 1.
            pub mod v1 {
                include!(concat!("gen/", $file, ".rs"));
            }
        }
    )*};
}

packages! {
    common = "pactum.common.v1";
    program = "pactum.program.v1";
    partner = "pactum.partner.v1";
    deal = "pactum.deal.v1";
    pipeline = "pactum.pipeline.v1";
    audit = "pactum.audit.v1";
    replay = "pactum.replay.v1";
    bulk = "pactum.bulk.v1";
    projector = "pactum.projector.v1";
}

/// The contract as an encoded `google.protobuf.FileDescriptorSet`, comments and options included, for reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!("gen/descriptor.bin");
