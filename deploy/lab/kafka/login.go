package kafka

import (
	"cmp"
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Login is who a client of a SASL listener says it is. Neither part holds a
// quote or a backslash: both stand in a JAAS configuration.
type Login struct{ Name, Password string }

// Lab is known at every SASL listener by PLAIN, and by SCRAM after
// AddSCRAMUser.
var Lab = Login{"lab", "lab-password"}

func (a Access) login() Login { return cmp.Or(a.Login, Lab) }

// plainLogins are the options of a PlainLoginModule that knows these.
func plainLogins(all []Login) string {
	var options []string
	for _, l := range all {
		options = append(options, fmt.Sprintf("user_%s=%q", l.Name, l.Password))
	}
	return strings.Join(options, " ")
}

// scramIterations is the least that Kafka allows.
const scramIterations = 4096

// AddSCRAMUser makes Lab known for both SCRAM mechanisms.
func (b *Broker) AddSCRAMUser(ctx context.Context) error {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return b.AddSCRAM(ctx, Lab, salt)
}

// AddSCRAM makes a login known for both SCRAM mechanisms, by the same request
// in a cluster with ZooKeeper or without (KIP-554; with KRaft from Kafka 3.5 on).
func (b *Broker) AddSCRAM(ctx context.Context, l Login, salt []byte) error {
	cl, err := b.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	salted256, err256 := pbkdf2.Key(sha256.New, l.Password, salt, scramIterations, sha256.Size)
	salted512, err512 := pbkdf2.Key(sha512.New, l.Password, salt, scramIterations, sha512.Size)
	if err := errors.Join(err256, err512); err != nil {
		return fmt.Errorf("add user: %w", err)
	}
	for i, salted := range [][]byte{salted256, salted512} { // a user may be in a request once
		u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
		u.Name, u.Iterations, u.Salt, u.SaltedPassword = l.Name, scramIterations, salt, salted
		u.Mechanism = int8(i + 1) // SCRAM-SHA-256, SCRAM-SHA-512
		r := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
		r.Upsertions = append(r.Upsertions, u)
		answer, err := r.RequestWith(ctx, cl)
		if err != nil {
			return fmt.Errorf("add user: %w", err)
		}
		for _, a := range answer.Results {
			if err := kerr.ErrorForCode(a.ErrorCode); err != nil {
				return fmt.Errorf("add user: %w", err)
			}
		}
	}
	return nil
}
