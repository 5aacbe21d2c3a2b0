package chaos

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"weimang/detectors"
)

// outcome is what a run has come to that must not depend on what happened in
// it, nor on the order in which the feed came.
type outcome struct {
	episodes map[string]episode // by alert, but for those of areas in which readings came late
	areas    map[string][]byte  // detectors.OrderFree of the last state saved
}

// episode is an alert's, reduced from its transitions: kind and highest
// severity, onset, and the event time of its end, zero while it is open. What
// later data took back is none. When it was decided, by what newest reading,
// and in how many transitions, depends on the order of arrival, and so does
// what was known of its strength on the way.
type episode struct {
	subject    string
	kind       detectors.Kind
	severity   detectors.Severity
	onset, end time.Time
}

func (e episode) String() string {
	end := "open"
	if !e.end.IsZero() {
		end = e.end.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s: %s, %s, since %s, %s", e.subject, e.kind, e.severity, e.onset.Format(time.RFC3339), end)
}

// Lengths of a silence at which it is told, and told anew as more severe
// (record 11).
const (
	silenceTold  = 4 * time.Hour
	silenceWorse = 24 * time.Hour
)

// clear takes away what may be told or not. A silence is told by the clock, once
// the usual delay has passed since it was long enough: where the next reading
// comes in these hours, or would have but for a delay, it depends on that.
func (e *episode) clear() {
	if e.kind != detectors.SilentMeter || e.end.IsZero() {
		return
	}
	const unclear = usualDelay + disorder + interval
	switch lasted := e.end.Sub(e.onset); {
	case lasted < silenceTold+unclear:
		*e = episode{}
	case lasted >= silenceWorse && lasted < silenceWorse+unclear:
		e.severity = detectors.Blue
	}
}

// result reduces what the model has read. Every area must be saved up to the
// same clock.
func (m *model) result(late map[string]bool) (outcome, error) {
	o := outcome{episodes: make(map[string]episode), areas: make(map[string][]byte)}
	for alert := range m.last {
		var e episode
		for seq := 1; ; seq++ {
			raw, ok := m.found[identity{alert, seq}]
			if !ok {
				break
			}
			f, err := detectors.DecodeFinding(raw)
			if err != nil {
				return o, err
			}
			if late[f.AreaID] {
				break
			}
			e.subject, e.kind, e.onset = f.Subject(), f.Kind, f.Onset
			e.severity = max(e.severity, f.Severity)
			if f.State == detectors.Resolved {
				e.end = f.At
			}
			if f.Reason.Cause == detectors.CauseCorrection {
				e = episode{}
			}
		}
		if e.clear(); e != (episode{}) {
			o.episodes[alert] = e
		}
	}
	for id, s := range m.saved {
		frozen, err := detectors.OrderFree(m.params, s.state)
		if err != nil {
			return o, fmt.Errorf("area %s: %w", id, err)
		}
		o.areas[id] = frozen
	}
	return o, nil
}

// differs says how another outcome differs from this one, a line each.
func (o *outcome) differs(other *outcome, p *detectors.Params) []string {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	counts := make(map[episode]int)
	for _, e := range o.episodes {
		counts[e]++
	}
	for _, e := range other.episodes {
		counts[e]--
	}
	for e, n := range counts {
		switch {
		case n > 0:
			add("missing: %s", e)
		case n < 0:
			add("not in the undisturbed run: %s", e)
		}
	}
	slices.Sort(wrong)
	for _, id := range slices.Sorted(maps.Keys(o.areas)) {
		if !bytes.Equal(o.areas[id], other.areas[id]) {
			add("area %s: its state differs (%d and %d bytes)", id, len(o.areas[id]), len(other.areas[id]))
			lines, err := detectors.Differ(p, o.areas[id], other.areas[id])
			if err != nil {
				add("  %v", err)
			}
			for _, line := range lines {
				add("  %s", line)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(other.areas)) {
		if _, ok := o.areas[id]; !ok {
			add("area %s: is not in the undisturbed run", id)
		}
	}
	return wrong
}
