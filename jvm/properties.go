package jvm

import (
	"strconv"
	"strings"
)

const (
	maxProperties = 1 << 20 // a server.properties with all its comments has 30 KB
	maxValue      = 16 << 10
)

// wanted lists every setting that is ever kept of a broker's configuration.
// All else, passwords among it, is skipped before its value is looked at.
var wanted = map[string]bool{
	"process.roles":                  true,
	"node.id":                        true,
	"broker.id":                      true,
	"listeners":                      true,
	"advertised.listeners":           true,
	"controller.listener.names":      true,
	"listener.security.protocol.map": true,
	"log.dir":                        true,
	"log.dirs":                       true,
	"cluster.id":                     true, // of meta.properties
}

type properties map[string]string

// parseProperties reads the format of java.util.Properties into p; later
// settings win.
func (p properties) parse(text string) {
	for len(text) > 0 {
		var line string
		line, text = logicalLine(text)
		key, value := splitProperty(line)
		if key = unescape(key); wanted[key] && len(value) <= maxValue {
			p[key] = strings.TrimSpace(unescape(value))
		}
	}
}

// set takes one key=value, as behind --override.
func (p properties) set(pair string) {
	if key, value, ok := strings.Cut(pair, "="); ok && wanted[key] && len(value) <= maxValue {
		p[key] = strings.TrimSpace(value)
	}
}

// logicalLine joins what an odd number of backslashes at the end continues.
func logicalLine(text string) (line, rest string) {
	var b strings.Builder
	for {
		natural := text
		if i := strings.IndexAny(text, "\r\n"); i < 0 {
			text = ""
		} else {
			natural, text = text[:i], text[i+1:]
		}
		natural = strings.TrimLeft(natural, " \t\f")
		if b.Len() == 0 && (natural == "" || natural[0] == '#' || natural[0] == '!') {
			return "", text
		}
		body := strings.TrimRight(natural, `\`)
		if (len(natural)-len(body))%2 == 0 {
			b.WriteString(natural)
			return b.String(), text
		}
		b.WriteString(natural[:len(natural)-1])
		text = strings.TrimPrefix(text, "\n") // the second half of \r\n
		if text == "" {
			return b.String(), ""
		}
	}
}

// splitProperty cuts at the first unescaped '=', ':' or white space.
func splitProperty(line string) (key, value string) {
	i := 0
	for i < len(line) && !strings.ContainsRune("=: \t\f", rune(line[i])) {
		if line[i] == '\\' {
			i++
		}
		i++
	}
	i = min(i, len(line))
	key, value = line[:i], strings.TrimLeft(line[i:], " \t\f")
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], " \t\f")
	}
	return key, value
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			if n, err := strconv.ParseUint(s[i+1:min(i+5, len(s))], 16, 16); err == nil && i+5 <= len(s) {
				b.WriteRune(rune(n))
				i += 4
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// list splits a comma-separated value.
func (p properties) list(key string) []string {
	var out []string
	for part := range strings.SplitSeq(p[key], ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
