package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/alerts"
	"weimang/alerts/history"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
)

// step counts an alert's transitions one on, by what it reads.
func step(tx alerts.Tx, id string) error {
	a, err := tx.Alert(id)
	if err != nil {
		return err
	}
	if a == nil {
		f := &detectors.Finding{HouseholdID: id, Kind: detectors.Shortfall, Severity: detectors.Red, State: detectors.Open}
		a = &alerts.Alert{ID: id, Subject: id, HouseholdID: id, Kind: f.Kind, Severity: f.Severity, Onset: noon, OpenedAt: noon, UpdatedAt: noon, Finding: f}
	}
	a.LastSeq++
	return tx.PutAlert(a)
}

func counted(t *testing.T, db *store.DB, id string) int {
	t.Helper()
	as, err := db.AlertsOf(t.Context(), id, 1)
	must(t, err)
	if len(as) == 0 {
		return 0
	}
	return as[0].LastSeq
}

// What a transaction reads is still so when it writes, whoever else is at work.
func TestProcessesTakeTurns(t *testing.T) {
	place := storetest.Place(t)
	storetest.OpenAt(t, place)
	const steps = 25
	var wg sync.WaitGroup
	for range 2 {
		process := storetest.OpenAt(t, place)
		for range 2 {
			wg.Go(func() {
				for range steps {
					if err := process.Update(t.Context(), func(tx alerts.Tx) error { return step(tx, "h1") }); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	if n := counted(t, storetest.OpenAt(t, place), "h1"); n != 4*steps {
		t.Errorf("%d steps counted, want %d", n, 4*steps)
	}
}

func TestWaitingForTheTurnEndsWithTheContext(t *testing.T) {
	db := open(t)
	begun, end := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		must(t, db.Update(t.Context(), func(alerts.Tx) error { close(begun); <-end; return nil }))
	})
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := db.Update(ctx, func(alerts.Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the end of the context", err)
	}
	close(end)
	wg.Wait()
}

// The use of a hundred thousand homes takes a while. Another process may have an
// alert to write meanwhile.
func TestHistoryOfOneProcessDoesNotHoldUpTheAlertsOfAnother(t *testing.T) {
	place := storetest.Postgres(t)
	bulk, urgent := storetest.OpenAt(t, place), storetest.OpenAt(t, place)
	days := make([]history.Day, 3000)
	for i := range days {
		days[i] = day(fmt.Sprintf("h%d", i), point(noon, 1))
	}
	var merged atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		must(t, bulk.MergeUse(t.Context(), days))
		merged.Store(true)
	})
	meanwhile := 0
	for ; !merged.Load(); meanwhile++ {
		must(t, urgent.Update(t.Context(), func(tx alerts.Tx) error { return step(tx, "h1") }))
	}
	wg.Wait()
	if meanwhile < 10 {
		t.Errorf("%d alerts were written while history was", meanwhile)
	}
}

func with(t *testing.T, o store.Options, setting, value string) store.Options {
	t.Helper()
	u, err := url.Parse(o.URL)
	must(t, err)
	q := u.Query()
	q.Set(setting, value)
	u.RawQuery = q.Encode()
	o.URL = u.String()
	return o
}

// Whoever has the turn and dies, or hangs, must not keep it: nobody would be told
// of anything any more.
func TestTheTurnOfADeadProcessPasses(t *testing.T) {
	for name, die := range map[string]func(*proxy){
		"its connection ends": (*proxy).cut,
		"it hangs":            func(*proxy) {}, // and the server's limit counts
	} {
		t.Run(name, func(t *testing.T) {
			place := storetest.Postgres(t)
			wire, far := through(t, with(t, place, "idle_in_transaction_session_timeout", "1000"))
			dead, alive := storetest.OpenAt(t, far), storetest.OpenAt(t, place)
			begun, end := make(chan struct{}), make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				calls := 0
				err := dead.Update(t.Context(), func(tx alerts.Tx) error {
					if calls++; calls > 1 {
						return errors.New("the dead process came back")
					}
					if err := step(tx, "h1"); err != nil {
						return err
					}
					close(begun)
					<-end
					return step(tx, "h1")
				})
				if err == nil {
					t.Error("what the dead process did was committed")
				}
			})
			<-begun
			die(wire)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			must(t, alive.Update(ctx, func(tx alerts.Tx) error { return step(tx, "h2") }))
			close(end)
			wg.Wait()
			if n := counted(t, alive, "h1"); n != 0 {
				t.Errorf("%d steps of the dead process are there", n)
			}
		})
	}
}

