# make build            bin/tailspan, static
# make test             everything that this machine and user allow; says what was skipped and why
# make test-vm          the probes in Debian's kernels 5.10, 6.1 and 6.12, emulated; a quarter of an hour at most
# make matrix           which probes attach in these kernels, written into the README
# make jdks             waits on JDK 11 to 25 against the JVM's own recording, into the README (root)
# make test-long        what takes hours: a million requests, 1,000 switches of a JVM's flag, 10,000 times probes on and off, ten minutes of each fuzz target (root)
# make demo             one slow produce request of a real Kafka, seen whole in a real Jaeger
# make rights           what each capability is there for, into the README (root)
# make bench            Go benchmarks
# make bench-overhead   what Tailspan costs a broker (root)
# make bench-jvm        what its probes cost a JVM whose threads contend for locks (root)
# make bench-probes     what its programs in the kernel cost beside bpftrace's (root)
# make bench-replay     replay of a capture against tshark and a bare loop (root, once: to capture)
# make bench-flood      100,000 made-up requests a second: what replay of them costs, keeps and counts
# make experiment       the blog post's study: six settings of the file system, into deploy/lab/EXPERIMENT.md (root)
# make pictures         what the pages look like, for the documentation (Chromium)
# make lab              the demo's broker on its slow disk, for work by hand (root)
# make lint generate

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  = -s -w -X main.version=$(VERSION)
LAB      = deploy/lab
ROOT    := $(shell [ "$$(id -u)" -eq 0 ] && echo yes)

export GOFLAGS := $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false

.PHONY: build test test-vm guests matrix jdks test-long demo fixture rights bench bench-overhead bench-jvm bench-probes bench-replay bench-flood experiment pictures lab lint generate install install-demo clean

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/tailspan ./cmd/tailspan

# As root the live path runs: broker, probes, Jaeger. Without root the lab's
# tools need not be there: what lacks them is skipped. What needs no broker runs two
# packages at a time, what does, one.
test: $(if $(ROOT),install) build
	go vet ./... && cd $(LAB) && go vet ./...
	cd $(LAB) && go build -o ../../bin/ ./cmd/tally ./cmd/jdks
	LAB_JDKS=$$($(if $(ROOT),bin/jdks)) bin/tally .@2 $(LAB)

# Guests are processes, their kernels and QEMU lie in the lab's cache: nothing is
# installed. What is not to be had (no mirror, no amd64) is skipped, and the tests
# say why.
test-vm: guests
	cd $(LAB) && go build -o ../../bin/ ./cmd/tally
	LAB_GUESTS=1 bin/tally $(LAB)/vm

guests:
	cd $(LAB) && go build -o ../../bin/ ./cmd/guest
	-@bin/guest -fetch

matrix: guests
	cd $(LAB) && LAB_GUESTS=1 go test -count 1 -timeout 20m -run '^TestGuests$$' ./vm -update

jdks: $(if $(ROOT),install) build
	cd $(LAB) && go test -count 1 -v -timeout 20m -run '^TestJDKs$$' ./contend -update

REQUESTS ?= 1000000
CYCLES   ?= 10000
FUZZTIME ?= 10m
SWITCHES ?= 1000

test-long: $(if $(ROOT),install) build
	cd $(LAB) && LAB_REQUESTS=$(REQUESTS) go test -count 1 -v -timeout 3h -run TestEveryRequest ./exact
	cd $(LAB) && LAB_SWITCHES=$(SWITCHES) go test -count 1 -v -timeout 1h -run TestSwitching ./probeflag
	cd $(LAB) && LAB_CYCLES=$(CYCLES) go test -count 1 -v -timeout 3h -run TestCycles ./govern
	@set -e; for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f, $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 3s $$p; done; done

install:
	@$(LAB)/install.sh test

install-demo:
	@$(LAB)/install.sh

# exec: so that the demo is make's own child and ends with it.
demo: $(if $(ROOT),install-demo)
	@cd $(LAB) && go build -o ../../bin/ ./cmd/demo
	@exec bin/demo

rights: $(if $(ROOT),install) build
	cd $(LAB) && go test -count 1 -v -run TestCapabilities ./rights -update

bench-overhead: $(if $(ROOT),install-demo) build
	@cd $(LAB) && go build -o ../../bin/ ./cmd/bench-overhead
	@exec bin/bench-overhead $(ARGS)

bench-jvm: $(if $(ROOT),install-demo) build
	@cd $(LAB) && go build -o ../../bin/ ./cmd/bench-jvm
	@exec bin/bench-jvm $(ARGS)

bench-probes: $(if $(ROOT),install-demo) build
	@cd $(LAB) && go build -o ../../bin/ ./cmd/bench-probes
	@exec bin/bench-probes $(ARGS)

bench-replay: $(if $(ROOT),install) build
	@cd $(LAB) && go build -o ../../bin/ ./cmd/bench-replay ./cmd/bare-loop
	@exec bin/bench-replay $(ARGS)

bench-flood: build
	@cd $(LAB) && go build -o ../../bin/ ./cmd/bench-flood
	@exec bin/bench-flood $(ARGS)

# What it measured stays; the same command goes on where it was stopped.
experiment: $(if $(ROOT),install) build
	@cd $(LAB) && go build -o ../../bin/ ./cmd/experiment
	@exec bin/experiment $(ARGS)

pictures: $(if $(ROOT),install) build
	cd $(LAB) && go test -count 1 -v -timeout 10m -run '^TestPictures$$' ./pages -update

lab: $(if $(ROOT),install-demo)
	@cd $(LAB) && go build -o ../../bin/ ./cmd/env
	@exec bin/env $(ARGS)

# The recording that the demo replays where it cannot run live.
fixture: install-demo build
	@cd $(LAB) && go build -o ../../bin/ ./cmd/fixture
	@exec bin/fixture

bench:
	go test -run '^$$' -bench . -benchmem ./...

lint:
	go vet ./... && cd $(LAB) && go vet ./...
	cd $(LAB)/lint && go build -o ../../../bin/ honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./... && cd $(LAB) && ../../bin/staticcheck ./...

generate:
	go generate ./...

clean:
	rm -rf bin
