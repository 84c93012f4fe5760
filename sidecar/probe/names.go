package probe

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/topics"
)

// maxNames bounds each table of names; a full one is begun anew.
const maxNames = 1 << 16

// names keeps the few names that come again and again, so that a record
// allocates none.
type names struct {
	text  map[string]string
	dirs  map[string]event.TopicPartition
	files map[string]string
	key   []byte
}

func newNames() names {
	return names{text: map[string]string{}, dirs: map[string]event.TopicPartition{}, files: map[string]string{}}
}

func (n *names) of(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := n.text[string(b)]; ok {
		return s
	}
	if len(n.text) >= maxNames {
		clear(n.text)
	}
	s := string(b)
	n.text[s] = s
	return s
}

// partition is the topic-partition whose directory has this name; ok is false
// for -future, -delete and -stray copies and for whatever is no partition.
func (n *names) partition(dir []byte) (tp event.TopicPartition, ok bool) {
	if tp, ok = n.dirs[string(dir)]; ok {
		return tp, tp.Topic != ""
	}
	if len(n.dirs) >= maxNames {
		clear(n.dirs)
	}
	tp.Topic, tp.Partition, ok = topics.ParsePartition(string(dir))
	n.dirs[string(dir)] = tp
	return tp, ok
}

// file is `dir/name`.
func (n *names) file(dir, name []byte) string {
	n.key = append(append(append(n.key[:0], dir...), '/'), name...)
	if s, ok := n.files[string(n.key)]; ok {
		return s
	}
	if len(n.files) >= maxNames {
		clear(n.files)
	}
	s := string(n.key)
	n.files[s] = s
	return s
}
