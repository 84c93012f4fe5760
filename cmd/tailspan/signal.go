package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// hardEnd is when the process ends though not all is flushed: somebody holds
// its output open and does not read it, say.
const hardEnd = 8 * time.Second

// untilSignal gives a context that ends with SIGINT, SIGTERM or, unless it is
// ignored as by nohup, SIGHUP: a terminal that goes away must not leave a JVM's
// flag on. A second one ends the process. A reader of the output that goes away is an error of the
// write, not a signal that would leave a recording torn.
func untilSignal(log *slog.Logger) (ctx context.Context, stop func()) {
	signal.Ignore(syscall.SIGPIPE)
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop = signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, func() {
		stop()
		time.AfterFunc(hardEnd, func() {
			time.AfterFunc(time.Second, func() { os.Exit(exitFailed) }) // the log may be what holds it up
			log.Error("the end took too long; what was pending is lost", "after", hardEnd)
			os.Exit(exitFailed)
		})
	})
	return ctx, stop
}
