package jvm

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Broker is one Kafka broker of this host, as it was when it was looked at.
type Broker struct {
	Process
	NSPID      int32  // in its own pid namespace
	UID        uint32 // effective
	MainClass  string
	Properties string // path of its configuration, can be opened; "" when it is not known

	NodeID    int32  // -1 while it is not known
	ClusterID string // "" while it is not known
	Listeners []Listener
	LogDirs   []string // can be opened by us
	OtherNet  bool     // its network namespace is not ours: its packets pass elsewhere

	LibJVM string // can be opened by us; "" when it is not known
	JDK    string // its version; "" when it is not known

	// Starting: it does not listen everywhere yet, or its log dirs have no
	// identity yet. Look again a little later.
	Starting bool
	Problems []string // what could not be found out, and why; one clause each
}

// ErrNotBroker says that a process is no JVM, or a Kafka without the role of
// a broker.
var ErrNotBroker = errors.New("not a Kafka broker")

// Find looks at every broker of the host. It is Candidates and Inspect; who
// asks again and again inspects only the candidates that are new to him.
func Find(root string) ([]Broker, error) {
	found, err := Candidates(root)
	if err != nil {
		return nil, err
	}
	var out []Broker
	for _, c := range found {
		b, err := Inspect(root, c.PID)
		switch {
		case errors.Is(err, ErrGone) || errors.Is(err, ErrNotBroker):
		case err != nil:
			return nil, fmt.Errorf("inspect %d: %w", c.PID, err)
		default:
			out = append(out, b)
		}
	}
	return out, nil
}

// Inspect looks at one process. It need not have a main class that we know:
// any JVM whose arguments name a properties file is taken at the caller's word.
func Inspect(root string, pid int32) (Broker, error) {
	p := proc{root, pid}
	argv, err := p.commandLine()
	if err != nil {
		return Broker{}, err
	}
	cmd := parseCommand(argv)
	file, overrides := cmd.configuration()
	if !cmd.isBroker() && file == "" {
		return Broker{}, fmt.Errorf("pid %d: %w", pid, ErrNotBroker)
	}
	b := Broker{Process: Process{PID: pid}, MainClass: cmd.main, NodeID: -1}
	if b.StartTime, err = p.startTime(); err != nil {
		return Broker{}, err
	}
	who, err := p.who()
	if err != nil {
		return Broker{}, err
	}
	b.UID, b.NSPID = who.user.uid, who.nspid
	v := p.view()
	if err := b.library(p, v); err != nil && !cmd.isBroker() {
		return Broker{}, fmt.Errorf("pid %d: %w: %w", pid, ErrNotBroker, err)
	}
	config, known := b.configure(v, file, overrides)
	if roles := config.list("process.roles"); len(roles) > 0 && !slices.Contains(roles, "broker") {
		return Broker{}, fmt.Errorf("pid %d has only the role %s: %w", pid, roles[0], ErrNotBroker)
	}
	b.listeners(p, config, known)
	b.logs(v, config, known)
	if !Alive(root, b.Process) {
		return Broker{}, ErrGone
	}
	return b, nil
}

func (b *Broker) problem(format string, args ...any) {
	b.Problems = append(b.Problems, fmt.Sprintf(format, args...))
}

func (b *Broker) library(p proc, v view) error {
	lib, doubt, err := p.library(v)
	if err != nil {
		b.Starting = b.Starting || errors.Is(err, ErrNoJVM)
		b.problem("libjvm.so: %v", err)
		return err
	}
	if doubt != nil {
		b.problem("libjvm.so: %v", doubt)
	}
	b.LibJVM, b.JDK = lib.path, lib.version(v)
	return nil
}

// configure reads the properties file; known is false where nothing can be
// said of the configuration.
func (b *Broker) configure(v view, file string, overrides []string) (config properties, known bool) {
	config = properties{}
	path, err := v.open(file)
	var text []byte
	if err == nil {
		text, err = readBounded(path, maxProperties)
	}
	if err != nil {
		b.problem("configuration: %v", err)
		return config, false
	}
	b.Properties = path
	config.parse(string(text))
	for _, o := range overrides {
		config.set(o)
	}
	return config, true
}

func (b *Broker) listeners(p proc, config properties, configured bool) {
	same, known := p.sameNamespace("net")
	b.OtherNet = known && !same
	sockets, sure, err := p.listening()
	if err != nil {
		b.problem("listening sockets: %v", err)
		return
	}
	if configured && config["listeners"] == "" {
		config["listeners"] = "PLAINTEXT://:9092" // SocketServerConfigs.LISTENERS_DEFAULT
	}
	if !configured || strings.Contains(config["listeners"], "${") {
		b.unconfigured(sockets, sure)
		return
	}
	if !sure {
		b.problem("its descriptors may not be seen: listeners are those of its configuration")
	}
	found, missing, err := config.matchListeners(sockets)
	if err != nil {
		b.problem("%v", err)
		b.unconfigured(sockets, sure)
		return
	}
	b.Listeners = found
	if len(missing) > 0 {
		b.Starting = true
		b.problem("not listening yet: %s", strings.Join(missing, ", "))
	}
}

// unconfigured takes every listening socket of the process.
func (b *Broker) unconfigured(sockets []netip.AddrPort, sure bool) {
	if !sure {
		b.problem("neither its configuration nor its descriptors may be seen: no listeners known")
		return
	}
	for _, s := range sockets {
		b.Listeners = append(b.Listeners, Listener{Addr: s})
	}
	b.Starting = b.Starting || len(sockets) == 0
	b.problem("its listeners are not known from its configuration: all %d listening ports are taken", len(sockets))
}

func (b *Broker) logs(v view, config properties, known bool) {
	if !known {
		return
	}
	dirs, err := config.logDirs(v)
	if err != nil {
		b.problem("%v", err)
		return
	}
	b.LogDirs = dirs
	cluster, node, problems := identify(dirs)
	b.Problems = append(b.Problems, problems...)
	b.ClusterID, b.NodeID = cluster, node
	if n := config.nodeID(); n >= 0 {
		b.NodeID = n
	}
	if cluster == "" && len(problems) == 0 {
		b.Starting = true
		b.problem("no log dir has a meta.properties yet")
	}
}
