package jvm

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// kafkaClassPath is where Kafka's jars are: the live tests need a real broker.
func kafkaClassPath(t *testing.T) string {
	dir := os.Getenv("LAB_KAFKA_LIBS")
	if dir == "" {
		t.Skip("LAB_KAFKA_LIBS does not name the directory of Kafka's jars")
	}
	return filepath.Join(dir, "*")
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestKafka finds a real broker while it starts, when it is up and after its
// end. A relative path, a JMX port and an --override are
// in its way.
func TestKafka(t *testing.T) {
	cp, dir := kafkaClassPath(t), t.TempDir()
	port, ctl, jmx := freePort(t), freePort(t), freePort(t)
	config := fmt.Sprintf(`process.roles=broker,controller
node.id=3
controller.quorum.voters=3@127.0.0.1:%d
listeners=CLIENT://127.0.0.1:%d,CTL://127.0.0.1:%d
controller.listener.names=CTL
inter.broker.listener.name=CLIENT
listener.security.protocol.map=CLIENT:PLAINTEXT,CTL:PLAINTEXT
log.dirs=%s/overridden
`, ctl, port, ctl, dir)
	for name, logs := range map[string]string{"format.properties": dir + "/data", "server.properties": dir + "/overridden"} {
		text := config + "log.dirs=" + logs + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	format := exec.Command("java", "-cp", cp, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", dir+"/format.properties")
	if out, err := format.CombinedOutput(); err != nil {
		t.Fatalf("format: %v: %s", err, out)
	}
	cmd := exec.Command("java", "-Xmx256m", "-XX:+DTraceMonitorProbes", "-Dcom.sun.management.jmxremote.host=127.0.0.1",
		fmt.Sprintf("-Dcom.sun.management.jmxremote.port=%d", jmx), "-Dcom.sun.management.jmxremote.ssl=false",
		"-Dcom.sun.management.jmxremote.authenticate=false", "-cp", cp, "kafka.Kafka", "server.properties", "--override", "log.dirs="+dir+"/data")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	pid := int32(cmd.Process.Pid)

	b, starting := awaitBroker(t, pid)
	if !starting {
		t.Error("it was never seen starting")
	}
	wantAddr := fmt.Sprintf("127.0.0.1:%d", port)
	if len(b.Listeners) != 1 || b.Listeners[0].Name != "CLIENT" || b.Listeners[0].Addr.String() != wantAddr || b.Listeners[0].Protocol != "PLAINTEXT" {
		t.Errorf("listeners %+v, want CLIENT at %s", b.Listeners, wantAddr)
	}
	if len(b.LogDirs) != 1 || b.LogDirs[0] != dir+"/data" || b.ClusterID != "MkU3OEVBNTcwNTJENDM2Qg" || b.NodeID != 3 {
		t.Errorf("%+v", b)
	}
	if len(b.Problems) != 0 || b.LibJVM == "" || b.JDK == "" || b.OtherNet {
		t.Errorf("%+v", b)
	}
	if _, err := MonitorSites(b.LibJVM); err != nil {
		t.Error(err)
	}
	if on, err := MonitorProbes("/proc", pid); err != nil || !on {
		t.Errorf("MonitorProbes: %v, %v", on, err)
	}
	if !Alive("/proc", b.Process) {
		t.Error("not alive")
	}
	cmd.Process.Kill()
	cmd.Wait()
	if Alive("/proc", b.Process) {
		t.Error("alive after its end")
	}
}

func awaitBroker(t *testing.T, pid int32) (b Broker, starting bool) {
	t.Helper()
	for range 300 {
		found, err := Find("/proc")
		if err != nil {
			t.Fatal(err)
		}
		for _, b = range found {
			if b.PID != pid {
				continue
			}
			if !b.Starting {
				return b, starting
			}
			starting = true
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("it does not come up: %+v", b)
	return b, starting
}
