// Package pages looks at Tailspan's pages as a reader does: in a real browser,
// Debian's Chromium, without a network.
//
// The browser is spoken to by its DevTools protocol, over a pair of pipes
// (--remote-debugging-pipe): JSON messages that end with a NUL. What is asked of
// it are a handful of commands, so there is no library for it. Pages are opened
// from the disk, as they come from `tailspan report` and `tailspan compare` of the
// demo's recording, or from a Collector that was fed with what a hostile client
// might send.
//
//	browser.go    the process and the protocol
//	tab.go        a page in it: go there, ask, press keys, take its picture
//	made.go       the pages
//	pictures      what they look like, for the documentation (make pictures)
//
// Where there is no Chromium, tests are skipped; install.sh brings it.
package pages
