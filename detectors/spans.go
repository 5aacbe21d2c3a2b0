package detectors

import (
	"slices"
)

// span is a time: the intervals that end after From and by Until.
type span struct{ From, Until tick }

func (s span) holds(end tick) bool { return s.From < end && end <= s.Until }

// merge puts spans in order and makes one of those that touch.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(x, y span) int { return int(x.From - y.From) })
	merged := spans[:1]
	for _, s := range spans[1:] {
		if last := &merged[len(merged)-1]; s.From <= last.Until {
			last.Until = max(last.Until, s.Until)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// bridge makes one stay of those with so little between them that it is the
// exchange of a meter.
func bridge(stays []stay) []stay {
	if len(stays) < 2 {
		return stays
	}
	joined := stays[:1]
	for _, s := range stays[1:] {
		last := &joined[len(joined)-1]
		switch {
		case s.From > last.Until && last.to != "", s.From-exchangeGap > last.Until:
			joined = append(joined, s)
		case s.Until > last.Until, s.Until == last.Until && last.to == "":
			last.Until, last.to = s.Until, s.to
		}
	}
	return joined
}

var always = []span{{0, never}}

// upTo ends spans at a time; nil is always.
func upTo(spans []span, at tick) []span {
	if spans == nil {
		spans = always
	}
	var left []span
	for _, s := range spans {
		if s.Until = min(s.Until, at); s.From < s.Until {
			left = append(left, s)
		}
	}
	if left == nil {
		return []span{{}} // never
	}
	return left
}

// whole makes spans nil that are always.
func whole(spans []span) []span {
	if slices.Equal(spans, always) {
		return nil
	}
	return spans
}

// difference is the time after which two lists of spans differ, leaving out what
// lies before from; never: they do not.
func difference(x, y []span, from tick) tick {
	x, y = after(x, from), after(y, from)
	for i := range max(len(x), len(y)) {
		switch {
		case i >= len(x):
			return y[i].From
		case i >= len(y):
			return x[i].From
		case x[i].From != y[i].From:
			return min(x[i].From, y[i].From)
		case x[i].Until != y[i].Until:
			return min(x[i].Until, y[i].Until)
		}
	}
	return never
}

// after is what lies after a time of spans; nil is always.
func after(spans []span, from tick) (left []span) {
	if spans == nil {
		spans = always
	}
	for _, s := range spans {
		if s.From = max(s.From, from); s.From < s.Until {
			left = append(left, s)
		}
	}
	return left
}

func spansOf(stays []stay) []span {
	if stays == nil {
		return nil
	}
	spans := make([]span, len(stays))
	for i, s := range stays {
		spans[i] = s.span
	}
	return spans
}
