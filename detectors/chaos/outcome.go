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
	episodes map[string]episode // by alert, but for those of which the order of arrival decides
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

// joinSettles is for how long after a home has come from another area what is told
// of its neighbours may depend on when it was handed over, and joinNear how long
// before that they are of no concern yet.
const (
	joinSettles = 48 * time.Hour
	joinNear    = 6 * time.Hour
)

// apart reports whether an episode of an area depends on how far the areas had
// got as homes moved.
func (f *feed) apart(area string, e *episode) bool {
	return slices.ContainsFunc(f.joins[area], func(at time.Time) bool {
		return e.onset.Before(at.Add(joinSettles)) && (e.end.IsZero() || e.end.After(at.Add(-joinNear)))
	})
}

// result reduces what the model has read. Every area must be saved up to the
// same clock. Episodes of areas in which readings came late are left out, and
// those of homes that have moved and of their new neighbours at that time: when
// a home is handed over, beside which readings of theirs, depends on how far
// either area has got.
func (m *model) result(late map[string]bool, of *feed) (outcome, error) {
	o := outcome{episodes: make(map[string]episode), areas: make(map[string][]byte)}
	for at := range m.last {
		alert := at.alert
		var e episode
		area := ""
		for seq := 1; ; seq++ {
			raw, ok := m.found[identity{alert, seq}]
			if !ok {
				break
			}
			f, err := detectors.DecodeFinding(raw)
			if err != nil {
				return o, err
			}
			if late[f.AreaID] || of.moved[f.HouseholdID] {
				break
			}
			area = f.AreaID
			e.subject, e.kind, e.onset = f.Subject(), f.Kind, f.Onset
			e.severity = max(e.severity, f.Severity)
			if f.State == detectors.Resolved {
				e.end = f.At
			}
			if f.Reason.Cause == detectors.CauseCorrection {
				e = episode{}
			}
		}
		if e.clear(); e != (episode{}) && !of.apart(area, &e) {
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
