package jvm

import (
	"fmt"
	"os"
	"path"
	"strconv"
)

const (
	maxLogDirs = 256
	maxMeta    = 64 << 10 // meta.properties has 100 bytes
)

// logDirs are the broker's log directories as we can open them.
func (p properties) logDirs(v view) ([]string, error) {
	names := p.list("log.dirs")
	if len(names) == 0 {
		names = p.list("log.dir")
	}
	if len(names) == 0 {
		names = []string{"/tmp/kafka-logs"} // ServerLogConfigs.LOG_DIR_DEFAULT
	}
	if len(names) > maxLogDirs {
		return nil, fmt.Errorf("more than %d log dirs", maxLogDirs)
	}
	dirs := make([]string, len(names))
	for i, name := range names {
		var err error
		if dirs[i], err = v.open(name); err != nil {
			return nil, fmt.Errorf("resolve log dir %s: %w", name, err)
		}
	}
	return dirs, nil
}

// identity of a log dir, from its meta.properties.
func meta(dir string) (cluster string, node int32, err error) {
	b, err := readBounded(path.Join(dir, "meta.properties"), maxMeta)
	if err != nil {
		return "", -1, err
	}
	p := properties{}
	p.parse(string(b))
	return p["cluster.id"], p.nodeID(), nil
}

func (p properties) nodeID() int32 {
	for _, key := range []string{"node.id", "broker.id"} {
		if n, err := strconv.ParseInt(p[key], 10, 32); err == nil && n >= 0 {
			return int32(n)
		}
	}
	return -1
}

// identify asks the log dirs in turn; a fresh broker has no answer yet.
func identify(dirs []string) (cluster string, node int32, problems []string) {
	node = -1
	for _, dir := range dirs {
		c, n, err := meta(dir)
		if err != nil && !os.IsNotExist(err) {
			problems = append(problems, fmt.Sprintf("log dir %s: %v", dir, err))
			continue
		}
		if c != "" && cluster == "" {
			cluster, node = c, n
		}
	}
	return cluster, node, problems
}
