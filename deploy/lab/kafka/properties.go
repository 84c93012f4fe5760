package kafka

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

const clusterID = "TailspanLabCluster0000"

// controllerName is the listener's of KRaft's controller.
const controllerName = "CONTROLLER"

// properties is the server.properties of a broker of n.
func (b *Broker) properties(n int, q *quorum) ([]byte, error) {
	replicas := strconv.Itoa(min(n, 3))
	var listeners []string
	for _, p := range slices.Sorted(maps.Keys(b.ports)) {
		listeners = append(listeners, fmt.Sprintf("%s://%s", p, loopback(b.ports[p])))
	}
	p := map[string]string{
		"listeners":                                strings.Join(listeners, ","),
		"advertised.listeners":                     strings.Join(listeners, ","),
		"log.dirs":                                 b.LogDir,
		"offsets.topic.replication.factor":         replicas,
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            strconv.Itoa(max(min(n, 3)-1, 1)),
		"group.initial.rebalance.delay.ms":         "0",
		// 128 MiB by default, half of a small heap.
		"log.cleaner.dedupe.buffer.size": "4194304", "log.cleaner.threads": "1",
	}
	q.configure(p, b.ID)
	if err := b.secure(p); err != nil {
		return nil, err
	}
	maps.Copy(p, b.Config.Properties)
	return propertiesFile(p), nil
}

// propertiesFile is a file of Java's properties.
func propertiesFile(p map[string]string) []byte {
	var out []byte
	for _, k := range slices.Sorted(maps.Keys(p)) {
		out = fmt.Appendf(out, "%s=%s\n", k, strings.ReplaceAll(p[k], "\n", `\n`))
	}
	return out
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePorts finds n ports that nobody listens on, each another one.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find free port: %w", err)
		}
		defer l.Close() // all are held until the last is found
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
