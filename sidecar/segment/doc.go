// Package segment reads Kafka's log dirs: the batches of a segment file at a
// position or by their offset, their checksums and their records' headers, and
// proves by them what a recording says was written.
//
// It knows the files of a log dir and the header of a record batch of magic 2;
// batches of older formats are passed over and counted, never misread. It knows
// nothing of packets, probes or spans, and writes nothing.
//
// The files are a broker's at work: they grow, roll, shrink and vanish while
// they are read. Nothing is mapped into memory, each read stands for itself,
// and what a length in a file declares is never allocated: checksums run
// through a buffer of fixed size. Logs keeps a few files open, no more.
//
// Facts: org.apache.kafka.common.record.DefaultRecordBatch (the header),
// FileLogInputStream (how a log is walked), and
// org.apache.kafka.storage.internals.log LogFileUtils (names), OffsetIndex
// (its entries), PartitionMetadataFile; the checkpoints are
// org.apache.kafka.server.common.CheckpointFile's. Checked in the tests against
// kafka.tools.DumpLogSegments and kmsg.
package segment
