package deliver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// LimitOf says what a limit counts.
type LimitOf string

// What a limit counts.
const (
	OfAddress LimitOf = "address" // the attempts at one address of the channel
	OfChannel LimitOf = "all"     // all attempts of the channel
)

// Limit is so many attempts in any span of that length. Failed ones count:
// they do with the vendors.
type Limit struct {
	N   int
	Per time.Duration
	Of  LimitOf
}

// LongestPer is the longest span of a limit: the attempts of so long are kept.
const LongestPer = 31 * 24 * time.Hour

// noLimits is how a configuration says that there are none.
const noLimits = "none"

// String is the form that ParseLimits reads: 20/1m, or all:20/1m.
func (l Limit) String() string {
	s := l.Per.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	s = strconv.Itoa(l.N) + "/" + s
	if l.Of == OfChannel {
		s = string(OfChannel) + ":" + s
	}
	return s
}

// FormatLimits is what ParseLimits reads, with commas.
func FormatLimits(limits []Limit) string {
	if len(limits) == 0 {
		return noLimits
	}
	words := make([]string, len(limits))
	for i, l := range limits {
		words[i] = l.String()
	}
	return strings.Join(words, ",")
}

// ParseLimits reads words such as 20/1m, 1000/1h and all:5/1s, or none.
func ParseLimits(words []string) ([]Limit, error) {
	if len(words) == 1 && words[0] == noLimits {
		return []Limit{}, nil
	}
	limits := make([]Limit, 0, len(words))
	for _, w := range words {
		l, err := parseLimit(w)
		if err != nil {
			return nil, err
		}
		limits = append(limits, l)
	}
	return limits, nil
}

func parseLimit(word string) (Limit, error) {
	l := Limit{Of: OfAddress}
	rest, all := strings.CutPrefix(word, string(OfChannel)+":")
	if all {
		l.Of = OfChannel
	}
	n, per, ok := strings.Cut(rest, "/")
	var errN, errPer error
	l.N, errN = strconv.Atoi(n)
	l.Per, errPer = time.ParseDuration(per)
	if !ok || errors.Join(errN, errPer) != nil || l.N < 1 || l.N > 1_000_000 || l.Per < time.Second || l.Per > LongestPer {
		return l, fmt.Errorf("%q must be a number of messages and a time such as 20/1m (for each address), all:5/1s (for the whole channel) or none", word)
	}
	return l, nil
}
