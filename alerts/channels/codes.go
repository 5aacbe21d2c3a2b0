package channels

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"weimang/alerts/deliver"
)

// verdict is what an error code of a vendor means.
type verdict struct {
	reason deliver.Reason
	retry  bool
	after  time.Duration // with retry
	says   string        // our words: a vendor's own may name the address
}

// codes are a vendor's error codes, from its documentation. A code that ends in
// a full stop stands for all that begin with it.
type codes map[string]verdict

// failure makes the error of a code. An unknown one is tried again: what is
// new may be temporary, and the escalation does not wait for it.
func (c codes) failure(vendor, code string) *deliver.Failure {
	v, known := c[code]
	for family := code; !known; {
		at := strings.LastIndexByte(strings.TrimSuffix(family, "."), '.')
		if at < 0 {
			break
		}
		family = family[:at+1]
		v, known = c[family]
	}
	if !known {
		v = verdict{reason: deliver.Vendor, retry: true, says: "a code that is not known here"}
	}
	return &deliver.Failure{Reason: v.reason, Retry: v.retry, After: v.after, Err: fmt.Errorf("%s answered %s: %s", vendor, plainCode(code), v.says)}
}

// verdict reads the number that a vendor puts into its answers, 0 for a
// receipt. An answer without one is none.
func (c *caller) verdict(a *answer, code *int, table codes) error {
	switch {
	case code == nil:
		if err := c.judge(a); err != nil {
			return err
		}
		return deliver.Later(deliver.Vendor, "%s answered without a code", c.vendor)
	case *code != 0:
		return table.failure(c.vendor, strconv.Itoa(*code))
	}
	return nil
}

// plainCode is a code as it may stand in a log: a broken answer may hold
// anything in its place.
func plainCode(code string) string {
	for _, r := range code {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !letter && !strings.ContainsRune("._-", r) {
			return "an error"
		}
	}
	if code == "" || len(code) > 64 {
		return "an error"
	}
	return code
}
