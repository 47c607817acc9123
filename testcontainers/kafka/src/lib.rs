//! Real Kafka brokers for tests: a container engine where there is one, else the broker's jars on a JVM.
