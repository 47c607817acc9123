//! Faults on real brokers and processes under load, and the checker of what clients saw.
