// Package clients produces to a broker with real clients (Kafka's own for Java,
// librdkafka, franz-go, sarama) and with raw requests of any shape, and keeps
// each client's own record of what it sent and what it was told: what a test
// holds against Tailspan's rows and against the log.
//
// Every record carries a message id and a traceparent of its own; both follow
// from the client id and the record's number, so that nobody has to guess them.
package clients
