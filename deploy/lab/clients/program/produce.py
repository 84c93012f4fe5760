"""Produces with librdkafka and writes down what it sent, one JSON object a line,
as clients.Sent. Started by clients/librdkafka.go.

Arguments: the record's file and the options as JSON:
topics [[name, partitions]], count, for_ns, rate, transactions, least, most,
seed, header, config (librdkafka's properties).
"""
import hashlib
import json
import random
import sys
import time

from confluent_kafka import Producer

ABORT_EVERY = 3
TIMEOUT = 60  # seconds
FULL_WAIT = 0.05


def traceparent(message):
    trace = hashlib.md5(message.encode()).digest()
    return "00-%s-%s-01" % (trace.hex(), hashlib.md5(trace).hexdigest()[:16])


def aborted(n, transaction):
    return transaction > 0 and n // transaction % ABORT_EVERY == ABORT_EVERY - 1


def value(rand, size):
    word = (b"%c" % rand.randrange(97, 123)) + b"ailspan "
    b = bytearray((word * (size // len(word) + 1))[:size])
    for i in range(0, size, 3):
        b[i] = rand.randrange(32, 127)
    return bytes(b)


class Recorder:
    def __init__(self, out, o):
        self.out, self.o = out, o
        self.config = o["config"]
        self.producer = Producer(self.config)
        self.rand = random.Random(o["seed"])

    def send(self, n):
        o, topics = self.o, self.o["topics"]
        topic, partitions = topics[n % len(topics)]
        partition = n // len(topics) % partitions
        message = "%s-%d" % (self.config["client.id"], n)
        payload = value(self.rand, self.rand.randint(o["least"], o["most"]))
        sent = {
            "client": "librdkafka", "client_id": self.config["client.id"], "acks": int(self.config["acks"]),
            "transactional_id": self.config.get("transactional.id", ""), "aborted": aborted(n, o["transactions"]),
            "codec": self.config["compression.type"], "topic": topic, "partition": partition, "records": 1,
            "bytes": len(payload), "message_ids": [message], "traceparents": [traceparent(message)],
            "sent_ns": time.time_ns(),
        }
        headers = [(o["header"], message), ("traceparent", sent["traceparents"][0])]
        while True:
            try:
                self.producer.produce(topic, payload, partition=partition, headers=headers,
                                      on_delivery=lambda err, msg: self.answered(sent, err, msg))
                break
            except BufferError:
                self.producer.poll(FULL_WAIT)
        self.producer.poll(0)

    def answered(self, sent, err, msg):
        sent["ack_ns"] = time.time_ns()
        if err is not None:
            if err.code() > 0:  # below are librdkafka's own
                sent["error"] = err.code()
            sent["failure"] = str(err)
        elif sent["acks"] != 0:
            sent["offset"], sent["error"] = msg.offset(), 0
        self.out.write(json.dumps(sent) + "\n")

    def end(self, abort):
        self.producer.flush(TIMEOUT)  # an abort would drop what has not been sent
        if abort:
            self.producer.abort_transaction(TIMEOUT)
        else:
            self.producer.commit_transaction(TIMEOUT)

    def run(self):
        o, transaction = self.o, self.o["transactions"]
        if transaction:
            self.producer.init_transactions(TIMEOUT)
        start, n = time.monotonic(), 0
        while o["count"] == 0 or n < o["count"]:
            if o["rate"] > 0:
                self.await_time(start + n / o["rate"])
            if o["for_ns"] and (time.monotonic() - start) * 1e9 >= o["for_ns"]:
                break
            if transaction and n % transaction == 0:
                self.producer.begin_transaction()
            self.send(n)
            n += 1
            if transaction and n % transaction == 0:
                self.end(aborted(n - 1, transaction))
        if transaction and n % transaction:
            self.end(aborted(n - 1, transaction))
        return self.producer.flush(TIMEOUT)

    def await_time(self, due):
        while (left := due - time.monotonic()) > 0:
            self.producer.poll(left)


with open(sys.argv[1], "w") as out:
    left = Recorder(out, json.loads(sys.argv[2])).run()
sys.exit(f"{left} records without an answer" if left else 0)
