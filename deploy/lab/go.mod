module github.com/tailspan/tailspan/deploy/lab

go 1.26.0

require (
	github.com/hanwen/go-fuse/v2 v2.12.1
	github.com/tailspan/tailspan v0.0.0
	go.opentelemetry.io/otel v1.47.0
	golang.org/x/sys v0.49.0
)

require github.com/cespare/xxhash/v2 v2.3.0 // indirect

replace github.com/tailspan/tailspan => ../..
