package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/detectors"
)

func each(n int, per time.Duration) deliver.Limit {
	return deliver.Limit{N: n, Per: per, Of: deliver.OfAddress}
}

// messages puts one message of an alert of its own for each name into the
// outbox, for a person at an address, and returns them by name.
func messages(t *testing.T, db *store.DB, person, address string, names ...string) map[string]deliver.Item {
	t.Helper()
	for _, name := range names {
		enqueue(t, db, alerts.Message{AlertID: name, Seq: 1, To: alerts.Recipient{PersonID: person}, Channel: "console", Severity: detectors.Yellow})
	}
	items, err := db.Due(t.Context(), "console", noon.Add(time.Hour), 1000)
	must(t, err)
	out := map[string]deliver.Item{}
	for _, it := range items {
		if it.Message.To.PersonID == person {
			it.Message.Address = address
			out[it.Message.AlertID] = it
		}
	}
	return out
}

func begin(t *testing.T, db *store.DB, it deliver.Item, at time.Time, limits ...deliver.Limit) deliver.Turn {
	t.Helper()
	turn, err := db.Begin(t.Context(), it, at, at.Add(time.Minute), limits)
	must(t, err)
	return turn
}

func dueNames(t *testing.T, db *store.DB, now time.Time) (names []string) {
	t.Helper()
	items, err := db.Due(t.Context(), "console", now, 1000)
	must(t, err)
	for _, it := range items {
		names = append(names, it.Message.AlertID)
	}
	return names
}

// Two a minute: the third waits until the first is a minute old, with all else
// that is due to the same person, and when there is room the gravest goes first.
func TestWhatIsOverTheLimitWaitsUntilThereIsRoom(t *testing.T) {
	db := open(t)
	ms := messages(t, db, "p1", "138", "a", "b", "c", "d")
	limit := each(2, time.Minute)
	for i, name := range []string{"a", "b"} {
		if turn := begin(t, db, ms[name], noon.Add(time.Duration(i)*time.Second), limit); !turn.Ours {
			t.Fatalf("%s: %+v", name, turn)
		}
		must(t, db.Finish(t.Context(), ms[name], deliver.Outcome{Status: deliver.Sent, At: noon.Add(time.Duration(i) * time.Second)}))
	}
	at := noon.Add(10 * time.Second)
	room := noon.Add(time.Minute + time.Millisecond)
	if turn := begin(t, db, ms["c"], at, limit); turn.Ours || !turn.Wait.Equal(room) {
		t.Errorf("%+v, want to wait until %v", turn, room)
	}
	if names := dueNames(t, db, at); len(names) != 0 {
		t.Errorf("due before there is room: %v", names)
	}
	// A red one that comes meanwhile waits as well, and then goes first.
	enqueue(t, db, alerts.Message{AlertID: "red", Seq: 1, To: alerts.Recipient{PersonID: "p1"}, Channel: "console", Severity: detectors.Red})
	red := messages(t, db, "p1", "138")["red"]
	if turn := begin(t, db, red, at.Add(time.Second), limit); turn.Ours || !turn.Wait.Equal(room) {
		t.Errorf("red: %+v", turn)
	}
	if names := dueNames(t, db, room); !reflect.DeepEqual(names, []string{"red", "c", "d"}) {
		t.Errorf("when there is room: %v", names)
	}
	if turn := begin(t, db, red, room, limit); !turn.Ours {
		t.Errorf("red, when there is room: %+v", turn)
	}
	if turn := begin(t, db, ms["c"], room, limit); turn.Ours || !turn.Wait.Equal(noon.Add(61*time.Second+time.Millisecond)) {
		t.Errorf("c, behind red: %+v", turn)
	}
}

