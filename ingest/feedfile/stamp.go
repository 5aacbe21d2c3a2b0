package feedfile

import (
	"strings"
	"time"

	"weimang/ingest"
)

// stampParser turns the stamps of a file into seconds since 1970. It takes
// what spreadsheets and databases write: 2026-07-12T14:00:00+08:00, with Z,
// with a space for the T, without seconds, with a fraction of zeros, or
// without offset, which then is the time of day in the feed's zone.
//
// Where clocks go back, an hour of local stamps happens twice: the first time
// a meter has such a stamp it is the earlier of the two, after that the later,
// which is right for a file in order of time. Where clocks go forward, the
// stamps of the skipped hour are refused: such a feed does not follow its
// zone's clock.
type stampParser struct {
	zone *time.Location // nil is UTC
	days map[int64]dayOffsets
	seen map[localStamp]bool // ambiguous stamps met so far
}

// localStamp is a time of day as one meter wrote it.
type localStamp struct {
	meter int
	local int64 // seconds since 1970 as if the zone were UTC
}

// dayOffsets are the zone's offsets, in seconds, a day before and a day after
// a local day: where they are one, no clock changes in between.
type dayOffsets struct{ before, after int64 }

func newStampParser(zone *time.Location) *stampParser {
	if zone == nil {
		zone = time.UTC
	}
	return &stampParser{zone: zone, days: make(map[int64]dayOffsets), seen: make(map[localStamp]bool)}
}

const stampForm = "must look like 2026-07-12T14:00:00+08:00 or 2026-07-12 14:00"

func (p *stampParser) parse(s string, meter int) (int64, *ingest.Rejection) {
	local, offset, hasOffset, ok := civil(s)
	switch {
	case !ok:
		return 0, ingest.Reject(ingest.BadTime, "", stampForm)
	case hasOffset:
		return local - offset, nil
	case p.zone == time.UTC:
		return local, nil
	}
	return p.inZone(local, meter)
}

func (p *stampParser) inZone(local int64, meter int) (int64, *ingest.Rejection) {
	const day = 24 * 60 * 60
	n := floorDiv(local, day)
	o, known := p.days[n]
	if !known {
		o = dayOffsets{before: p.offsetAt((n - 1) * day), after: p.offsetAt((n + 2) * day)}
		p.days[n] = o
	}
	if o.before == o.after {
		return local - o.before, nil
	}
	early, late := local-o.before, local-o.after
	isEarly, isLate := p.offsetAt(early) == o.before, p.offsetAt(late) == o.after
	switch {
	case isEarly && isLate: // clocks go back: the offset shrinks, so early is the earlier
		key := localStamp{meter, local}
		if p.seen[key] {
			return late, nil
		}
		p.seen[key] = true
		return early, nil
	case isEarly:
		return early, nil
	case isLate:
		return late, nil
	default:
		return 0, ingest.Reject(ingest.BadTime, "",
			"the clocks of %s skip this time; give the zone the stamps are written in, UTC if they know no summer time", p.zone)
	}
}

func (p *stampParser) offsetAt(unix int64) int64 {
	_, offset := time.Unix(unix, 0).In(p.zone).Zone()
	return int64(offset)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// civil reads a stamp as seconds since 1970 on a clock without zone, and its
// offset in seconds when it has one. By hand, since a file has millions.
func civil(s string) (local, offset int64, hasOffset, ok bool) {
	if len(s) < 16 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' {
		return 0, 0, false, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), 0
	rest := s[16:]
	if len(rest) >= 3 && rest[0] == ':' {
		second = digits(rest[1:3])
		rest = rest[3:]
		if len(rest) >= 2 && rest[0] == '.' {
			rest = strings.TrimLeft(rest[1:], "0")
		}
	}
	if year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, 0, false, false
	}
	local = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix()
	switch {
	case rest == "":
		return local, 0, false, true
	case rest == "Z":
		return local, 0, true, true
	case len(rest) != 6 || rest[0] != '+' && rest[0] != '-' || rest[3] != ':':
		return 0, 0, false, false
	}
	oh, om := digits(rest[1:3]), digits(rest[4:6])
	if oh < 0 || oh > 23 || om < 0 || om > 59 {
		return 0, 0, false, false
	}
	offset = int64(oh*3600 + om*60)
	if rest[0] == '-' {
		offset = -offset
	}
	return local, offset, true, true
}

// digits reads a number of digits only, -1 if it is none.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
