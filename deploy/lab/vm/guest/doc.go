// Package guest is a test that runs inside a guest (package vm): it attaches
// every backend of package bpf that its kernel takes, and has a thread write
// as Kafka does, beside a neighbour that forces commits, on every disk of the
// guest; the records that come out become spans by the very code of the
// sidecar, and must tell what the writer itself measured and what the kernel
// counted.
//
// There are no packets: requests and responses are made up around each write.
// Outside of a guest its tests are skipped.
package guest
