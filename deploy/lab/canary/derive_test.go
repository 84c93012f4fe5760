package canary

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// heads of a record batch are read: only what follows is a record's.
const batchHead = 61

// derive notes, of what a client sent and was told, what may be seen nowhere
// and could not be known before: the frames of SASL with all that is in them,
// and compressed records.
func (s *stage) derive(t *testing.T, who kafka.Login, name string, all []talked) (auths, batches int) {
	t.Helper()
	var said [][]byte
	for _, x := range all {
		switch x.key {
		case int16(kmsg.SASLAuthenticate):
			r, a := kmsg.NewPtrSASLAuthenticateRequest(), kmsg.NewPtrSASLAuthenticateResponse()
			r.SetVersion(x.version)
			a.SetVersion(x.version)
			if err := r.ReadFrom(x.request); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			said = append(said, r.SASLAuthBytes)
			if x.response != nil && a.ReadFrom(x.response) == nil && len(a.SASLAuthBytes) > 0 {
				said = append(said, a.SASLAuthBytes)
			}
			auths++
		case int16(kmsg.Produce):
			batches += s.deriveBatches(t, name, x)
		}
	}
	for i, b := range said {
		if len(b) >= window {
			s.note(secret, Of(bytes.Clone(b), "%s: SASL frame %d", name, i))
		}
	}
	for i := range said {
		if bytes.HasPrefix(said[i], []byte("n,,n=")) && i+2 < len(said) {
			s.deriveSCRAM(t, who, name, string(said[i]), string(said[i+1]), string(said[i+2]))
		}
	}
	return auths, batches
}

// deriveBatches notes compressed records, but for what stands in them as it is
// and may be seen elsewhere.
func (s *stage) deriveBatches(t *testing.T, name string, x talked) (n int) {
	t.Helper()
	r := kmsg.NewPtrProduceRequest()
	r.SetVersion(x.version)
	if err := r.ReadFrom(x.request); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, topic := range r.Topics {
		for _, p := range topic.Partitions {
			if len(p.Records) <= batchHead || p.Records[22]&7 == 0 {
				continue
			}
			n++
			for piece := range s.known.others(p.Records[batchHead:]) {
				for _, part := range samples(piece) {
					s.note(secret, Of(bytes.Clone(part), "%s: compressed batch", name))
				}
			}
		}
	}
	return n
}

// samples of a piece are its ends and its middle, or all of a short one.
func samples(b []byte) [][]byte {
	const n = 2 * window
	if len(b) <= 3*n {
		return [][]byte{b}
	}
	return [][]byte{b[:n], b[len(b)/2 : len(b)/2+n], b[len(b)-n:]}
}

// deriveSCRAM notes all that RFC 5802 makes of a password, once it has proved
// that this is what the client did.
func (s *stage) deriveSCRAM(t *testing.T, who kafka.Login, name, first, challenge, final string) {
	t.Helper()
	bare := strings.TrimPrefix(first, "n,,")
	of := fields(challenge)
	salt, err1 := base64.StdEncoding.DecodeString(of['s'])
	iterations, err2 := strconv.Atoi(of['i'])
	proof, err3 := base64.StdEncoding.DecodeString(fields(final)['p'])
	salted, err4 := pbkdf2.Key(sha512.New, who.Password, salt, iterations, sha512.Size)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		t.Fatalf("%s: %v %v %v %v in %q", name, err1, err2, err3, err4, challenge)
	}
	unproved, _, _ := strings.Cut(final, ",p=")
	clientKey, serverKey := mac(salted, "Client Key"), mac(salted, "Server Key")
	stored := sha512.Sum512(clientKey)
	signature := mac(stored[:], bare+","+challenge+","+unproved)
	proved := make([]byte, len(clientKey))
	for i := range proved {
		proved[i] = clientKey[i] ^ signature[i]
	}
	if !bytes.Equal(proved, proof) {
		t.Errorf("%s: this is not what the client derived: %x, its proof is %x", name, proved, proof)
	}
	for part, b := range map[string][]byte{
		"client's nonce": []byte(fields(bare)['r']), "nonce": []byte(of['r']), "salt": salt, "salted password": salted, "client key": clientKey,
		"stored key": stored[:], "server key": serverKey, "client signature": signature, "proof": proof,
		"server signature": mac(serverKey, bare+","+challenge+","+unproved),
	} {
		s.note(secret, Of(b, "%s: SCRAM's %s", name, part))
	}
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha512.New, key)
	fmt.Fprint(h, text)
	return h.Sum(nil)
}

// fields of a SCRAM message.
func fields(message string) map[byte]string {
	all := map[byte]string{}
	for f := range strings.SplitSeq(message, ",") {
		if len(f) > 2 && f[1] == '=' {
			all[f[0]] = f[2:]
		}
	}
	return all
}
