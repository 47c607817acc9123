//! Configuration, telemetry, health, supervision and shutdown.
