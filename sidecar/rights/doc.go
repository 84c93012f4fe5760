// Package rights knows Linux's capabilities: which of them tracing takes, what
// each is for, and how a process gives up those that it needs no more.
//
// Capabilities belong to threads, and Go has many: what is given up here is
// given up by all of them, and by those to come.
//
// Sources: capabilities(7), prctl(2), user_namespaces(7), and for what each is
// asked for the table that the lab's package rights makes by taking away one
// after the other.
package rights