func TestALimitCountsByAddressOrByChannel(t *testing.T) {
	db := open(t)
	wang, li := messages(t, db, "wang", "138", "a", "b"), messages(t, db, "li", "139", "c", "d")
	zhao := messages(t, db, "zhao", "138", "e") // the same robot as wang
	one := each(1, time.Minute)
	if !begin(t, db, wang["a"], noon, one).Ours {
		t.Fatal("the first has no room")
	}
	if !begin(t, db, li["c"], noon, one).Ours {
		t.Error("another address has no room")
	}
	if begin(t, db, zhao["e"], noon, one).Ours {
		t.Error("another person at the same address has room")
	}
	all := deliver.Limit{N: 2, Per: time.Minute, Of: deliver.OfChannel}
	if turn := begin(t, db, li["d"], noon.Add(time.Second), all); turn.Ours {
		t.Error("the channel has room for a third")
	}
	if names := dueNames(t, db, noon.Add(time.Second)); len(names) != 0 {
		t.Errorf("due though the whole channel is full: %v", names)
	}
}

// The strictest of several limits counts, and room is when all have some.
func TestEachOfSeveralLimitsIsKept(t *testing.T) {
	db := open(t)
	ms := messages(t, db, "p1", "138", "a", "b", "c")
	limits := []deliver.Limit{each(1, time.Minute), each(2, time.Hour)}
	begin(t, db, ms["a"], noon, limits...)
	if turn := begin(t, db, ms["b"], noon.Add(2*time.Minute), limits...); !turn.Ours {
		t.Fatalf("%+v", turn)
	}
	if turn := begin(t, db, ms["c"], noon.Add(4*time.Minute), limits...); !turn.Wait.Equal(noon.Add(time.Hour + time.Millisecond)) {
		t.Errorf("%+v, want in an hour", turn)
	}
}

// The vendor counts what has arrived: an attempt counts from its end, so that a
// slow one and a fast one cannot meet there.
func TestAnAttemptCountsFromItsEnd(t *testing.T) {
	db := open(t)
	ms := messages(t, db, "p1", "138", "a", "b")
	begin(t, db, ms["a"], noon, each(1, time.Minute))
	must(t, db.Finish(t.Context(), ms["a"], deliver.Outcome{Status: deliver.Sent, At: noon.Add(14 * time.Second)}))
	if turn := begin(t, db, ms["b"], noon.Add(65*time.Second), each(1, time.Minute)); !turn.Wait.Equal(noon.Add(74*time.Second + time.Millisecond)) {
		t.Errorf("%+v", turn)
	}
}

// A message that another process has, or that is done, is nobody's turn and
// nobody's wait.
func TestAMessageThatIsNotDueHasNoTurn(t *testing.T) {
	db := open(t)
	ms := messages(t, db, "p1", "138", "a", "b")
	begin(t, db, ms["a"], noon, each(1, time.Minute))
	if turn := begin(t, db, ms["a"], noon.Add(time.Second), each(1, time.Minute)); turn != (deliver.Turn{}) {
		t.Errorf("under way elsewhere: %+v", turn)
	}
	must(t, db.Finish(t.Context(), ms["b"], deliver.Outcome{Status: deliver.Sent, At: noon}))
	if turn := begin(t, db, ms["b"], noon.Add(time.Second), each(1, time.Minute)); turn != (deliver.Turn{}) {
		t.Errorf("done: %+v", turn)
	}
}

// A vendor that blocks a robot is left alone with all that goes there, by
// whomever.
func TestAHeldAddressIsLeftAlone(t *testing.T) {
	db := open(t)
	wang, zhao := messages(t, db, "wang", "robot", "a", "b"), messages(t, db, "zhao", "robot", "c")
	other := messages(t, db, "li", "another robot", "d")
	until := noon.Add(10 * time.Minute)
	begin(t, db, wang["a"], noon)
	must(t, db.Finish(t.Context(), wang["a"], deliver.Outcome{
		Status: deliver.Waiting, At: noon, RetryAt: until, Hold: until, Reason: deliver.Throttled, Error: "too fast",
	}))
	for name, it := range map[string]deliver.Item{"b": wang["b"], "c": zhao["c"]} {
		if turn := begin(t, db, it, noon.Add(time.Second)); turn.Ours || !turn.Wait.Equal(until) {
			t.Errorf("%s: %+v", name, turn)
		}
	}
	if !begin(t, db, other["d"], noon.Add(time.Second)).Ours {
		t.Error("another robot is held")
	}
	if !begin(t, db, wang["b"], until).Ours {
		t.Error("held after the end")
	}
}