// A commit whose answer is lost may have been made or not. The database knows.
func TestACommitWhoseAnswerIsLostCountsOnce(t *testing.T) {
	for name, c := range map[string]struct {
		lose  loss
		calls int
	}{
		"it was made":     {theAnswer, 1},
		"it was not made": {theRequest, 2},
	} {
		t.Run(name, func(t *testing.T) {
			place := storetest.Postgres(t)
			wire, far := through(t, place)
			db := storetest.OpenAt(t, far)
			wire.lose(c.lose)
			calls := 0
			must(t, db.Update(t.Context(), func(tx alerts.Tx) error {
				calls++
				return step(tx, "h1")
			}))
			if calls != c.calls || wire.losses() != 1 {
				t.Errorf("done %d times after %d lost commits, want %d after one", calls, wire.losses(), c.calls)
			}
			if n := counted(t, db, "h1"); n != 1 {
				t.Errorf("%d steps counted, want one", n)
			}
		})
	}
}

func TestWorkThatIsCutOffIsBegunAgain(t *testing.T) {
	place := storetest.Postgres(t)
	wire, far := through(t, place)
	reg := prometheus.NewPedanticRegistry()
	far.Registry = reg
	db := storetest.OpenAt(t, far)
	calls := 0
	must(t, db.Update(t.Context(), func(tx alerts.Tx) error {
		if err := step(tx, "h1"); err != nil {
			return err
		}
		if calls++; calls == 1 {
			wire.cut()
		}
		return step(tx, "h1")
	}))
	if n := counted(t, db, "h1"); calls != 2 || n != 2 {
		t.Errorf("called %d times, %d steps counted: want two of each", calls, n)
	}
	if n := gathered(t, reg, "weimang_store_repeated_transactions_total"); n != 1 {
		t.Errorf("%g repeated transactions counted", n)
	}
}

func TestAMistakeIsNotTriedAgain(t *testing.T) {
	db := open(t)
	calls := 0
	err := db.Update(t.Context(), func(tx alerts.Tx) error {
		calls++
		// Refused at the commit: the alert that it refers to is not there.
		return tx.AppendEvent(alerts.Event{AlertID: "not there", Kind: alerts.EventOpened, At: noon, RecordedAt: noon})
	})
	if err == nil || calls != 1 {
		t.Errorf("error %v after %d calls", err, calls)
	}
}

// The plug of the server is pulled again and again while two processes write.
// What was acknowledged is there, once, and the work goes on by itself.
func TestAKilledServerLosesNothingAndDoublesNothing(t *testing.T) {
	server := storetest.StartServer(t)
	place := server.Place()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	acknowledged, failed := make([]int, 2), make([]int, 2)
	var wg sync.WaitGroup
	for i := range acknowledged {
		process := storetest.OpenAt(t, place)
		wg.Go(func() {
			for ctx.Err() == nil {
				err := process.Update(ctx, func(tx alerts.Tx) error { return step(tx, fmt.Sprintf("h%d", i)) })
				if err == nil {
					acknowledged[i]++
				} else { // the commit may have been made all the same
					failed[i]++
					t.Logf("process %d: %v", i, err)
				}
			}
		})
	}
	for range 3 {
		time.Sleep(700 * time.Millisecond) // longer than the pause between two tries
		server.Kill()
		time.Sleep(100 * time.Millisecond)
		server.Restart()
	}
	time.Sleep(200 * time.Millisecond)
	stop()
	wg.Wait()
	after := storetest.OpenAt(t, place)
	for i, n := range acknowledged {
		if got := counted(t, after, fmt.Sprintf("h%d", i)); n < 10 || got < n || got > n+failed[i] {
			t.Errorf("process %d: %d steps acknowledged, %d failed and %d counted", i, n, failed[i], got)
		}
	}
}

func TestTheStoreSaysHowItIs(t *testing.T) {
	place := storetest.Place(t)
	reg := prometheus.NewPedanticRegistry()
	place.Registry = reg
	db, err := store.OpenWith(t.Context(), place)
	must(t, err)
	must(t, db.Update(t.Context(), func(tx alerts.Tx) error { return step(tx, "h1") }))
	must(t, db.MergeUse(t.Context(), []history.Day{day("h1", point(noon, 1))}))
	if up := gathered(t, reg, "weimang_store_up"); up != 1 {
		t.Errorf("up %g while it is open", up)
	}
	for _, name := range []string{"weimang_store_wait_seconds", "weimang_store_transaction_seconds"} {
		if n, err := testutil.GatherAndCount(reg, name); err != nil || n != 2 {
			t.Errorf("%s has %d kinds of work (%v), want alerts and history", name, n, err)
		}
		if n := gathered(t, reg, name); n != 2 {
			t.Errorf("%s counts %g transactions, want two", name, n)
		}
	}
	must(t, db.Close())
	if up := gathered(t, reg, "weimang_store_up"); up != 0 {
		t.Errorf("up %g after it was closed", up)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("names: %v (%v)", problems, err)
	}
}

// gathered is the value of a metric, or how many a histogram has seen, over all
// labels.
func gathered(t *testing.T, reg *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	must(t, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}
