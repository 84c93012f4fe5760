package jvm

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxThreadName is how many bytes of a thread's name are kept, as many as a
// probe's record has.
const MaxThreadName = 128

// JavaText is HotSpot's modified UTF-8 as UTF-8, up to MaxThreadName bytes: it
// writes NUL as two bytes, and what is beyond the Basic Multilingual Plane as
// two surrogates of three (JVMS 4.4.7). What is neither, or cut off, becomes
// U+FFFD.
func JavaText(b []byte) string {
	var s strings.Builder
	for len(b) > 0 {
		r, n := javaRune(b)
		if s.Len()+utf8.RuneLen(r) > MaxThreadName {
			break
		}
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}

func javaRune(b []byte) (r rune, n int) {
	if len(b) >= 2 && b[0] == 0xc0 && b[1] == 0x80 {
		return 0, 2
	}
	if high, ok := surrogate(b); ok {
		low, _ := surrogate(b[3:])
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, 6
		}
		return utf8.RuneError, 3
	}
	return utf8.DecodeRune(b)
}

func surrogate(b []byte) (r rune, ok bool) {
	if len(b) < 3 || b[0] != 0xed || b[1]&0xe0 != 0xa0 || b[2]&0xc0 != 0x80 {
		return 0, false
	}
	return 0xd000 | rune(b[1]&0x3f)<<6 | rune(b[2]&0x3f), true
}

const commLen = 15 // TASK_COMM_LEN without its NUL

// KernelNames are what HotSpot tells the kernel of a thread's name: its first
// 15 bytes, or, from JDK 22 on, 7 from its beginning, two dots, and 6 from its
// end (os_linux.cpp, os::set_native_thread_name). A name that is no longer is
// both. Threads that HotSpot did not start, main among them, keep another.
func KernelNames(name string) [2]string {
	raw := modified(name)
	if len(raw) <= commLen {
		return [2]string{raw, raw}
	}
	return [2]string{raw[:commLen], raw[:7] + ".." + raw[len(raw)-6:]}
}

// modified is the other way of JavaText.
func modified(s string) string {
	var b []byte // nil: all is as it is
	for i, r := range s {
		plain := r != 0 && r <= 0xffff
		if b == nil && !plain {
			b = append(make([]byte, 0, len(s)+8), s[:i]...)
		}
		switch {
		case b == nil:
		case plain:
			b = utf8.AppendRune(b, r)
		case r == 0:
			b = append(b, 0xc0, 0x80)
		default:
			high, low := utf16.EncodeRune(r)
			for _, half := range [...]rune{high, low} {
				b = append(b, 0xe0|byte(half>>12), 0x80|byte(half>>6)&0x3f, 0x80|byte(half)&0x3f)
			}
		}
	}
	if b == nil {
		return s
	}
	return string(b)
}
