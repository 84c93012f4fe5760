package jvm

import (
	"path"
	"strings"
)

// mainClasses are the known entry points of a Kafka broker.
var mainClasses = map[string]bool{
	"kafka.Kafka": true,
	"io.confluent.support.metrics.SupportedKafka": true,
}

// spaced are the launcher's options whose value is the next argument
// (java.c: IsWhiteSpaceOption).
var spaced = map[string]bool{
	"-cp": true, "-classpath": true, "--class-path": true,
	"-p": true, "--module-path": true, "--upgrade-module-path": true,
	"--add-modules": true, "--limit-modules": true, "--add-exports": true,
	"--add-opens": true, "--add-reads": true, "--patch-module": true,
	"--enable-native-access": true, "--source": true,
}

// command is a java command line, cut into its parts.
type command struct {
	options   []string // of the JVM
	main      string   // class, or the jar's path
	arguments []string // of the main class
}

func parseCommand(argv []string) command {
	var c command
	for i := 1; i < len(argv); i++ {
		switch a := argv[i]; {
		case a == "-jar" || a == "-m" || a == "--module":
		case spaced[a]:
			i++
		case strings.HasPrefix(a, "-") || strings.HasPrefix(a, "@"):
			c.options = append(c.options, a)
		default:
			c.main, c.arguments = a, argv[i+1:]
			return c
		}
	}
	return c
}

func (c command) isBroker() bool { return mainClasses[c.main] }

// properties is the path of the configuration file: the first argument, for
// a wrapper the first that looks like one. Overrides come in order.
func (c command) configuration() (file string, overrides []string) {
	for i := 0; i < len(c.arguments); i++ {
		a := c.arguments[i]
		switch {
		case a == "--override" && i+1 < len(c.arguments):
			i++
			overrides = append(overrides, c.arguments[i])
		case strings.HasPrefix(a, "--override="):
			overrides = append(overrides, strings.TrimPrefix(a, "--override="))
		case file == "" && (path.Ext(a) == ".properties" || i == 0 && c.isBroker() && !strings.HasPrefix(a, "-")):
			file = a
		}
	}
	return file, overrides
}