// What was attempted counts in the process that comes after, and in one beside.
func TestLimitsOutliveAProcessAndBindSeveral(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weimang.db")
	db, err := store.Open(t.Context(), path, func() time.Time { return noon })
	must(t, err)
	ms := messages(t, db, "p1", "138", "a", "b")
	begin(t, db, ms["a"], noon, each(1, time.Minute))
	must(t, db.Close())
	db, err = store.Open(t.Context(), path, nil)
	must(t, err)
	beside, err := store.Open(t.Context(), path, nil)
	must(t, err)
	for _, db := range []*store.DB{db, beside} {
		if begin(t, db, ms["b"], noon.Add(59*time.Second), each(1, time.Minute)).Ours {
			t.Error("forgotten")
		}
		must(t, db.Close())
	}
}

func TestManyAtOnceTakeNoMoreThanTheLimit(t *testing.T) {
	db := open(t)
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprint("a", i))
	}
	ms := messages(t, db, "p1", "138", names...)
	var wg sync.WaitGroup
	turns := make([]deliver.Turn, len(names))
	for i, name := range names {
		wg.Go(func() {
			turns[i], _ = db.Begin(t.Context(), ms[name], noon, noon.Add(time.Minute), []deliver.Limit{each(7, time.Minute)})
		})
	}
	wg.Wait()
	ours := 0
	for _, turn := range turns {
		if turn.Ours {
			ours++
		}
	}
	if ours != 7 {
		t.Errorf("%d have a turn, want 7", ours)
	}
}

// Limits are kept without the number they are about.
func TestNoAddressStandsInTheAttempts(t *testing.T) {
	const number = "13800138000"
	path := filepath.Join(t.TempDir(), "weimang.db")
	db, err := store.Open(t.Context(), path, func() time.Time { return noon })
	must(t, err)
	ms := messages(t, db, "p1", number, "a")
	begin(t, db, ms["a"], noon, each(1, time.Minute))
	must(t, db.Finish(t.Context(), ms["a"], deliver.Outcome{Status: deliver.Waiting, At: noon, RetryAt: noon, Hold: noon.Add(time.Hour)}))
	must(t, db.Close())
	data, err := os.ReadFile(path)
	must(t, err)
	if bytes.Contains(data, []byte(number)) {
		t.Error("the number is in the file")
	}
	raw, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, raw.Close()) }()
	var attempts, holds int
	must(t, raw.QueryRow(`SELECT (SELECT COUNT(*) FROM attempts WHERE LENGTH(target) = 32), (SELECT COUNT(*) FROM holds WHERE LENGTH(target) = 32)`).Scan(&attempts, &holds))
	if attempts != 1 || holds != 1 {
		t.Errorf("%d attempts and %d holds", attempts, holds)
	}
}

func TestOldAttemptsAreForgotten(t *testing.T) {
	db := open(t)
	ms := messages(t, db, "p1", "138", "a", "b")
	begin(t, db, ms["a"], noon, each(1, 24*time.Hour))
	must(t, db.ForgetAttempts(t.Context(), noon))
	if begin(t, db, ms["b"], noon.Add(time.Second), each(1, 24*time.Hour)).Ours {
		t.Error("forgotten too early")
	}
	must(t, db.ForgetAttempts(t.Context(), noon.Add(time.Millisecond)))
	if !begin(t, db, ms["b"], noon.Add(25*time.Hour), each(1, 48*time.Hour)).Ours {
		t.Error("not forgotten")
	}
}

