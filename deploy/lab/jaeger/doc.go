// Package jaeger builds, runs and asks a real Jaeger.
//
// Jaeger comes as a Go tool of a module of its own (tool/go.mod), built from
// the module proxy alone: tool/go.sum is Jaeger's own go.sum plus Jaeger
// itself, because the checksum database lacks some of what it needs. The
// program has no pages of its own this way; its API is whole.
package jaeger
