package alerts_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/escalate"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
)

var shanghai = func() *time.Location {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return loc
}()

// town is a town with one village under a clock that stands still but when the
// story says so. Every message is delivered at once, but to who is unreachable.
type town struct {
	t       *testing.T
	db      *store.DB
	place   store.Options // of the store
	service *alerts.Service
	reg     *prometheus.Registry
	now     time.Time
	dead    map[string]bool // addresses that reach nobody
	inbox   []alerts.Message
}

const aChat, anSMS = "chat", "sms"

// people of the story: role, id, channel, address.
var cast = []struct {
	role    roster.Role
	id      string
	channel string
	place   string // unit or household
}{
	{roster.Resident, "resident", anSMS, "h1"},
	{roster.Kin, "kin", anSMS, "h1"},
	{roster.CareTeam, "care", aChat, "h1"},
	{roster.Chair, "chair", aChat, "v1"},
	{roster.Deputy, "deputy", aChat, "v1"},
	{roster.TownDesk, "town", aChat, "t1"},
	{roster.CountyDesk, "county", aChat, "c1"},
}

// newTown begins on Sunday, 12 July 2026, at 08:00.
func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, place: storetest.Place(t), now: time.Date(2026, 7, 12, 8, 0, 0, 0, shanghai), dead: map[string]bool{}}
	w.place.Now = func() time.Time { return w.now }
	w.db = storetest.OpenAt(t, w.place)
	var homes []store.HouseholdRow
	for i := 1; i <= 40; i++ {
		homes = append(homes, store.HouseholdRow{
			MeterID: fmt.Sprintf("m%d", i), HouseholdID: fmt.Sprintf("h%d", i), AreaID: "a1", VillageID: "v1", VillageName: "湾底村",
			Label: fmt.Sprintf("%d组%d号", 1+i/10, i), Zone: "Asia/Shanghai",
		})
	}
	var people []roster.Member
	for _, c := range cast {
		m := roster.Member{
			Person: roster.Person{ID: c.id, Name: "姓名" + c.id, Contacts: []roster.Contact{{Channel: c.channel, Address: "1380000" + c.id}}},
			Duty:   roster.Duty{Role: c.role},
		}
		if c.role.OfHousehold() {
			m.Duty.HouseholdID = c.place
		} else {
			m.Duty.UnitID = c.place
		}
		people = append(people, m)
	}
	w.must(w.db.ImportRoster(t.Context(), homes, people))
	w.must(w.db.PutUnits(t.Context(), []roster.Unit{
		{ID: "v1", Level: roster.Village, ParentID: "t1", Name: "湾底村"},
		{ID: "t1", Level: roster.Town, ParentID: "c1", Name: "下应街道"},
		{ID: "c1", Level: roster.County, Name: "鄞州区"},
	}))
	w.service = w.serve(w.db)
	return w
}

