package canary

import (
	"encoding/base64"
	"encoding/hex"
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
	{name: "hex", write: text(hex.EncodeToString)}, {name: "HEX", write: each("%02X", "")}, {name: "hex dump", write: each("%02x", " ")}, {name: "hex words", write: words(0)}, {name: "hex words+1", write: words(1)},
	{name: "url query", write: text(func(b []byte) string { return url.QueryEscape(string(b)) })},
	{name: "url path", write: text(func(b []byte) string { return url.PathEscape(string(b)) })},
	{name: "url, all", write: each("%%%02X", "")}, {name: "url, all, lower", write: each("%%%02x", "")},
	{name: "json", write: marshalled, ofText: true}, {name: "json of Latin-1", write: text(func(b []byte) string { return string(marshalled([]byte(latin1(b)))) })},
	{name: "json, all", write: each(`\u%04x`, "")}, {name: "JSON, all", write: each(`\u%04X`, "")},
	{name: "quoted", write: text(func(b []byte) string { return unquoted(strconv.Quote(string(b))) })},
	{name: "quoted, ASCII", write: text(func(b []byte) string { return unquoted(strconv.QuoteToASCII(string(b))) })},
	{name: "octal", write: each(`\%03o`, "")}, {name: "quoted, all", write: each(`\x%02x`, "")},
	{name: "html", write: text(func(b []byte) string { return html.EscapeString(string(b)) })},
	{name: "UTF-16LE", write: utf16(0)}, {name: "UTF-16BE", write: utf16(1)}, {name: "Latin-1", write: text(latin1)},
	{name: "numbers", write: each("%d", " ")}, {name: "numbers, commas", write: each("%d", ",")}, {name: "numbers, commas and spaces", write: each("%d", ", ")},
	{name: "bytes of Java", write: signed},
}

func text(f func([]byte) string) func([]byte) []byte {
	return func(b []byte) []byte { return []byte(f(b)) }
}

// aligned writes bytes as base64 in the midst of others: as many before them,
// and of the ends only what depends on nothing else.
func aligned(e *base64.Encoding, before int) func([]byte) []byte {
	return func(b []byte) []byte {
		all := e.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, before), b...))
		from, whole := (before*8+5)/6, (before+len(b))*8/6
		return []byte(all[from:whole])
	}
}

func each(format, between string) func([]byte) []byte {
	return func(b []byte) []byte {
		parts := make([]string, len(b))
		for i, c := range b {
			parts[i] = fmt.Sprintf(format, c)
		}
		return []byte(strings.Join(parts, between))
	}
}

// words is hex in groups of two bytes, as hexdump and xxd write it; one of them
// ends after the first byte, or after the second.
func words(odd int) func([]byte) []byte {
	return func(b []byte) []byte {
		var out []byte
		for i, c := range b {
			if i > 0 && i%2 == odd {
				out = append(out, ' ')
			}
			out = fmt.Appendf(out, "%02x", c)
		}
		return out
	}
}

func signed(b []byte) []byte {
	var parts []string
	for _, c := range b {
		parts = append(parts, strconv.Itoa(int(int8(c))))
	}
	return []byte(strings.Join(parts, ", "))
}

func marshalled(b []byte) []byte {
	out, err := json.Marshal(string(b))
	if err != nil {
		panic(err) // a string always can be
	}
	return out[1 : len(out)-1]
}

func unquoted(s string) string { return s[1 : len(s)-1] }

func latin1(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String()
}

// utf16 writes each byte as a character of two bytes, at first or last.
func utf16(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		out := make([]byte, 2*len(b))
		for i, c := range b {
			out[2*i+at] = c
		}
		return out
	}
}
