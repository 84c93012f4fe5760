package jvm

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// host is a proc file system made by hand.
type host struct {
	t    testing.TB
	root string
}

func newHost(t testing.TB) host {
	h := host{t, t.TempDir()}
	h.link("self/ns/net", "net:[1]")
	h.link("self/ns/mnt", "mnt:[1]")
	return h
}

func (h host) file(name, text string) {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h host) link(name, target string) {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		h.t.Fatal(err)
	}
}

const (
	tcpHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	jvmLine   = "7f4ca2e00000-7f4ca3051000 r--p 00000000 00:00 1 /opt/jdk/lib/server/libjvm.so\n"
)

// container adds the process of a broker in namespaces of its own: its root
// is a directory of the test's.
func (h host) container(pid int, argv ...string) (dir string) {
	dir = strconv.Itoa(pid)
	h.file(dir+"/comm", "java\n")
	h.file(dir+"/cmdline", strings.Join(argv, "\x00")+"\x00")
	h.file(dir+"/stat", fmt.Sprintf("%d (a (java) x) S 1 %s4711 0\n", pid, strings.Repeat("0 ", 17)))
	h.file(dir+"/status", fmt.Sprintf("Name:\tjava\nUid:\t0\t1001\t0\t0\nNSpid:\t%d\t9\n", pid))
	h.file(dir+"/maps", "00400000-00401000 r--p 00000000 00:00 0 [heap]\n"+jvmLine)
	h.file(dir+"/net/tcp", tcpHeader)
	h.file(dir+"/environ", "")
	h.link(dir+"/ns/net", "net:[2]")
	h.link(dir+"/ns/mnt", "mnt:[2]")
	h.link(dir+"/cwd", "/opt/kafka")
	h.file(dir+"/root/opt/jdk/release", "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"21.0.8\"\n")
	h.file(dir+"/root/opt/jdk/lib/server/libjvm.so", "")
	h.file(dir+"/fd/0", "")
	return dir
}

// listen adds listening sockets: addresses as the kernel prints them.
func (h host) listen(dir string, table string, addrs ...string) {
	text := tcpHeader
	for i, a := range addrs {
		inode := len(table)*100 + i
		text += fmt.Sprintf("   %d: %s 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 %d 1 0 100 0\n", i, a, inode)
		h.link(fmt.Sprintf("%s/fd/%d", dir, inode), fmt.Sprintf("socket:[%d]", inode))
	}
	// Another process's socket, and a connection.
	text += "   8: 00000000:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 99 1 0 100 0\n"
	text += "   9: 0100007F:2384 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1001        0 98 1 0 100 0\n"
	h.file(dir+"/net/"+table, text)
}

func TestInspectContainer(t *testing.T) {
	h := newHost(t)
	dir := h.container(42, "/opt/jdk/bin/java", "-Xmx1g", "-cp", "/libs/kafka.Kafka/*", "kafka.Kafka",
		"config/server.properties", "--override", "log.dirs=/data/a, /data/link", "--override", "ssl.key.password=hush")
	h.file(dir+"/root/opt/kafka/config/real.properties", `
# listeners=PLAINTEXT://nobody:1
process.roles = broker,controller
node.id:5
listeners=internal://:9092,\
   TLS://0.0.0.0:9093, LOCAL://127.0.0.1:9094 ,V6://[::1]:9095, CTL://:9096
advertised.listeners=INTERNAL://broker-5:19092
listener.security.protocol.map=INTERNAL:PLAINTEXT,TLS:SASL_SSL,LOCAL:SASL_PLAINTEXT,V6:SSL,CTL:PLAINTEXT
controller.listener.names=CTL
log.dirs=/overridden
ssl.keystore.password=hunter2
`)
	// Absolute links lead from the container's root, not from ours.
	h.link(dir+"/root/opt/kafka/config/server.properties", "/opt/kafka/config/real.properties")
	h.link(dir+"/root/data/link", "/disk/b/../c")
	h.file(dir+"/root/disk/c/meta.properties", "version=1\ncluster.id=abc-123\nnode.id=5\n")
	h.listen(dir, "tcp", "00000000:2385", "0100007F:2386", "00000000:2388", "00000000:270F")
	h.listen(dir, "tcp6", "00000000000000000000000000000000:2384", "00000000000000000000000001000000:2387")

	b, err := Inspect(h.root, 42)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort
	root := filepath.Join(h.root, dir, "root")
	want := Broker{
		Process: Process{42, 4711}, NSPID: 9, UID: 1001, MainClass: "kafka.Kafka",
		Properties: root + "/opt/kafka/config/real.properties", NodeID: 5, ClusterID: "abc-123",
		Listeners: []Listener{
			{"INTERNAL", at("[::]:9092"), "PLAINTEXT", "broker-5:19092"},
			{"TLS", at("0.0.0.0:9093"), "SASL_SSL", ""},
			{"LOCAL", at("127.0.0.1:9094"), "SASL_PLAINTEXT", ""},
			{"V6", at("[::1]:9095"), "SSL", ""},
		},
		LogDirs: []string{root + "/data/a", root + "/disk/c"}, OtherNet: true,
		LibJVM: root + "/opt/jdk/lib/server/libjvm.so", JDK: "21.0.8",
		Problems: []string{"libjvm.so: /opt/jdk/lib/server/libjvm.so cannot be proved to be the mapped one"},
	}
	if !reflect.DeepEqual(b, want) {
		t.Errorf("got  %+v\nwant %+v", b, want)
	}
	if s := fmt.Sprintf("%+v", b); strings.Contains(s, "hunter2") || strings.Contains(s, "hush") {
		t.Error("a password was kept")
	}
	if tls := []bool{b.Listeners[0].TLS(), b.Listeners[1].TLS(), b.Listeners[2].TLS(), b.Listeners[3].TLS()}; !reflect.DeepEqual(tls, []bool{false, true, false, true}) {
		t.Errorf("TLS: %v", tls)
	}
}

