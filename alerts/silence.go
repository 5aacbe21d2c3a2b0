package alerts

import (
	"time"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

const (
	// recheck is after how long a silence is looked at again.
	recheck = time.Hour
	// earlier is by how much an onset must lie before an outage's for the
	// outage not to explain it.
	earlier = time.Hour
	// flapWithin is for how long after its end the same thing, if it is not
	// grave, is not told again: it must last that long first.
	flapWithin = 3 * time.Hour
)

// silence says why nobody need be told of an alert now; "" is that somebody
// must be.
func (w *work) silence(a *Alert) (Silence, error) {
	if a.Kind == detectors.NotBack || a.Kind == detectors.Impossible {
		return "", nil // what an outage does not explain
	}
	dark, err := w.tx.OpenAlert("area:" + a.AreaID)
	if err != nil {
		return "", err
	}
	if explains(dark, a) {
		return AreaIsDark, nil
	}
	if a.Kind == detectors.SilentMeter {
		silent, err := w.tx.OpenAlert("silent-area:" + a.AreaID)
		if err != nil {
			return "", err
		}
		if explains(silent, a) {
			return AreaIsSilent, nil
		}
	}
	if a.Severity.VisitLevel() {
		return "", nil
	}
	before, err := w.tx.Before(a)
	if err != nil {
		return "", err
	}
	if before != nil && before.Kind == a.Kind && !before.ToldAt.IsZero() && !before.Open() && a.Onset.Sub(before.ResolvedAt) < flapWithin &&
		a.Latest().At.Sub(before.ResolvedAt) < flapWithin {
		return Flapping, nil
	}
	return "", nil
}

// explains reports whether an area's notice explains a home's alert: what began
// well before it did not come of it.
func explains(area, home *Alert) bool {
	return area != nil && !home.Onset.Before(area.Onset.Add(-earlier))
}

// hush leaves an alert on the page and looks again later: what flaps has to last
// first.
func (w *work) hush(a *Alert, s Silence) error {
	a.LookAt = w.now.Add(recheck)
	if s == Flapping {
		a.LookAt = w.now.Add(flapWithin)
	}
	if a.Silenced == s {
		return nil
	}
	a.Silenced = s
	w.count(func(m *metrics) { m.silenced.WithLabelValues(string(s)).Inc() })
	return w.did(a, EventSilenced, "", string(s))
}

// hear looks whether an alert is still to be silent, and begins to call.
func (w *work) hear(a *Alert, home *roster.Household) error {
	s, err := w.silence(a)
	if err != nil {
		return err
	}
	if s != "" && (s != Flapping || a.Silenced != Flapping) {
		return w.hush(a, s)
	}
	return w.call(a, home, escalate.Of(a.Severity), escalate.Opened)
}
