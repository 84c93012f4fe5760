// Package serve is the sidecar's own HTTP: metrics, health, and the way from a
// record's place in Kafka to the trace of the request that wrote it.
//
//	/         what there is: links, version, the brokers traced
//	/metrics  the handler of Options
//	/report   the page of this hour (UTC), and /report/before of the one before
//	/healthz  200 or 503, and why, as JSON
//	/trace    ?topic=&partition=&offset=[&cluster=][&format=json]
//
// It knows the places of kept traces (Index), the batches of log dirs (package
// segment) and how a trace's id follows from a place (spans.PlaceID). It must
// not know how requests are traced, kept or counted: what it tells of that are
// callbacks; the page is Options' as well. It writes nothing, changes nothing, and shows nothing of a record.
//
// # The trace of a record
//
// A kept trace is found in the Index, by each of the partitions that its
// request wrote to: 302 to the trace's page. Else the batch is looked for in
// the segments of the brokers that are traced here, and the trace id computed:
// 404, with the id, and a plain word on whether that trace was kept: no, or not
// known, where it is not the sidecar's to know (written before it traced that
// broker, longer ago than the Index remembers, or so recently that it is not
// decided). A computed id is that of a request whose first written partition
// this was; and there may be several, for it is made of the topic's id
// where the client named the topic by it (Produce v13 and later) and of its
// name otherwise, which the log does not tell; and where requests may be parts
// of their producers' traces, it is what all records of the batch carry.
//
// In JSON (format=json, or an Accept that asks for it and not for HTML) the
// same is one object; a kept trace is answered by 200 instead of a redirect.
// What is not known is null; fields are added, never renamed:
//
//	topic, partition, offset   as asked
//	cluster                    Kafka's id of the cluster
//	base_offset, last_offset   of the batch
//	timestamp_ms               of its latest record; only of a batch from the log
//	trace_id                   the trace, or the id computed first
//	other_trace_ids            what else it could be
//	kept                       true, false, or null: not known
//	url                        of the trace's page; null where it was not kept
//	reason                     a sentence
//
// Other answers: 400 for parameters, 404 for what is in no log here, 503 where
// logs cannot be read now, or not in time.
//
// # URLs of traces
//
// A template has {trace_id}, and {start} and {end} in Unix seconds where the
// backend searches by time: a minute around a kept trace, an hour around a
// batch's timestamp. {start}000 is milliseconds. Placeholders stand behind the
// host only, and are filled with hex and decimal digits: no request leads a
// browser to another host than the template's.
//
//	http://127.0.0.1:16686/trace/{trace_id}                      Jaeger
//	http://127.0.0.1:3200/api/traces/{trace_id}?start={start}&end={end}  Tempo
//
// # Who may ask
//
// There is no login: it listens on loopback unless told otherwise. There, a web
// page from anywhere could have its own name resolve to 127.0.0.1 and read what
// it likes (DNS rebinding). So a request whose Host is a name is answered only
// if that is localhost, the host's own or one of Options.Hosts; 421 else. A
// literal address cannot be had by rebinding, and is always answered, as is a
// request without Host. Where it listens on other addresses, whoever reaches
// them may read it anyhow, and names are looked at only if there are
// Options.Hosts. Nothing allows another origin to read (CORS).
//
// GET and HEAD only. Headers, connections, time, and the searches in logs that
// run at once are bounded: a log dir's disk may be the one that stalls, so a
// search that is not back in time is answered without it, and keeps its slot.
package serve
