package kafka

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// openMetrics has the JVM answer JMX on loopback, once. Not by its options:
// with those it opens a port of its own choice on all addresses as well.
func (b *Broker) openMetrics(ctx context.Context) error {
	if b.jmxPort != 0 {
		return nil
	}
	free, err := freePorts(1)
	if err != nil {
		return err
	}
	jcmd, err := exec.LookPath("jcmd")
	if err != nil {
		return ErrNoJava
	}
	cmd := exec.CommandContext(ctx, jcmd, strconv.Itoa(b.PID()), "ManagementAgent.start", "jmxremote.host=127.0.0.1",
		fmt.Sprintf("jmxremote.port=%d", free[0]), fmt.Sprintf("jmxremote.rmi.port=%d", free[0]),
		"jmxremote.authenticate=false", "jmxremote.ssl=false")
	if _, err := run(child.Guard(cmd), "jcmd"); err != nil {
		return err
	}
	b.jmxPort = free[0]
	return nil
}

// produceBeans counts per version of the request; the broker counts a request
// once its response is sent, and one without a response once it is handled
// (RequestChannel.updateRequestMetrics).
const produceBeans = "kafka.network:type=RequestMetrics,name=RequestsPerSec,request=Produce,version=*"

// ProduceRequests is the broker's own count of its produce requests since it
// was started, by their version. Each call starts a small JVM.
func (b *Broker) ProduceRequests(ctx context.Context) (map[int]int64, error) {
	if err := b.openMetrics(ctx); err != nil {
		return nil, fmt.Errorf("open metrics: %w", err)
	}
	out, err := b.Dist.runTool(ctx, "org.apache.kafka.tools.JmxTool", "--one-time", "--report-format", "properties",
		"--jmx-url", fmt.Sprintf("service:jmx:rmi:///jndi/rmi://%s/jmxrmi", loopback(b.jmxPort)),
		"--object-name", produceBeans, "--attributes", "Count")
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return parseProduceRequests(string(out))
}

var produceCount = regexp.MustCompile(`request=Produce,version=(\d+):Count=(\d+)$`)

// parseProduceRequests reads lines of bean:attribute=value. A broker that had
// no request yet has no bean.
func parseProduceRequests(out string) (map[int]int64, error) {
	counts := map[int]int64{}
	for line := range strings.Lines(out) {
		m := produceCount.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		version, err1 := strconv.Atoi(m[1])
		count, err2 := strconv.ParseInt(m[2], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("read metrics: %w", err)
		}
		counts[version] = count
	}
	return counts, nil
}
