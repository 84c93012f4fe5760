// Package topics resolves topic ids to names, for the versions of Kafka's
// protocol (Produce v13 and later) that carry no names.
//
// Facts come from the partition.metadata files in a broker's log dirs, from
// Metadata responses, from recordings and from --topic-ids files. Kafka never
// gives an id to a second topic and never renames one, so a fact, once
// learnt, holds; a topic that is deleted and made again has a new id.
//
// The package knows nothing of packets or events. It reads only the directory
// listing and the partition.metadata files (Kafka's PartitionMetadataFile,
// version 0) of the log dirs that it is given.
package topics
