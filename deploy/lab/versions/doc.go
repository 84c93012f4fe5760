// Package versions holds Tailspan to brokers of every version of the lab: each
// broker's own request log and metrics say which requests there were, those of
// its encrypted listener among them.
package versions