// serve is a service over a store, with metrics of its own.
func (w *town) serve(s alerts.Store) *alerts.Service {
	w.t.Helper()
	words, err := message.New()
	w.must(err)
	w.reg = prometheus.NewPedanticRegistry()
	service, err := alerts.NewService(w.t.Context(), s, words, alerts.Options{
		Fallback: roster.Person{Contacts: []roster.Contact{{Channel: aChat}}}, Channels: []string{aChat, anSMS}, Brief: []string{anSMS},
		BaseURL: "https://weimang.example", LinkKey: []byte("a key of thirty-two bytes, or so."), Zone: shanghai,
		Policies: escalate.Default(), Now: func() time.Time { return w.now },
	}, slog.New(slog.DiscardHandler), w.reg)
	w.must(err)
	return service
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// finding is what the detectors say of a home now, since some hours.
func (w *town) finding(home string, kind detectors.Kind, severity detectors.Severity) *detectors.Finding {
	f := &detectors.Finding{
		HouseholdID: home, MeterID: "m" + home[1:], AreaID: "a1", Kind: kind, Severity: severity, State: detectors.Open, Seq: 1, Pushed: true,
		Onset: w.now.Add(-6 * time.Hour), At: w.now, DecidedAt: w.now, DataUntil: w.now, Value: 0.3, Usual: 2.1,
		Reason: detectors.Reason{Cause: detectors.CauseQuiet, Hours: 6},
	}
	f.Episode = f.Onset.Unix() / 900
	if kind == detectors.Shortfall {
		f.Reason.Cause = detectors.CauseBelow
	}
	return f
}

func (w *town) detectors(fs ...*detectors.Finding) {
	w.t.Helper()
	w.must(w.service.ApplyBatch(w.t.Context(), fs))
	w.deliver()
}

// over is the end of what was found.
func (w *town) over(f *detectors.Finding, cause detectors.Cause) *detectors.Finding {
	end := *f
	end.State, end.Seq, end.At, end.DecidedAt, end.DataUntil = detectors.Resolved, f.Seq+1, w.now, w.now, w.now
	end.Reason = detectors.Reason{Cause: cause}
	return &end
}

// graver is the same at a higher colour.
func (w *town) graver(f *detectors.Finding, s detectors.Severity) *detectors.Finding {
	up := *f
	up.State, up.Seq, up.Severity, up.At, up.DecidedAt, up.DataUntil = detectors.Update, f.Seq+1, s, w.now, w.now, w.now
	return &up
}

// deliver brings all that is due to the phones, and has the service look at what
// came of it.
func (w *town) deliver() {
	w.t.Helper()
	for range 20 {
		sent := 0
		for _, channel := range []string{aChat, anSMS} {
			items, err := w.db.Due(w.t.Context(), channel, w.now, 1000)
			w.must(err)
			for _, it := range items {
				out := deliver.Outcome{Status: deliver.Sent, At: w.now}
				if w.dead[it.Message.Address] {
					out = deliver.Outcome{Status: deliver.Dead, At: w.now, Error: "no such number"}
				} else {
					w.inbox = append(w.inbox, it.Message)
				}
				w.must(w.db.Finish(w.t.Context(), it, out))
				sent++
			}
		}
		_, err := w.service.Look(w.t.Context())
		w.must(err)
		if sent == 0 {
			return
		}
	}
	w.t.Fatal("messages without end")
}

// passes lets time pass; what is due in it happens in its order.
func (w *town) passes(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for {
		next, err := w.db.NextLook(w.t.Context())
		w.must(err)
		if next.IsZero() || next.After(end) {
			break
		}
		if next.After(w.now) {
			w.now = next.In(shanghai)
		}
		w.deliver()
	}
	w.now = end
	w.deliver()
}

// at lets time pass until a time of day.
func (w *town) at(clock string) {
	w.t.Helper()
	c, err := time.Parse("15:04", clock)
	w.must(err)
	next := time.Date(w.now.Year(), w.now.Month(), w.now.Day(), c.Hour(), c.Minute(), 0, 0, shanghai)
	if next.Before(w.now) {
		next = next.AddDate(0, 0, 1)
	}
	w.passes(next.Sub(w.now))
}

// hears wants somebody to have got exactly one message since the last look, with
// some words in it.
func (w *town) hears(who string, words ...string) alerts.Message {
	w.t.Helper()
	i := slices.IndexFunc(w.inbox, func(m alerts.Message) bool { return m.To.PersonID == who })
	if i < 0 {
		w.t.Fatalf("%s: %s has heard nothing; %s", w.clock(), who, w.heard())
	}
	m := w.inbox[i]
	w.inbox = slices.Delete(w.inbox, i, i+1)
	for _, word := range words {
		if !strings.Contains(m.Title+"\n"+m.Text, word) {
			w.t.Errorf("%s: %s does not read %q in:\n%s\n%s", w.clock(), who, word, m.Title, m.Text)
		}
	}
	return m
}

// quiet wants nobody else to have heard anything.
func (w *town) quiet() {
	w.t.Helper()
	if len(w.inbox) > 0 {
		w.t.Errorf("%s: %s", w.clock(), w.heard())
	}
	w.inbox = nil
}

func (w *town) clock() string { return w.now.Format("Mon 15:04") }

func (w *town) heard() string {
	if len(w.inbox) == 0 {
		return "nobody has heard anything"
	}
	var b strings.Builder
	for _, m := range w.inbox {
		fmt.Fprintf(&b, "%s has heard (%s) %s; ", m.To.PersonID, m.Purpose, m.Title)
	}
	return b.String()
}

// answers has somebody say something about a home.
func (w *town) answers(who, home string, r alerts.Response) {
	w.t.Helper()
	r.AlertID, r.PersonID, r.Via = w.alert(home).ID, who, "page"
	_, err := w.service.Respond(w.t.Context(), r)
	w.must(err)
	w.deliver()
}

// alert is a home's latest alert.
func (w *town) alert(home string) *alerts.Alert {
	w.t.Helper()
	as, err := w.db.AlertsOf(w.t.Context(), home, 1)
	w.must(err)
	if len(as) == 0 {
		w.t.Fatalf("%s has no alert", home)
	}
	return &as[0]
}

// stands wants a home's case to stand somewhere.
func (w *town) stands(home string, stage alerts.Stage, outcome alerts.Outcome) {
	w.t.Helper()
	if a := w.alert(home); a.Stage != stage || a.Outcome != outcome {
		w.t.Errorf("%s: the case of %s is %s %q, want %s %q", w.clock(), home, a.Stage, a.Outcome, stage, outcome)
	}
	w.audited()
}

// audited wants every case that needs somebody to have a next step.
func (w *town) audited() {
	w.t.Helper()
	forgotten, err := w.service.Audit(w.t.Context())
	w.must(err)
	if len(forgotten) > 0 {
		w.t.Errorf("%s: forgotten: %+v", w.clock(), forgotten)
	}
}

// directives are what the detectors are told, as JSON.
func (w *town) directives() (out []string) {
	w.t.Helper()
	items, err := w.db.Records(context.WithoutCancel(w.t.Context()), 1000)
	w.must(err)
	for _, it := range items {
		if it.Record.Topic != "" {
			out = append(out, string(it.Record.Value))
		}
	}
	return out
}
