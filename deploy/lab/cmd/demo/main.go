// Demo shows one slow produce request of a real Kafka, seen whole in a real
// Jaeger: it sets the scene (a broker whose disk stalls now and then), lets
// Tailspan watch it, and tells what came out.
//
//	DEMO_FOR=60s     end after so long, counted from when load runs and Jaeger answers
//	JAEGER=URL       use this Jaeger (its pages' address) instead of building one
//	DEMO_RECORD=FILE record what Tailspan saw, as well
//	DEMO_REPLAY=1    replay the recording even where the live path would run
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

func main() {
	slowdisk.Main()
	why := ""
	if os.Getenv("DEMO_REPLAY") != "" {
		why = "DEMO_REPLAY is set"
	} else if os.Geteuid() != 0 {
		why = "this is not root"
	} else if err := errors.Join(isolate.Mounts(), isolate.Tracefs()); err != nil {
		why = err.Error()
	}
	if err := run(why); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run shows the live scene, or the recording where that cannot be: why says
// what stands against it, "" nothing so far.
func run(why string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := isolate.FollowParent(); err != nil {
		return err
	}
	d, err := newDemo()
	if err != nil {
		return err
	}
	defer d.close()
	if why == "" {
		err = d.live(ctx)
		var refused refusedError
		if !errors.As(err, &refused) {
			return ended(ctx, err)
		}
		why = refused.Error()
	}
	d.say("Not live, because %s: replaying a recording of this very demo.", why)
	return ended(ctx, d.replay(ctx))
}

// ended: an interrupt is how the demo is meant to end.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// refusedError says why Tailspan cannot trace here.
type refusedError string

func (e refusedError) Error() string { return string(e) }
