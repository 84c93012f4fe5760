package canary

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
)

// form is one way to write bytes down. Each byte's part depends on no other one.
type form struct {
	name   string
	write  func([]byte) []byte
	ofText bool // what is no UTF-8 is replaced: nothing is left to be found
}

// forms are all in which a mark may come out of a program.
var forms = []form{
	{name: "raw", write: func(b []byte) []byte { return b }},
	{name: "base64", write: aligned(base64.StdEncoding, 0)}, {name: "base64+1", write: aligned(base64.StdEncoding, 1)}, {name: "base64+2", write: aligned(base64.StdEncoding, 2)},
	{name: "base64url", write: aligned(base64.URLEncoding, 0)}, {name: "base64url+1", write: aligned(base64.URLEncoding, 1)}, {name: "base64url+2", write: aligned(base64.URLEncoding, 2)},
	{name: "hex", write: each("", verb("%02x"))}, {name: "HEX", write: each("", verb("%02X"))}, {name: "hex dump", write: each(" ", verb("%02x"))},
	{name: "hex words", write: words(0)}, {name: "hex words+1", write: words(1)},
	{name: "url query", write: each("", url.QueryEscape)}, {name: "url path", write: each("", url.PathEscape)},
	{name: "url, all", write: each("", verb("%%%02X"))}, {name: "url, all, lower", write: each("", verb("%%%02x"))},
	{name: "json", write: each("", marshalled), ofText: true}, {name: "json of Latin-1", write: each("", func(s string) string { return marshalled(latin1(s)) })},
	{name: "json, all", write: each("", verb(`\u%04x`))}, {name: "JSON, all", write: each("", verb(`\u%04X`))},
	{name: "quoted", write: each("", func(s string) string { return unquoted(strconv.Quote(s)) })},
	{name: "octal", write: each("", verb(`\%03o`))}, {name: "quoted, all", write: each("", verb(`\x%02x`))},
	{name: "html", write: each("", html.EscapeString)},
	{name: "UTF-16LE", write: each("", func(s string) string { return s + "\x00" })}, {name: "UTF-16BE", write: each("", func(s string) string { return "\x00" + s })},
	{name: "Latin-1", write: each("", latin1)},
	{name: "numbers", write: each(" ", verb("%d"))}, {name: "numbers, commas", write: each(",", verb("%d"))}, {name: "numbers, commas and spaces", write: each(", ", verb("%d"))},
	{name: "bytes of Java", write: each(", ", func(s string) string { return strconv.Itoa(int(int8(s[0]))) })},
}

// each writes byte by byte; write is given one.
func each(between string, write func(string) string) func([]byte) []byte {
	var written [256]string
	for i := range written {
		written[i] = write(string([]byte{byte(i)}))
	}
	return func(b []byte) (out []byte) {
		for i, c := range b {
			if i > 0 {
				out = append(out, between...)
			}
			out = append(out, written[c]...)
		}
		return out
	}
}

func verb(format string) func(string) string {
	return func(s string) string { return fmt.Sprintf(format, s[0]) }
}

// words is hex in groups of two bytes, as hexdump and xxd write it; one of them
// ends after the first byte, or after the second.
func words(odd int) func([]byte) []byte {
	pair := each("", verb("%02x"))
	return func(b []byte) (out []byte) {
		for i := range b {
			if i > 0 && i%2 == odd {
				out = append(out, ' ')
			}
			out = append(out, pair(b[i:i+1])...)
		}
		return out
	}
}

// aligned writes bytes as base64 in the midst of others: as many before them,
// and of the ends only what depends on nothing else.
func aligned(e *base64.Encoding, before int) func([]byte) []byte {
	e = e.WithPadding(base64.NoPadding)
	return func(b []byte) []byte {
		all := e.AppendEncode(nil, append(make([]byte, before), b...))
		from, whole := (before*8+5)/6, (before+len(b))*8/6
		return all[from:whole]
	}
}

func marshalled(s string) string {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always can be
	}
	return unquoted(string(out))
}

func unquoted(s string) string { return s[1 : len(s)-1] }

// latin1 is a text of the characters that bytes are in Latin-1.
func latin1(s string) string {
	var out strings.Builder
	for _, c := range []byte(s) {
		out.WriteRune(rune(c))
	}
	return out.String()
}
