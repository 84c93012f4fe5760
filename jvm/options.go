package jvm

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"strings"
)

const (
	maxEnviron  = 4 << 20
	maxVariable = 1 << 20 // 128 KB is the kernel's bound for one string
)

// startOptions are those that the JVM was started with, of two for one thing
// the last wins: JAVA_TOOL_OPTIONS, JDK_JAVA_OPTIONS, the command line,
// _JAVA_OPTIONS (Arguments::parse, java.c). Files of options are not read.
func (p proc) startOptions() ([]string, error) {
	argv, err := p.commandLine()
	if err != nil {
		return nil, err
	}
	env, _ := p.optionVariables() // of another uid, the command line must do
	options := strings.Fields(env["JAVA_TOOL_OPTIONS"])
	options = append(options, strings.Fields(env["JDK_JAVA_OPTIONS"])...)
	options = append(options, parseCommand(argv).options...)
	return append(options, strings.Fields(env["_JAVA_OPTIONS"])...), nil
}

// flagAtStart reads the probe flag from the options that the JVM was started
// with.
func (p proc) flagAtStart() (on bool, err error) {
	options, err := p.startOptions()
	if err != nil {
		return false, err
	}
	for _, o := range options {
		switch o { // -XX:-ExtendedDTraceProbes leaves the others as they are
		case "-XX:+" + probeFlag, "-XX:+" + allProbes:
			on = true
		case "-XX:-" + probeFlag:
			on = false
		}
	}
	return on, nil
}

// optionVariables reads the three variables and passes over all others
// without keeping them.
func (p proc) optionVariables() (map[string]string, error) {
	f, err := os.Open(p.path("environ"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := make(map[string]string, 3)
	buf := make([]byte, 64<<10)
	defer func() { clear(buf[:cap(buf)]) }()
	s := bufio.NewScanner(io.LimitReader(f, maxEnviron))
	s.Buffer(buf, maxVariable)
	s.Split(splitNUL)
	for s.Scan() {
		name, value, _ := bytes.Cut(s.Bytes(), []byte("="))
		switch string(name) {
		case "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS":
			out[string(name)] = string(value)
		}
	}
	return out, s.Err()
}

func splitNUL(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
