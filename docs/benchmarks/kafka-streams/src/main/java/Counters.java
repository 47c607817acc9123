import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * One counter per partner and stage in Kafka Streams' RocksDB store, from a topic that is a Pactum log of one partition, up to an
 * offset. Prints every counter (program, partner, stage, count, with tabs between) and then one line of JSON.
 *
 * Arguments: bootstrap servers, topic, end offset, application id, processing guarantee, state directory, most seconds.
 */
public final class Counters {
    private static final String STORE = "counters";

    private final long end;
    private final CountDownLatch done = new CountDownLatch(1);
    private final StringBuilder counters = new StringBuilder();
    private volatile Throwable failed;
    private long records;
    private long first;
    private long last;

    private Counters(long end) {
        this.end = end;
    }

    public static void main(String[] arguments) throws Exception {
        long started = System.nanoTime();
        String brokers = arguments[0];
        String application = arguments[3];
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments[4]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[5]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        // All else as Kafka Streams comes.

        Counters counters = new Counters(Long.parseLong(arguments[2]));
        KafkaStreams streams = new KafkaStreams(counters.topology(arguments[1]), settings);
        streams.setUncaughtExceptionHandler(error -> {
            counters.failed = error;
            counters.done.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        boolean ended = counters.done.await(Long.parseLong(arguments[6]), TimeUnit.SECONDS);
        streams.close(Duration.ofSeconds(60));
        double lifetime = (System.nanoTime() - started) / 1e9;
        if (counters.failed != null) {
            counters.failed.printStackTrace();
            System.exit(1);
        }
        if (!ended) {
            System.err.println("the end was not reached in " + arguments[6] + " seconds");
            System.exit(1);
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            admin.deleteConsumerGroups(List.of(application)).all().get(30, TimeUnit.SECONDS);
        } catch (Exception error) {
            System.err.println("the consumer group stays: " + error);
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print(counters.counters);
        out.printf("{\"version\":\"%s\",\"records\":%d,\"seconds\":%s,\"lifetime_seconds\":%s,\"cpu_seconds\":%s,\"peak_mib\":%d}%n",
            version(), counters.records, (counters.last - counters.first) / 1e9, lifetime, processorSeconds(),
            peakMib());
        out.flush();
        System.exit(0);
    }

    private Topology topology(String topic) {
        Topology topology = new Topology();
        topology.addSource("log", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), topic);
        topology.addProcessor("count", Count::new, "log");
        // The cache before the store is what the DSL's aggregations have; without it every change would go to RocksDB and to the
        // changelog.
        topology.addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.ByteArray(), Serdes.Long())
                .withCachingEnabled(),
            "count");
        return topology;
    }

    private final class Count implements Processor<byte[], byte[], Void, Void> {
        private ProcessorContext<Void, Void> context;
        private KeyValueStore<byte[], Long> store;
        private long term = -1;
        private long next;

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            this.context = context;
            store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<byte[], byte[]> message) {
            if (done.getCount() == 0) {
                return;
            }
            if (first == 0) {
                first = System.nanoTime();
            }
            long offset = context.recordMetadata().orElseThrow().offset();
            take(new Entry(message.value()), offset);
            if (offset + 1 >= end) {
                last = System.nanoTime();
                tell();
                done.countDown();
            }
        }

        /** By the journal's rule: a claim is valid that names the term in force, a record that is the next of it. */
        private void take(Entry entry, long offset) {
            if (entry.kind() == Entry.CLAIM && entry.after() == term) {
                term = offset;
                next = 0;
            } else if (entry.kind() == Entry.RECORD && entry.term() == term && entry.n() == next) {
                next++;
                records++;
                byte[] key = entry.counter();
                if (key != null) {
                    Long count = store.get(key);
                    store.put(key, count == null ? 1L : count + 1);
                }
            }
        }

        private void tell() {
            try (KeyValueIterator<byte[], Long> all = store.all()) {
                all.forEachRemaining(counter -> {
                    String key = new String(counter.key, StandardCharsets.UTF_8);
                    counters.append(key.replace('\0', '\t')).append(counter.value).append('\n');
                });
            }
        }
    }

    private static String version() throws Exception {
        Properties version = new Properties();
        try (InputStream file = KafkaStreams.class.getResourceAsStream("/kafka/kafka-streams-version.properties")) {
            if (file != null) {
                version.load(file);
            }
        }
        return version.getProperty("version", "unknown");
    }

    private static double processorSeconds() {
        return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
    }

    private static long peakMib() throws Exception {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
            }
        }
        return 0;
    }
}
