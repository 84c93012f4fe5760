// Package chaos is the live path beside a collector that dies, hangs and comes
// back: every request stays accounted for, at every moment; what the collector
// was given is whole; and neither the broker nor Tailspan's memory feels it.
package chaos
