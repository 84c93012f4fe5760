package jvm

import (
	"reflect"
	"testing"
)

func TestParseProperties(t *testing.T) {
	for text, want := range map[string]properties{
		"log.dirs=/a":                        {"log.dirs": "/a"},
		"  log.dirs  :  /a b  \r\nnode.id 7": {"log.dirs": "/a b", "node.id": "7"},
		"#node.id=1\n!node.id=2\nnode.id=3":  {"node.id": "3"},
		"node.id=1\nnode.id=2":               {"node.id": "2"},
		"log.dirs=/a,\\\r\n   /b,\\\n/c":     {"log.dirs": "/a,/b,/c"},
		"log.dirs=/a\\\\\nnode.id=1":         {"log.dirs": `/a\`, "node.id": "1"},
		`log\.dirs=\u002fa\tb\:`:             {"log.dirs": "/a\tb:"},
		`log.dirs=\u12`:                      {"log.dirs": "12"}, // Java refuses the file
		"password=x\\\nnode.id=1":            {},                 // that is the password's second line
		"node.id":                            {"node.id": ""},
		"log.dirs=/a\\":                      {"log.dirs": "/a"},
	} {
		got := properties{}
		if got.parse(text); !reflect.DeepEqual(got, want) {
			t.Errorf("parse(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestEndpoints(t *testing.T) {
	for text, ok := range map[string]bool{
		"PLAINTEXT://:9092": true, "A://[::]:1,b://h:65535": true, "A://h:0": true,
		"A://h": false, "h:1": false, "A://h:65536": false, "://h:1": false, "A://h:-1": false,
	} {
		p := properties{"listeners": text}
		if e, err := p.endpoints("listeners"); (err == nil) != ok {
			t.Errorf("%s: %+v, %v", text, e, err)
		}
	}
}

func FuzzParseProperties(f *testing.F) {
	f.Add("log.dirs=/a,\\\n/b\nnode.id:1\n#x\npassword \\u0041")
	f.Fuzz(func(t *testing.T, text string) {
		p := properties{}
		p.parse(text)
		for key, value := range p {
			if !wanted[key] || len(value) > 3*len(text) { // an escape of 6 bytes is at most 3
				t.Errorf("%q = %q", key, value)
			}
		}
		p.endpoints("listeners")
	})
}
