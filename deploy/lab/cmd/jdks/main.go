// Jdks gets the JDKs that tests run their JVMs on into the lab's cache, and
// prints the directory that they are in.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := jdk.Wheels(ctx, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "jdks:", err)
		os.Exit(1)
	}
	fmt.Println(dir)
}
