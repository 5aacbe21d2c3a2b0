// Package history takes in what each home used beside its usual band (topic
// weimang.history) and keeps the last days of it for the page.
//
// It judges nothing; a point that comes again replaces the one before.
package history

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"weimang/alerts"
	"weimang/detectors"
)

// DefaultRetention is how long before the newest point history is kept.
const DefaultRetention = 14 * 24 * time.Hour

// Day is the points of one household in one UTC day.
type Day struct {
	HouseholdID string
	Day         int64 // days since 1970
	Points      []detectors.UsePoint
}

// Store keeps days (package store).
type Store interface {
	// MergeUse puts points into their days, which are durable when it returns:
	// a later point replaces an earlier one of the same start, so that what an
	// error has left half done can be done again. No two days are of the same
	// household and date.
	MergeUse(ctx context.Context, days []Day) error
	// PruneUse forgets all days before day.
	PruneUse(ctx context.Context, day int64) error
	// NewestUse is the last day there is anything of, 0 when there is none.
	NewestUse(ctx context.Context) (int64, error)
}

// Handler merges history records into the store.
type Handler struct {
	store  Store
	retain int64 // days

	mu     sync.Mutex
	known  bool
	newest int64 // day

	points prometheus.Counter
	old    prometheus.Counter
	bad    prometheus.Counter
}

// NewHandler makes a handler; retention 0 means DefaultRetention. It is
// judged by the newest point, not by the wall clock, so that a replayed year
// behaves as it did then.
func NewHandler(store Store, retention time.Duration, reg prometheus.Registerer) *Handler {
	if retention <= 0 {
		retention = DefaultRetention
	}
	f := promauto.With(reg)
	return &Handler{
		store: store, retain: int64((retention + 24*time.Hour - 1) / (24 * time.Hour)),
		points: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_history_points_total", Help: "Points of use taken into the history",
		}),
		old: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_history_expired_points_total", Help: "Points of use left out because they are older than the retention",
		}),
		bad: f.NewCounter(prometheus.CounterOpts{
			Name: "weimang_history_bad_records_total", Help: "History records that could not be used and were handed back for the dead letters",
		}),
	}
}

// HandleHistory takes records of topic weimang.history; they are durable when
// it returns. Records that can never be used are reported in an
// *alerts.BadRecordsError after all others have become durable.
func (h *Handler) HandleHistory(ctx context.Context, values [][]byte) error {
	records := make([]detectors.History, 0, len(values))
	var bad []alerts.BadRecord
	for i, value := range values {
		var r detectors.History
		err := json.Unmarshal(value, &r)
		if err == nil {
			err = check(&r)
		}
		if err != nil {
			bad = append(bad, alerts.BadRecord{Index: i, Err: fmt.Errorf("decode history: %w", err)})
			continue
		}
		records = append(records, r)
	}
	if err := h.Merge(ctx, records); err != nil {
		return err
	}
	if len(bad) > 0 {
		h.bad.Add(float64(len(bad)))
		return &alerts.BadRecordsError{Records: bad}
	}
	return nil
}

func check(r *detectors.History) error {
	if r.HouseholdID == "" {
		return fmt.Errorf("record without household")
	}
	for i := range r.Points {
		p := &r.Points[i]
		if p.Start.Unix() <= 0 || p.Interval < time.Minute || p.Interval > 24*time.Hour {
			return fmt.Errorf("point %d without a proper start and interval", i)
		}
	}
	return nil
}

// Merge takes records in their order, later ones replacing earlier ones.
func (h *Handler) Merge(ctx context.Context, records []detectors.History) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.known {
		newest, err := h.store.NewestUse(ctx)
		if err != nil {
			return fmt.Errorf("read the newest day of history: %w", err)
		}
		h.newest, h.known = newest, true
	}
	newest := h.newest
	for i := range records {
		for j := range records[i].Points {
			newest = max(newest, DayOf(records[i].Points[j].Start))
		}
	}
	days, taken, old := coalesce(records, newest-h.retain)
	if len(days) > 0 {
		if err := h.store.MergeUse(ctx, days); err != nil {
			return fmt.Errorf("keep history: %w", err)
		}
	}
	h.points.Add(float64(taken))
	h.old.Add(float64(old))
	if newest > h.newest {
		if err := h.store.PruneUse(ctx, newest-h.retain); err != nil {
			return fmt.Errorf("prune history: %w", err)
		}
		h.newest = newest
	}
	return nil
}

// coalesce gathers the points of each household and day, leaving out days
// before oldest.
func coalesce(records []detectors.History, oldest int64) (days []Day, taken, old int) {
	type key struct {
		household string
		day       int64
	}
	at := map[key]int{}
	for i := range records {
		r := &records[i]
		for j := range r.Points {
			k := key{r.HouseholdID, DayOf(r.Points[j].Start)}
			if k.day < oldest {
				old++
				continue
			}
			taken++
			n, ok := at[k]
			if !ok {
				n = len(days)
				at[k] = n
				days = append(days, Day{HouseholdID: k.household, Day: k.day})
			}
			days[n].Points = append(days[n].Points, r.Points[j])
		}
	}
	return days, taken, old
}

// DayOf is the UTC day of t, in days since 1970.
func DayOf(t time.Time) int64 { return t.Unix() / 86400 }