// A wrong number that the vendor reports later is a dead end after all; what is
// delivered stays so.
func TestReportsSettleWhatWasSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weimang.db")
	db, err := store.Open(t.Context(), path, func() time.Time { return noon })
	must(t, err)
	defer func() { must(t, db.Close()) }()
	to := alerts.Recipient{PersonID: "p1", Role: roster.Chair}
	for _, id := range []string{"heard", "wrong", "other"} {
		enqueue(t, db, alerts.Message{AlertID: id, Seq: 1, To: to, Channel: "sms"})
	}
	items, err := db.Due(t.Context(), "sms", noon, 10)
	must(t, err)
	for _, it := range items {
		must(t, db.Finish(t.Context(), it, deliver.Outcome{Status: deliver.Sent, At: noon, VendorID: "v-" + it.Message.AlertID}))
	}
	report := func(channel, id string, delivered bool, reason deliver.Reason) error {
		return db.Reported(t.Context(), channel, deliver.Report{VendorID: id, Delivered: delivered, Reason: reason, At: noon.Add(time.Minute)})
	}
	must(t, report("sms", "v-heard", true, ""))
	must(t, report("sms", "v-heard", false, deliver.Vendor)) // contradicts itself
	must(t, report("sms", "v-wrong", false, deliver.Unanswered))
	must(t, report("sms", "v-wrong", false, deliver.BadAddress)) // a call's failure comes after its end
	must(t, report("sms", "v-wrong", true, ""))
	for _, unknown := range []struct{ channel, id string }{{"sms", "v-else"}, {"voice", "v-other"}, {"sms", ""}} {
		if err := report(unknown.channel, unknown.id, true, ""); !errors.Is(err, deliver.ErrUnknownMessage) {
			t.Errorf("%+v: %v", unknown, err)
		}
	}
	for id, want := range map[string][]alerts.EventKind{
		"heard": {alerts.EventTold}, "wrong": {alerts.EventUndelivered, alerts.EventTold}, "other": {alerts.EventTold},
	} {
		events, err := db.Events(t.Context(), id, 10)
		must(t, err)
		var got []alerts.EventKind
		for _, e := range events {
			got = append(got, e.Kind)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: history %v, want %v", id, got, want)
		}
	}
	raw, err := sql.Open("sqlite", path)
	must(t, err)
	defer func() { must(t, raw.Close()) }()
	for id, want := range map[string]string{"heard": "delivered//v-heard", "wrong": "dead/bad-address/v-wrong", "other": "sent//v-other"} {
		var got string
		must(t, raw.QueryRow(`SELECT status || '/' || reason || '/' || vendor_id FROM outbox WHERE alert_id = ?`, id).Scan(&got))
		if got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// An attempt on a channel that has made 100,000 in the last day, 1,000 of them
// at the same address: begun, counted, finished, under the limits of a WeCom
// application and under none. Most of it is the disk: two transactions.
func BenchmarkAnAttempt(b *testing.B) {
	for name, limits := range map[string][]deliver.Limit{"limits": {each(30, time.Second), each(1001, time.Hour)}, "none": nil} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "weimang.db")
			db, err := store.Open(b.Context(), path, func() time.Time { return noon })
			must(b, err)
			defer func() { must(b, db.Close()) }()
			enqueue(b, db, alerts.Message{AlertID: "a", Seq: 1, To: alerts.Recipient{PersonID: "p1"}, Channel: "console"})
			items, err := db.Due(b.Context(), "console", noon, 1)
			must(b, err)
			it := items[0]
			it.Message.Address = "138"
			if _, err := db.Begin(b.Context(), it, noon, noon, []deliver.Limit{each(1, time.Second)}); err != nil { // makes the hash of the address
				b.Fatal(err)
			}
			raw, err := sql.Open("sqlite", path)
			must(b, err)
			_, err = raw.ExecContext(b.Context(), `WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 100000)
				INSERT INTO attempts (message, channel, target, at)
				SELECT 1000 + i, 'console', CASE WHEN i % 100 = 0 THEN (SELECT MAX(target) FROM attempts) ELSE 'other' || i END, ? - 1000 * i FROM i`, noon.UnixMilli())
			must(b, err)
			must(b, raw.Close())
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				at := noon.Add(time.Duration(n) * 4 * time.Second) // the limits have room
				turn, err := db.Begin(b.Context(), it, at, at, limits)
				must(b, err)
				if !turn.Ours {
					b.Fatalf("%+v", turn)
				}
				must(b, db.Finish(b.Context(), it, deliver.Outcome{Status: deliver.Waiting, At: at, RetryAt: at}))
			}
		})
	}
}
