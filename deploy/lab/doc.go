// Package lab is the stage on which Tailspan is shown, tested and measured: a
// real Kafka broker on an ext4 whose disk stalls, real producers, a real
// Jaeger. It is a module of its own, so that none of it reaches the product.
//
//	cache     where downloads, builds and runs live
//	isolate   a mount namespace of one's own: what is mounted dies with us
//	child     processes that die with us
//	slowdisk  an ext4 on a disk that stalls now and then
//	kafka     brokers old and new, clusters, producers; what brokers say of themselves
//	jdk       JDKs of several releases
//	contend   a JVM whose threads contend in a known way, and the proof that waits are seen as they are
//	jfr       what a JVM itself records of its waits
//	jaeger    Jaeger, built from source, and its query API
//	prometheus a real Prometheus, and its query API
//	scene     disk, broker and load, together
//	clients   clients of four libraries and raw requests, and their own records of what they sent
//	trial     what the tests of real brokers have in common
//	e2e       the live path, tested
//	sink      what is sent by OTLP, byte by byte, and a collector that dies and hangs
//	canary    what must never leave Tailspan, looked for in all that it puts out
//	chaos     the live path beside a collector that dies, hangs and comes back
//	brokers   the live path on old and new, encrypted and replicated brokers
//	rights    the live path with fewer capabilities, and as another user
//	probeflag the JVM's probe flag, switched on and put back
//	govern    probes of a JVM that go and come: cycles, and the governor
//	observe   from a dashboard to the trace: what deploy/ has for Prometheus, Grafana, the Collector and Tempo
//	exact     every request of a mixed load, held against everybody who knows it
//	pages     Tailspan's pages in a real browser, and their pictures
//	terminal  Tailspan on a pseudo-terminal, as its user sees it
//	vm        Debian's kernels in an emulator, and what runs in them
//	bench     what the benchmarks that need root begin with
//	steady    a load whose requests are all alike, for measuring
//	cmd       env, load, demo, guest; bench-overhead, bench-jvm, bench-probes, bench-replay; what makes the fixtures
package lab
