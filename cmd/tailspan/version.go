package main

import (
	"fmt"
	"log/slog"
	"runtime"

	"github.com/tailspan/tailspan/sidecar/config"
)

// version is stamped by `make build`.
var version = "devel"

func printVersion(config.Config, *slog.Logger, terminal) error {
	fmt.Printf("tailspan %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
