package topics

import (
	"path/filepath"
	"strconv"
	"strings"
)

// ParsePartition splits the name of a partition's directory, exactly
// topic-N: not the copies that end in -future, -delete or -stray
// (UnifiedLog.parseTopicPartitionName).
func ParsePartition(dir string) (topic string, partition int32, ok bool) {
	i := strings.LastIndexByte(dir, '-')
	if i <= 0 || !validName(dir[:i]) {
		return "", 0, false
	}
	n, err := strconv.ParseInt(dir[i+1:], 10, 32)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != dir[i+1:] {
		return "", 0, false
	}
	return dir[:i], int32(n), true
}

// ReadPartitionID reads the topic's id from the partition.metadata of a
// partition's directory.
func ReadPartitionID(dir string) (id [16]byte, err error) {
	return readMetadata(filepath.Join(dir, "partition.metadata"))
}
