// Package story recognises in finished traces what the blog post tells: a
// request whose time went into one journal commit (Direct), and one that did
// nothing but wait for the lock that the former held (Cascade).
//
// It knows span names and links only, so that it judges a trace that Tailspan
// printed and one that Jaeger answered with the same eyes.
package story
