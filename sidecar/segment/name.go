package segment

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tailspan/tailspan/sidecar/topics"
)

const (
	logSuffix   = ".log"
	indexSuffix = ".index"
	nameDigits  = 20
)

// Name is the file of a segment below its log dir:
// topic-partition/00000000000000000000.log.
func Name(topic string, partition int32, base int64) string {
	return segmentName(fmt.Sprintf("%s-%d", topic, partition), base)
}

func segmentName(dir string, base int64) string {
	return fmt.Sprintf("%s/%020d%s", dir, base, logSuffix)
}

// baseOf is the base offset that a segment's name says.
func baseOf(path string) (int64, bool) {
	digits, ok := strings.CutSuffix(filepath.Base(path), logSuffix)
	if !ok || len(digits) != nameDigits || digits[0] == '-' || digits[0] == '+' {
		return 0, false
	}
	base, err := strconv.ParseInt(digits, 10, 64)
	return base, err == nil
}

// partitionOf is the partition's directory of a segment's file name below its
// log dir, if that is a name of Kafka's: a recording could say anything.
func partitionOf(file string) (dir string, ok bool) {
	dir, name, _ := strings.Cut(file, "/")
	if _, _, ok := topics.ParsePartition(dir); !ok || strings.Contains(name, "/") {
		return "", false
	}
	_, ok = baseOf(name)
	return dir, ok
}
