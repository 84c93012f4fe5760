package canary

import "github.com/tailspan/tailspan/deploy/lab/kafka"

// people are the logins that the broker knows, or does not.
type people struct {
	plain    []kafka.Login
	scram    []kafka.Login
	stranger kafka.Login
}

func newPeople(l *ledger) people {
	login := func(how string) kafka.Login {
		return kafka.Login{Name: l.secret("%s user", how).Text(), Password: l.secret("%s password", how).Text()}
	}
	return people{
		plain:    []kafka.Login{login("PLAIN"), login("Java's PLAIN")},
		scram:    []kafka.Login{login("SCRAM"), login("Java's SCRAM")},
		stranger: login("stranger's"),
	}
}
