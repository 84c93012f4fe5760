package child

import (
	"fmt"
	"os"
)

// Main does a role and exits, if this process was started for it: with the role
// as argv[0] and an order as its only argument. Else it returns at once. title
// stands before an error.
func Main(role, title string, do func(order string) error) {
	if len(os.Args) != 2 || os.Args[0] != role {
		return
	}
	if err := do(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", title, err)
		os.Exit(1)
	}
	os.Exit(0)
}
