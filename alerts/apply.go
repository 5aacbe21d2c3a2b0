package alerts

import (
	"encoding/json"
	"fmt"
	"time"

	"weimang/alerts/roster"
	"weimang/detectors"
)

// work is one transaction of the service and what it will have done once it
// is committed; metrics hear of it only then.
type work struct {
	*Service
	tx  Tx
	now time.Time // wall

	opened, resolved []*Alert
	unrouted         []unroutedReason
	repeats          int
	enqueued         int
}

// apply takes one transition through transition, alert, history and outbox.
func (w *work) apply(f *detectors.Finding, raw json.RawMessage) error {
	t := Transition{AlertID: f.AlertID(), Seq: f.Seq, Raw: raw}
	isNew, err := w.tx.AddTransition(t, w.now)
	if err != nil {
		return err
	}
	if !isNew {
		w.repeats++
		return nil
	}
	home, err := w.household(f)
	if err != nil {
		return err
	}
	alert, err := w.step(f, home)
	if err != nil {
		return err
	}
	if err := w.publish(t, alert.VillageID); err != nil {
		return err
	}
	if f.Pushed {
		return w.tell(f, home)
	}
	return nil
}

// household looks the finding's household up. One that the roster does not
// know gets an alert all the same, under its id.
func (w *work) household(f *detectors.Finding) (*roster.Household, error) {
	if f.HouseholdID == "" {
		return nil, nil
	}
	home, err := w.tx.Household(f.HouseholdID)
	if err != nil {
		return nil, err
	}
	if home == nil {
		home = &roster.Household{ID: f.HouseholdID, AreaID: f.AreaID, Unlisted: true}
	}
	return home, nil
}

// step brings the alert's row and history on by one transition.
func (w *work) step(f *detectors.Finding, home *roster.Household) (*Alert, error) {
	a, err := w.tx.Alert(f.AlertID())
	if err != nil {
		return nil, err
	}
	newer := ""
	if a == nil {
		if newer, err = w.supersede(f); err != nil {
			return nil, err
		}
		a = &Alert{
			ID: f.AlertID(), Subject: f.Subject(), HouseholdID: f.HouseholdID, AreaID: f.AreaID,
			Kind: f.Kind, Severity: f.Severity, Onset: f.Onset, OpenedAt: f.At, Finding: f,
		}
		w.opened = append(w.opened, a)
	}
	if home != nil && home.VillageID != "" {
		a.VillageID = home.VillageID // the roster may have learnt it, or moved the home, since
	}
	// A transition that comes after its successor is history, not news.
	if f.Seq > a.LastSeq {
		a.LastSeq = f.Seq
		a.UpdatedAt = f.At
		switch {
		case f.State == detectors.Resolved && a.Open():
			a.ResolvedAt, a.Ending = f.At, f
			w.resolved = append(w.resolved, a)
		case f.State != detectors.Resolved && a.Open():
			a.Kind, a.Severity, a.Onset, a.Finding = f.Kind, f.Severity, f.Onset, f
			if newer == "" {
				break
			}
			a.ResolvedAt = f.At
			w.resolved = append(w.resolved, a)
			if err := w.event(f, EventSuperseded, newer); err != nil {
				return nil, err
			}
		}
	}
	if err := w.tx.PutAlert(a); err != nil {
		return nil, err
	}
	event := map[detectors.State]EventKind{
		detectors.Open: EventOpened, detectors.Update: EventUpdated, detectors.Resolved: EventResolved,
	}[f.State]
	return a, w.event(f, event, "")
}

// supersede closes an alert of the same subject that is still open: its end
// was never heard, and a household has one open alert. The id of one that is
// newer than f is returned instead: when a home has moved, the last words of
// its old area may come after the first of its new one.
func (w *work) supersede(f *detectors.Finding) (newer string, err error) {
	old, err := w.tx.OpenAlert(f.Subject())
	if err != nil || old == nil {
		return "", err
	}
	if old.Finding.Episode > f.Episode {
		return old.ID, nil
	}
	old.ResolvedAt, old.UpdatedAt = f.At, f.At
	if err := w.tx.PutAlert(old); err != nil {
		return "", err
	}
	w.resolved = append(w.resolved, old)
	return "", w.tx.AppendEvent(Event{
		AlertID: old.ID, Seq: old.LastSeq, Kind: EventSuperseded, At: f.At, Detail: f.AlertID(), RecordedAt: w.now,
	})
}

func (w *work) event(f *detectors.Finding, kind EventKind, detail string) error {
	return w.tx.AppendEvent(Event{
		AlertID: f.AlertID(), Seq: f.Seq, Kind: kind, At: f.At, Detail: detail, RecordedAt: w.now,
	})
}

// publish puts the transition into the outbox for topic weimang.alerts.
func (w *work) publish(t Transition, village string) error {
	value, err := json.Marshal(Published{AlertID: t.AlertID, Seq: t.Seq, VillageID: village, Finding: t.Raw})
	if err != nil {
		return fmt.Errorf("encode for publication: %w", err)
	}
	w.enqueued++
	return w.tx.EnqueueRecord(Record{ID: TransitionID(t.AlertID, t.Seq), Key: t.AlertID, Value: value}, w.now)
}
