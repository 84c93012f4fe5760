// Package report prints: rows as tables or as JSON lines, and traces as
// waterfalls for a terminal.
//
// It knows the rows of package assemble and spans.Trace; it takes no decision
// but --threshold, and asks no clock.
//
// The names of the JSON fields are those of the structs in package assemble,
// which scripts outside the repository rely on. Tables are for the eye: their
// columns stand in the order of the design, times are those of the local clock,
// and control characters in names from the wire are escaped.
package report