func TestStarting(t *testing.T) {
	h := newHost(t)
	dir := h.container(42, "java", "kafka.Kafka", "/etc/kafka.properties")
	h.file(dir+"/root/etc/kafka.properties", "listeners=PLAINTEXT://:9092\nlog.dirs=/data\n")
	b, err := Inspect(h.root, 42)
	if err != nil || !b.Starting || len(b.Listeners) != 0 || b.ClusterID != "" || b.NodeID != -1 {
		t.Errorf("no socket, no identity: %+v, %v", b, err)
	}
	h.listen(dir, "tcp", "00000000:2384")
	b, err = Inspect(h.root, 42)
	if err != nil || !b.Starting || len(b.Listeners) != 1 {
		t.Errorf("no identity: %+v, %v", b, err)
	}
	h.file(dir+"/root/data/meta.properties", "cluster.id=c\nbroker.id=3\n")
	b, err = Inspect(h.root, 42)
	if err != nil || b.Starting || b.ClusterID != "c" || b.NodeID != 3 {
		t.Errorf("up: %+v, %v", b, err)
	}
	h.file(dir+"/maps", "")
	b, err = Inspect(h.root, 42)
	if err != nil || !b.Starting || b.LibJVM != "" {
		t.Errorf("no libjvm yet: %+v, %v", b, err)
	}
}

// Without its configuration every socket of the process counts; with neither,
// none, and the broker is reported all the same.
func TestUnreadable(t *testing.T) {
	h := newHost(t)
	dir := h.container(42, "java", "kafka.Kafka", "/etc/none.properties")
	h.listen(dir, "tcp", "00000000:2384", "00000000:270F")
	b, err := Inspect(h.root, 42)
	if err != nil || len(b.Listeners) != 2 || b.Listeners[0].Protocol != "" || len(b.LogDirs) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	if all := strings.Join(b.Problems, "; "); !strings.Contains(all, "configuration") || !strings.Contains(all, "all 2 listening ports") {
		t.Errorf("problems: %s", all)
	}
	if err := os.RemoveAll(filepath.Join(h.root, dir, "fd")); err != nil {
		t.Fatal(err)
	}
	if b, err = Inspect(h.root, 42); err != nil || len(b.Listeners) != 0 {
		t.Errorf("without descriptors: %+v, %v", b, err)
	}
	h.file(dir+"/root/etc/none.properties", "listeners=PLAINTEXT://:9092\n")
	if b, err = Inspect(h.root, 42); err != nil || len(b.Listeners) != 1 || b.Listeners[0].Addr.Port() != 9092 {
		t.Errorf("by configuration alone: %+v, %v", b, err)
	}
}

func TestNotABroker(t *testing.T) {
	h := newHost(t)
	h.container(1, "java", "-jar", "app.jar")
	h.container(2, "java", "-cp", "kafka.Kafka", "org.example.Main", "kafka.Kafka")
	dir := h.container(3, "java", "kafka.Kafka", "/c.properties")
	h.file(dir+"/root/c.properties", "process.roles=controller\ncontroller.listener.names=C\nlisteners=C://:9093\n")
	h.container(4, "java", "org.example.Wrapper", "start", "/b.properties")
	h.file("5/comm", "kthreadd\n")
	for _, pid := range []int32{1, 2, 3} {
		if b, err := Inspect(h.root, pid); !errors.Is(err, ErrNotBroker) {
			t.Errorf("pid %d: %+v, %v", pid, b, err)
		}
	}
	if b, err := Inspect(h.root, 4); err != nil || b.MainClass != "org.example.Wrapper" {
		t.Errorf("asked for by pid: %+v, %v", b, err)
	}
	if _, err := Inspect(h.root, 6); !errors.Is(err, ErrGone) {
		t.Errorf("nobody: %v", err)
	}
	h.container(7, "/usr/bin/java", "-server", "io.confluent.support.metrics.SupportedKafka", "/b.properties")
	found, err := Find(h.root)
	if err != nil || len(found) != 1 || found[0].PID != 7 {
		t.Errorf("Find: %+v, %v", found, err)
	}
}

func TestAlive(t *testing.T) {
	h := newHost(t)
	h.container(42, "java", "kafka.Kafka")
	if !Alive(h.root, Process{42, 4711}) {
		t.Error("not alive")
	}
	if Alive(h.root, Process{42, 4712}) {
		t.Error("a recycled pid is alive")
	}
	if Alive(h.root, Process{43, 4711}) {
		t.Error("nobody is alive")
	}
	h.file("42/stat", "42 (java) Z 1 "+strings.Repeat("0 ", 17)+"4711 0\n")
	if Alive(h.root, Process{42, 4711}) {
		t.Error("a zombie is alive")
	}
}

// BenchmarkCandidates is a host of 5,000 processes, 50 of them Java.
func BenchmarkCandidates(b *testing.B) {
	h := newHost(b)
	for pid := range 5000 {
		h.file(fmt.Sprintf("%d/comm", pid+1), "postgres\n")
	}
	for pid := range 50 {
		h.container(pid+6000, "java", "-cp", strings.Repeat("/libs/x.jar:", 800), "org.example.Main")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Candidates(h.root); err != nil {
			b.Fatal(err)
		}
	}
}
