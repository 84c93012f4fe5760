package report

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// What other pictures say of a span, in the words of the waterfall.

// Facts are what matters of a span, a phrase each.
func Facts(s *spans.Span) []string {
	p := &picture{glyphs: utf8Glyphs}
	return p.facts(s)
}

// About is what matters of a trace's root.
func About(root *spans.Span) []string { return about(root) }

// LinkMeaning is what a kind of link leads to.
func LinkMeaning(kind string) string { return meaning(kind) }

// Clean escapes what is not printable in text from the wire.
func Clean(s string) string { return clean(s) }

// Duration has four digits at most, in the unit that suits it.
func Duration(ns int64) string { return duration(ns) }

// Size is a number of bytes the way people say it.
func Size(n int64) string { return size(n) }

// Count is how many there are of something.
func Count(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(int64(n)) + " " + many
}

// AttributeValue is what JSON can hold of an attribute's value.
func AttributeValue(v attribute.Value) any { return value(v) }
