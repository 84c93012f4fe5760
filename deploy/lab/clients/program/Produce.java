// Produces with Kafka's own client and writes down what it sent, one JSON object
// a line, as clients.Sent. Started by clients/java.go.
//
// Arguments: the record's file, then key=value: options of ours, which begin
// with "lab.", and producer properties.

import java.io.BufferedWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Produce {
    private static final int ABORT_EVERY = 3;

    private final PrintWriter out;
    private final Properties p;
    private final String id;
    private final List<String> topics = new ArrayList<>();
    private final List<Integer> partitions = new ArrayList<>();

    private Produce(PrintWriter out, Properties p) {
        this.out = out;
        this.p = p;
        this.id = p.getProperty("client.id");
        for (String t : p.getProperty("lab.topics").split(",")) {
            topics.add(t.substring(0, t.lastIndexOf(':')));
            partitions.add(Integer.parseInt(t.substring(t.lastIndexOf(':') + 1)));
        }
    }

    public static void main(String[] args) throws Exception {
        Properties p = new Properties();
        for (int i = 1; i < args.length; i++) {
            int eq = args[i].indexOf('=');
            p.setProperty(args[i].substring(0, eq), args[i].substring(eq + 1));
        }
        try (BufferedWriter file = Files.newBufferedWriter(Path.of(args[0])); PrintWriter out = new PrintWriter(file)) {
            new Produce(out, p).run();
            if (out.checkError()) throw new IllegalStateException("record not written");
        }
    }

    private long option(String name) {
        return Long.parseLong(p.getProperty("lab." + name));
    }

    private void run() throws Exception {
        int count = (int) option("count"), transaction = (int) option("transactions");
        int least = (int) option("least"), most = (int) option("most");
        long limit = option("for_ns"), start = System.nanoTime();
        double rate = Double.parseDouble(p.getProperty("lab.rate"));
        Random random = new Random(option("seed"));
        Properties config = new Properties();
        p.forEach((k, v) -> { if (!k.toString().startsWith("lab.")) config.put(k, v); });
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            if (transaction > 0) producer.initTransactions();
            int n = 0;
            for (; count == 0 || n < count; n++) {
                if (rate > 0) await(start + (long) (n / rate * 1e9));
                if (limit > 0 && System.nanoTime() - start >= limit) break;
                if (transaction > 0 && n % transaction == 0) producer.beginTransaction();
                send(producer, n, value(random, least + random.nextInt(most - least + 1)), aborted(n, transaction));
                if (transaction > 0 && (n + 1) % transaction == 0) end(producer, aborted(n, transaction));
            }
            producer.flush();
            if (transaction > 0 && n % transaction != 0) end(producer, aborted(n - 1, transaction));
        }
    }

    private static boolean aborted(int n, int transaction) {
        return transaction > 0 && n / transaction % ABORT_EVERY == ABORT_EVERY - 1;
    }

    private static void end(KafkaProducer<byte[], byte[]> producer, boolean abort) {
        producer.flush(); // an abort would drop what has not been sent
        if (abort) producer.abortTransaction(); else producer.commitTransaction();
    }

    private static void await(long due) throws InterruptedException {
        long left = due - System.nanoTime();
        if (left > 0) Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
    }

    private static byte[] value(Random random, int size) {
        byte[] b = new byte[size];
        for (int i = 0; i < size; i++) b[i] = (byte) (i % 3 == 0 ? ' ' + random.nextInt(95) : 'a' + i % 26);
        return b;
    }

    private void send(KafkaProducer<byte[], byte[]> producer, int n, byte[] value, boolean aborted) throws Exception {
        String message = id + "-" + n, parent = traceparent(message);
        String topic = topics.get(n % topics.size());
        int partition = n / topics.size() % partitions.get(n % topics.size());
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, partition, null, value);
        record.headers().add(p.getProperty("lab.header"), message.getBytes(StandardCharsets.UTF_8));
        record.headers().add("traceparent", parent.getBytes(StandardCharsets.UTF_8));
        String head = String.format(Locale.ROOT,
                "{\"client\":\"java\",\"client_id\":\"%s\",\"acks\":%s,\"transactional_id\":\"%s\",\"aborted\":%b,\"codec\":\"%s\","
                        + "\"topic\":\"%s\",\"partition\":%d,\"records\":1,\"bytes\":%d,\"message_ids\":[\"%s\"],\"traceparents\":[\"%s\"],\"sent_ns\":%d",
                id, p.getProperty("acks"), p.getProperty("transactional.id", ""), aborted, p.getProperty("compression.type"),
                topic, partition, value.length, message, parent, now());
        producer.send(record, (metadata, error) -> answered(head, metadata, error));
    }

    /** answered runs on the producer's one I/O thread, or, for what was not sent, on the sender's. */
    private synchronized void answered(String head, RecordMetadata metadata, Exception error) {
        out.print(head);
        out.print(",\"ack_ns\":" + now());
        if (error == null) {
            if (metadata.hasOffset()) out.print(",\"offset\":" + metadata.offset() + ",\"error\":0");
        } else {
            short code = Errors.forException(error).code();
            if (code > 0) out.print(",\"error\":" + code);
            String text = error.toString().replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ");
            out.print(",\"failure\":\"" + text + "\"");
        }
        out.print("}\n");
    }

    private static long now() {
        java.time.Instant t = java.time.Instant.now();
        return t.getEpochSecond() * 1_000_000_000L + t.getNano();
    }

    private static String traceparent(String message) throws Exception {
        byte[] trace = MessageDigest.getInstance("MD5").digest(message.getBytes(StandardCharsets.UTF_8));
        byte[] span = MessageDigest.getInstance("MD5").digest(trace);
        return "00-" + hex(trace, 16) + "-" + hex(span, 8) + "-01";
    }

    private static String hex(byte[] b, int n) {
        try (Formatter f = new Formatter()) {
            for (int i = 0; i < n; i++) f.format("%02x", b[i]);
            return f.toString();
        }
    }
}
