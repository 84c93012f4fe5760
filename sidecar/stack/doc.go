// Package stack says in a word why a thread of the kernel is where its stack
// says that it is.
//
// It knows function names; it must not know addresses' origin, records or spans.
package stack
