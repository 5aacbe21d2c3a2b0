package deadletters

import (
	"fmt"
	"strconv"
	"strings"
)

// Place names a letter: where it lies in topic weimang.deadletters.
type Place struct {
	Partition int
	Offset    int64
}

// String is PARTITION:OFFSET, which ParsePlace reads.
func (p Place) String() string { return fmt.Sprintf("%d:%d", p.Partition, p.Offset) }

// MarshalText is String.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// ParsePlace reads PARTITION:OFFSET, both from 0 on.
func ParsePlace(s string) (Place, error) {
	partition, offset, ok := strings.Cut(s, ":")
	p, err := strconv.ParseUint(partition, 10, 31)
	o, err2 := strconv.ParseUint(offset, 10, 63)
	if !ok || err != nil || err2 != nil {
		return Place{}, fmt.Errorf("%q must be PARTITION:OFFSET, such as 0:17", s)
	}
	return Place{int(p), int64(o)}, nil //nolint:gosec // bounded by ParseUint
}
