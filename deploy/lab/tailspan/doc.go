// Package tailspan runs the product as its users do: the binary, its flags,
// its jsonl output. It reads every line into the types that the product prints
// them from.
package tailspan
