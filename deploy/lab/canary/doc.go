// Package canary looks for what must never leave Tailspan. Its tests send marks,
// random bytes that nothing else contains, in all that clients send to a real
// broker: keys, values, headers, credentials, malformed requests. Then they look
// for each mark in every byte that Tailspan put out.
//
// A mark is found in any of its forms (raw, base64, hex, escaped, UTF-16, as
// numbers) and also where only a part of it came out: twelve characters of a form
// are enough. The package knows no Kafka and no Tailspan; its tests know both,
// and which mark may be seen where.
package canary
