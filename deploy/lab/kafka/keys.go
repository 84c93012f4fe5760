package kafka

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Names of files below a broker's Dir, or its cluster's.
const (
	keyName = "key.pem"
	caName  = "ca.pem" // what clients trust: the certificate, signed by itself
)

// keys are a broker's key and certificate, as PEM.
type keys struct{ key, cert []byte }

// keys are made for 127.0.0.1, once, and kept.
func (b *Broker) keys() (k keys, err error) {
	keyFile, caFile := b.keyFile(keyName), b.keyFile(caName)
	var err1, err2 error
	k.key, err1 = os.ReadFile(keyFile)
	k.cert, err2 = os.ReadFile(caFile)
	if err1 == nil && err2 == nil {
		return k, nil
	}
	if k, err = selfSigned(time.Now()); err == nil {
		err = errors.Join(os.WriteFile(keyFile, k.key, 0o600), os.WriteFile(caFile, k.cert, 0o644))
	}
	if err != nil {
		return keys{}, fmt.Errorf("make keys: %w", err)
	}
	return k, nil
}

func (b *Broker) keyFile(name string) string {
	return filepath.Join(cmp.Or(b.keyDir, b.Dir), name)
}

// selfSigned is good for a day.
func selfSigned(now time.Time) (keys, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keys{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker of Tailspan's lab"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:        true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return keys{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return keys{}, err
	}
	return keys{block("PRIVATE KEY", pkcs8), block("CERTIFICATE", der)}, nil
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
