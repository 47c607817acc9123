//! Stored records: envelope, events, codec, upcasters.
