package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Protocol is what a listener speaks, and its name.
type Protocol string

const (
	Plaintext     Protocol = "PLAINTEXT"
	SSL           Protocol = "SSL"
	SASLPlaintext Protocol = "SASL_PLAINTEXT"
	SASLSSL       Protocol = "SASL_SSL"
)

// protocolMap: each listener is named by its protocol.
const protocolMap = "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL," + controllerName + ":PLAINTEXT"

// Encrypted says that packets of this protocol tell nothing.
func (p Protocol) Encrypted() bool { return p == SSL || p == SASLSSL }

func (p Protocol) sasl() bool { return p == SASLPlaintext || p == SASLSSL }

// Mechanism is how a client of a SASL listener says who it is.
type Mechanism string

const (
	Plain       Mechanism = "PLAIN"
	SCRAMSHA256 Mechanism = "SCRAM-SHA-256"
	SCRAMSHA512 Mechanism = "SCRAM-SHA-512"
)

// Access is what a client must be told to reach a listener.
type Access struct {
	Address   string // host:port, of a cluster several with commas between
	Protocol  Protocol
	CAFile    string    // PEM; "" where nothing is encrypted
	Mechanism Mechanism // "" without SASL
	Login     Login     // zero: Lab
}

// Access says how to reach one of the broker's listeners; m counts only where
// the protocol asks for one.
func (b *Broker) Access(p Protocol, m Mechanism) Access {
	a := Access{Address: loopback(b.ports[p]), Protocol: p}
	if p.Encrypted() {
		a.CAFile = b.keyFile(caName)
	}
	if p.sasl() {
		a.Mechanism = m
	}
	return a
}

// Java are the settings of a Java client.
func (a Access) Java() map[string]string {
	p := map[string]string{"bootstrap.servers": a.Address, "security.protocol": string(a.Protocol)}
	if a.CAFile != "" {
		p["ssl.truststore.type"], p["ssl.truststore.location"] = "PEM", a.CAFile
	}
	if a.Mechanism != "" {
		p["sasl.mechanism"], p["sasl.jaas.config"] = string(a.Mechanism), a.Mechanism.jaas(fmt.Sprintf("username=%q password=%q", a.login().Name, a.login().Password))
	}
	return p
}

// Franz are the options of a franz-go client.
func (a Access) Franz() ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.SeedBrokers(strings.Split(a.Address, ",")...)}
	if a.CAFile != "" {
		ca, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read ca: %w", err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(ca)
		opts = append(opts, kgo.DialTLSConfig(&tls.Config{RootCAs: roots}))
	}
	who := scram.Auth{User: a.login().Name, Pass: a.login().Password}
	switch a.Mechanism {
	case Plain:
		opts = append(opts, kgo.SASL(plain.Auth{User: who.User, Pass: who.Pass}.AsMechanism()))
	case SCRAMSHA256:
		opts = append(opts, kgo.SASL(who.AsSha256Mechanism()))
	case SCRAMSHA512:
		opts = append(opts, kgo.SASL(who.AsSha512Mechanism()))
	}
	return opts, nil
}

// jaas is a login module of a mechanism with its options.
func (m Mechanism) jaas(options string) string {
	module := "org.apache.kafka.common.security.scram.ScramLoginModule"
	if m == Plain {
		module = "org.apache.kafka.common.security.plain.PlainLoginModule"
	}
	return strings.TrimSpace(module+" required "+options) + ";"
}

// secure configures the listeners that are more than PLAINTEXT.
func (b *Broker) secure(p map[string]string) error {
	p["security.inter.broker.protocol"] = string(b.first())
	if b.OnlySSL || slices.ContainsFunc(b.Protocols, Protocol.Encrypted) {
		k, err := b.keys()
		if err != nil {
			return err
		}
		// In place (KIP-651, from Kafka 2.7 on): of a file, 2.8 takes a key with
		// a password only.
		p["ssl.keystore.type"], p["ssl.keystore.key"], p["ssl.keystore.certificate.chain"] = "PEM", string(k.key), string(k.cert)
		p["ssl.truststore.type"], p["ssl.truststore.certificates"] = "PEM", string(k.cert) // of other brokers: the same
	}
	for _, proto := range b.Protocols {
		if !proto.sasl() {
			continue
		}
		p["sasl.enabled.mechanisms"] = strings.Join([]string{string(Plain), string(SCRAMSHA256), string(SCRAMSHA512)}, ",")
		prefix := "listener.name." + strings.ToLower(string(proto)) + "."
		p[prefix+"plain.sasl.jaas.config"] = Plain.jaas(plainLogins(append([]Login{Lab}, b.Logins...)))
		p[prefix+"scram-sha-256.sasl.jaas.config"] = SCRAMSHA256.jaas("")
		p[prefix+"scram-sha-512.sasl.jaas.config"] = SCRAMSHA512.jaas("")
	}
	return nil
}
