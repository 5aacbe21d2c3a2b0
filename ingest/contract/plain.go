package contract

import (
	"bytes"
	"math"
	"time"

	"weimang/ingest"
)

// plainReading reads a reading that is written as nearly all are: one flat
// object of the contract's members, each at most once, ids without escapes,
// times in whole seconds, plain decimal numbers. It takes two allocations and
// a tenth of the time of the careful way, which must come to the same
// whenever ok; whatever is unusual, or wrong and in need of words, is not ok.
func plainReading(value []byte) (b ingest.Block, array, ok bool) {
	s := scan{rest: value}
	if !s.next('{') {
		return b, false, false
	}
	var seen uint8
	for {
		name, ok := s.text()
		if !ok || !s.next(':') {
			return b, false, false
		}
		var member uint8
		switch string(name) {
		case "meter_id":
			member = hasMeter
			var id []byte
			id, ok = s.text()
			b.MeterID = string(id)
		case "area_id":
			member = hasArea
			var id []byte
			id, ok = s.text()
			b.AreaID = string(id)
		case "ts":
			member = hasStart
			b.Start, ok = s.time()
		case "sent_at":
			member = hasSent
			b.SentAt, ok = s.time()
		case "interval_s":
			member = hasInterval
			var seconds float64
			seconds, ok = s.number()
			ok = ok && (seconds == 900 || seconds == 1800 || seconds == 3600)
			b.Interval = time.Duration(seconds) * time.Second
		case "kwh", "register_kwh": // only one of them
			member = hasEnergy
			b.Register = len(name) > len("kwh")
			b.KWh, array, ok = s.energy()
		case "quality":
			member = hasQuality
			var word []byte
			word, ok = s.text()
			ok = ok && string(word) == "valid"
		case "seq":
			member = hasSeq
			var v float64
			v, ok = s.number()
			ok = ok && v == math.Trunc(v) && v <= mostSeq
			b.Seq = int64(v)
		default:
			return b, false, false
		}
		if !ok || seen&member != 0 {
			return b, false, false
		}
		seen |= member
		if s.next(',') {
			continue
		}
		const needed = hasMeter | hasStart | hasInterval | hasEnergy
		return b, array, s.next('}') && s.end() && seen&needed == needed
	}
}

// Members of a reading, as bits.
const (
	hasMeter uint8 = 1 << iota
	hasArea
	hasStart
	hasSent
	hasInterval
	hasEnergy
	hasQuality
	hasSeq
)

// scan walks over a record.
type scan struct{ rest []byte }

func (s *scan) space() {
	for len(s.rest) > 0 {
		switch s.rest[0] {
		case ' ', '\t', '\r', '\n':
			s.rest = s.rest[1:]
		default:
			return
		}
	}
}

// next steps over c, and the space before it, if c comes next.
func (s *scan) next(c byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// end tells whether nothing but space is left.
func (s *scan) end() bool {
	s.space()
	return len(s.rest) == 0
}

// text reads a string of printable ASCII without escapes.
func (s *scan) text() (text []byte, ok bool) {
	if !s.next('"') {
		return nil, false
	}
	for i, c := range s.rest {
		switch {
		case c == '"':
			text, s.rest = s.rest[:i], s.rest[i+1:]
			return text, true
		case c < ' ' || c > '~' || c == '\\':
			return nil, false
		}
	}
	return nil, false
}

// mostExact digits make a whole number that a float64 holds exactly. Divided
// by a power of ten that is exact too, it is the nearest float64 to the
// decimal number, which strconv.ParseFloat finds: W. D. Clinger, How to read
// floating point numbers accurately, PLDI 1990.
const mostExact = 15

var tens = [mostExact + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// number reads a decimal number without sign and exponent.
func (s *scan) number() (v float64, ok bool) {
	s.space()
	var whole int64
	digits, point := 0, -1
	i := 0
	for ; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '.' && point < 0 && digits > 0 {
			point = digits
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		whole = whole*10 + int64(c-'0')
		if digits++; digits > mostExact {
			return 0, false
		}
	}
	before, after := digits, 0
	if point >= 0 {
		before, after = point, digits-point
	}
	// JSON knows neither 01 nor "1." nor ".1".
	if digits == 0 || before > 1 && s.rest[0] == '0' || point >= 0 && after == 0 {
		return 0, false
	}
	s.rest = s.rest[i:]
	return float64(whole) / tens[after], true
}

// energy reads a number, or an array of numbers and nulls (NaN).
func (s *scan) energy() (values []float64, array, ok bool) {
	if !s.next('[') {
		v, ok := s.number()
		return []float64{v}, false, ok
	}
	end := bytes.IndexByte(s.rest, ']')
	if end < 0 {
		return nil, true, false
	}
	n := bytes.Count(s.rest[:end], []byte{','}) + 1
	if n > mostValues {
		return nil, true, false
	}
	values = make([]float64, 0, n)
	for {
		v, ok := s.number()
		if !ok {
			const null = "null"
			if !bytes.HasPrefix(s.rest, []byte(null)) {
				return nil, true, false
			}
			s.rest, v = s.rest[len(null):], math.NaN()
		}
		values = append(values, v)
		if s.next(',') {
			continue
		}
		return values, true, s.next(']')
	}
}

// time reads a time of whole seconds with an offset, and returns it in UTC.
func (s *scan) time() (t time.Time, ok bool) {
	text, ok := s.text()
	const second = len("2006-01-02T15:04:05")
	if !ok || len(text) != second+len("Z") && len(text) != second+len("+08:00") {
		return t, false
	}
	if text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return t, false
	}
	century, ok1 := two(text, 0)
	year, ok2 := two(text, 2)
	month, ok3 := two(text, 5)
	day, ok4 := two(text, 8)
	hour, ok5 := two(text, 11)
	minute, ok6 := two(text, 14)
	sec, ok7 := two(text, 17)
	if whole := ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7; !whole || hour > 23 || minute > 59 || sec > 59 {
		return t, false
	}
	offset := 0 // seconds
	switch zone := text[second:]; zone[0] {
	case 'Z':
		if len(zone) != 1 {
			return t, false
		}
	case '+', '-':
		if len(zone) != len("+08:00") || zone[3] != ':' {
			return t, false
		}
		h, ok1 := two(zone, 1)
		m, ok2 := two(zone, 4)
		if !ok1 || !ok2 || h > 23 || m > 59 {
			return t, false
		}
		if offset = h*3600 + m*60; zone[0] == '-' {
			offset = -offset
		}
	default:
		return t, false
	}
	t = time.Date(century*100+year, time.Month(month), day, hour, minute, sec, 0, time.UTC)
	// Date turns the 31st of June into a day of July.
	if t.Day() != day || int(t.Month()) != month {
		return t, false
	}
	t = t.Add(-time.Duration(offset) * time.Second)
	return t, checkTime("", t) == nil
}

// two reads two digits.
func two(text []byte, at int) (n int, ok bool) {
	a, b := text[at]-'0', text[at+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}
