package alerts_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
	"weimang/detectors"
)

// village is a store with a roster, and a service over it.
type village struct {
	t       *testing.T
	db      *store.DB
	service *alerts.Service
	reg     *prometheus.Registry
	wakes   int
}

var noon = time.Date(2026, 7, 12, 4, 0, 0, 0, time.UTC)

// newVillage has a chair in v1, none in v2, and v3's chair on a channel that
// does not exist; v1 and v2 share area a1.
func newVillage(t *testing.T) *village {
	t.Helper()
	now := func() time.Time { return noon.Add(time.Hour) }
	db := storetest.Open(t, now)
	const zone = "Asia/Shanghai"
	err := db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m1", HouseholdID: "h1", AreaID: "a1", VillageID: "v1", VillageName: "湾底村", Label: "3组12号", Zone: zone},
		{MeterID: "m2", HouseholdID: "h2", AreaID: "a1", VillageID: "v2", VillageName: "东岗村", Label: "1组2号", Zone: zone},
		{MeterID: "m3", HouseholdID: "h3", AreaID: "a2", VillageID: "v3", VillageName: "西岗村", Label: "2组7号", Zone: zone},
		{MeterID: "m4", HouseholdID: "h4", AreaID: "a2", Label: "5号", Zone: zone},
	}, []roster.Member{
		{Person: roster.Person{ID: "p1", Name: "someone", Contacts: []roster.Contact{{Channel: "console", Address: "13800000000"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "v1"}},
		{Person: roster.Person{ID: "p3", Contacts: []roster.Contact{{Channel: "pigeon"}}}, Duty: roster.Duty{Role: roster.Chair, UnitID: "v3"}},
		{Person: roster.Person{ID: "p9", Contacts: []roster.Contact{{Channel: "console"}}}, Duty: roster.Duty{Role: "deputy", UnitID: "v2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	words, err := message.New()
	if err != nil {
		t.Fatal(err)
	}
	v := &village{t: t, db: db, reg: prometheus.NewPedanticRegistry()}
	v.service, err = alerts.NewService(t.Context(), db, words, alerts.Options{
		Fallback: roster.Person{Contacts: []roster.Contact{{Channel: "console"}}}, Channels: []string{"console"}, BaseURL: "http://127.0.0.1:8080",
		Wake: func() { v.wakes++ }, Now: now,
	}, slog.New(slog.DiscardHandler), v.reg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *village) apply(fs ...*detectors.Finding) {
	v.t.Helper()
	if err := v.service.ApplyBatch(v.t.Context(), fs); err != nil {
		v.t.Fatal(err)
	}
}

// messages are all that wait to be sent, in the order of sending.
func (v *village) messages() []alerts.Message {
	v.t.Helper()
	items, err := v.db.Due(v.t.Context(), "console", noon.Add(2*time.Hour), 1000)
	if err != nil {
		v.t.Fatal(err)
	}
	ms := make([]alerts.Message, len(items))
	for i, it := range items {
		ms[i] = it.Message
	}
	return ms
}

// sent marks all that waits as sent.
func (v *village) sent() {
	v.t.Helper()
	items, err := v.db.Due(v.t.Context(), "console", noon.Add(2*time.Hour), 1000)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, it := range items {
		if err := v.db.Finish(v.t.Context(), it, deliver.Outcome{Status: deliver.Sent, At: noon}); err != nil {
			v.t.Fatal(err)
		}
	}
}

func (v *village) open() []alerts.Alert {
	v.t.Helper()
	as, err := v.db.OpenAlerts(v.t.Context())
	if err != nil {
		v.t.Fatal(err)
	}
	return as
}

// finding is a pushed orange shortfall of a household at noon.
func finding(household string, seq int, state detectors.State) *detectors.Finding {
	return &detectors.Finding{
		MeterID: "m" + household, HouseholdID: household, AreaID: "a1", Kind: detectors.Shortfall, Severity: detectors.Orange,
		State: state, Episode: 42, Seq: seq, Pushed: true,
		Onset: noon.Add(-3 * time.Hour), At: noon, DecidedAt: noon, DataUntil: noon, Value: 0.4, Usual: 3.2,
		Reason: detectors.Reason{Cause: detectors.CauseBelow, Hours: 3},
	}
}

func dark(area string, seq int, state detectors.State) *detectors.Finding {
	f := finding("", seq, state)
	f.MeterID, f.AreaID, f.Kind, f.Severity = "", area, detectors.AreaDark, detectors.Yellow
	f.Reason = detectors.Reason{Cause: detectors.CauseOutage, Homes: 9, OfHomes: 10}
	return f
}

func TestAChairHearsOfHerHouseholdAndOfItsEnd(t *testing.T) {
	v := newVillage(t)
	v.apply(finding("h1", 1, detectors.Open))

	as := v.open()
	if len(as) != 1 || as[0].ID != "h1/42" || as[0].VillageID != "v1" || as[0].Severity != detectors.Orange {
		t.Fatalf("open alerts: %+v", as)
	}
	ms := v.messages()
	if len(ms) != 1 {
		t.Fatalf("%d messages, want one", len(ms))
	}
	m := ms[0]
	if m.To.PersonID != "p1" || m.To.Role != roster.Chair || m.Lang != roster.Chinese || m.Fallback {
		t.Errorf("message to %+v", m)
	}
	if m.ID != "h1/42#1:p1:console" || m.URL != "http://127.0.0.1:8080/household/h1" {
		t.Errorf("message id %s, link %s", m.ID, m.URL)
	}
	if got := m.DecidedAt.Format(time.RFC3339); got != "2026-07-12T12:00:00+08:00" {
		t.Errorf("decided at %s, want the household's own time", got)
	}
	if m.Address != "13800000000" {
		t.Errorf("the address %q is not the roster's", m.Address)
	}
	if !strings.Contains(m.Text, "3组12号从今天上午9点起用电比平常少得多") {
		t.Errorf("text: %s", m.Text)
	}
	if b, _ := json.Marshal(m); strings.Contains(string(b), "13800000000") || strings.Contains(string(b), "someone") {
		t.Errorf("name or phone in %s", b)
	}
	v.sent()

	end := finding("h1", 2, detectors.Resolved)
	end.Reason.Cause = detectors.CauseUsualBack
	v.apply(end)
	if as := v.open(); len(as) != 0 {
		t.Errorf("still open: %+v", as)
	}
	if ms := v.messages(); len(ms) != 1 || ms[0].Title != "3组12号用电恢复了" {
		t.Errorf("messages at the end: %+v", ms)
	}
	if v.wakes != 2 {
		t.Errorf("the deliverer was woken %d times, want 2", v.wakes)
	}
}

func TestARepeatChangesNothing(t *testing.T) {
	v := newVillage(t)
	fs := []*detectors.Finding{finding("h1", 1, detectors.Open), finding("h1", 2, detectors.Update)}
	v.apply(fs...)
	before := v.transitions()
	v.sent()
	v.apply(fs...)
	v.apply(fs[0])
	if got := v.transitions(); len(got) != len(before) {
		t.Errorf("%d transitions after a repeat, %d before", len(got), len(before))
	}
	v.sent() // the update, which waited for the opening
	if ms := v.messages(); len(ms) != 0 {
		t.Errorf("a repeat wrote messages again: %+v", ms)
	}
	if got := counter(t, v.reg, "weimang_alerts_repeated_findings_total"); got != 3 {
		t.Errorf("%g repeats counted, want 3", got)
	}
}

func (v *village) transitions() []alerts.Transition {
	v.t.Helper()
	ts, err := v.db.Transitions(v.t.Context())
	if err != nil {
		v.t.Fatal(err)
	}
	return ts
}

func TestTransitionsAreKeptVerbatimAndPublished(t *testing.T) {
	v := newVillage(t)
	silent := finding("h1", 1, detectors.Open)
	silent.Pushed = false
	raw, err := detectors.EncodeFinding(silent)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.service.HandleFindings(t.Context(), [][]byte{raw}); err != nil {
		t.Fatal(err)
	}
	if ts := v.transitions(); len(ts) != 1 || string(ts[0].Raw) != string(raw) {
		t.Errorf("kept %s, want %s", ts[0].Raw, raw)
	}
	if ms := v.messages(); len(ms) != 0 {
		t.Errorf("a finding that is not pushed wrote %+v", ms)
	}
	records, err := v.db.Records(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 1 || records[0].Record.ID != "h1/42#1" || records[0].Record.Key != "h1/42" {
		t.Fatalf("records for the topic: %+v", records)
	}
	var p alerts.Published
	if err := json.Unmarshal(records[0].Record.Value, &p); err != nil || string(p.Finding) != string(raw) || p.VillageID != "v1" {
		t.Errorf("published %s (%v)", records[0].Record.Value, err)
	}
}

func TestWhoHasNobodyGoesToTheOperatorAndIsCounted(t *testing.T) {
	for _, tc := range []struct {
		name, household, reason string
	}{
		{"village without chair", "h2", "no-chair"},
		{"chair on a channel that does not exist", "h3", "no-channel"},
		{"household without village", "h4", "no-village"},
		{"household that the roster does not know", "stranger", "no-household"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVillage(t)
			v.apply(finding(tc.household, 1, detectors.Open))
			if as := v.open(); len(as) != 1 {
				t.Fatalf("%d alerts, want one all the same", len(as))
			}
			ms := v.messages()
			if len(ms) != 1 || ms[0].To.Role != roster.Operator || !ms[0].Fallback || !strings.Contains(ms[0].Text, "转告") {
				t.Errorf("messages: %+v", ms)
			}
			if got := counter(t, v.reg, "weimang_alerts_unrouted_total", "reason", tc.reason); got != 1 {
				t.Errorf("%g counted as %s, want 1", got, tc.reason)
			}
		})
	}
}

func TestAnAreaNoticeGoesToEveryVillageInIt(t *testing.T) {
	v := newVillage(t)
	v.apply(dark("a1", 1, detectors.Open))
	to := map[string]string{}
	for _, m := range v.messages() {
		to[m.To.PersonID] = m.Title
	}
	if len(to) != 2 || to["p1"] != "停电了：3组12号" || to["operator/v2"] != "停电了：东岗村1组2号" {
		t.Errorf("told: %v", to)
	}
}

func TestAnAnnouncementForSomeHomesGoesToTheirVillageAndNamesThem(t *testing.T) {
	v := newVillage(t)
	f := dark("a1", 1, detectors.Open)
	f.Kind, f.IncidentID, f.Households = detectors.Announced, "pw-7", []string{"h1"}
	f.Reason = detectors.Reason{Cause: detectors.CauseAnnounced, From: noon.Add(24 * time.Hour)}
	v.apply(f)
	if ms := v.messages(); len(ms) != 1 || ms[0].To.PersonID != "p1" || !strings.Contains(ms[0].Text, "3组12号要停电") {
		t.Errorf("messages: %+v", ms)
	}
}

func TestAnAreaWithoutHomesGoesToTheOperator(t *testing.T) {
	v := newVillage(t)
	v.apply(dark("a9", 1, detectors.Open))
	if ms := v.messages(); len(ms) != 1 || ms[0].To.PersonID != "operator" || ms[0].Title != "停电了：台区a9" {
		t.Errorf("messages: %+v", ms)
	}
}

// The end of the first episode was never heard; the second begins.
// A dark area may fall silent: the second notice must not take the first for
// over, and the end of one is not that of the other.
func TestAnAreasSilenceAndItsOutageAreTwoAlerts(t *testing.T) {
	silent := func(seq int, state detectors.State) *detectors.Finding {
		f := dark("a1", seq, state)
		f.Kind = detectors.SilentMeter
		f.Reason.Cause = detectors.CauseAreaSilent
		return f
	}
	v := newVillage(t)
	v.apply(dark("a1", 1, detectors.Open), silent(1, detectors.Open))
	if as := v.open(); len(as) != 2 || as[0].ID == as[1].ID {
		t.Fatalf("open alerts: %+v", as)
	}
	end := silent(2, detectors.Resolved)
	end.Reason.Cause = detectors.CauseDataBack
	v.apply(end)
	if as := v.open(); len(as) != 1 || as[0].Kind != detectors.AreaDark {
		t.Errorf("open alerts: %+v", as)
	}
}

func TestAHouseholdHasOneOpenAlert(t *testing.T) {
	v := newVillage(t)
	second := finding("h1", 1, detectors.Open)
	second.Episode = 43
	v.apply(finding("h1", 1, detectors.Open), second)
	if as := v.open(); len(as) != 1 || as[0].ID != "h1/43" {
		t.Errorf("open alerts: %+v", as)
	}
	if got := counter(t, v.reg, "weimang_alerts_open"); got != 1 {
		t.Errorf("gauge says %g open alerts, want 1", got)
	}
}

// A home that has moved comes with two areas' words, and two areas' logs have
// no order between them.
func TestWhatComesLateOfAnOlderEpisodeLeavesTheNewerOneOpen(t *testing.T) {
	newer := finding("h1", 1, detectors.Open)
	newer.Episode = 50
	for _, tc := range []struct {
		name  string
		older *detectors.Finding
	}{
		{"its beginning", finding("h1", 1, detectors.Open)},
		{"its end alone", finding("h1", 2, detectors.Resolved)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVillage(t)
			v.apply(newer)
			v.apply(tc.older)
			if open := v.open(); len(open) != 1 || open[0].ID != newer.AlertID() {
				t.Errorf("open: %+v, want the newer episode", open)
			}
			if n, err := v.db.OpenCount(t.Context()); err != nil || n != 1 {
				t.Errorf("%d open (%v)", n, err)
			}
		})
	}
}

// A finding may be ahead of the roster, and a home may be given to another
// village while somebody is still needed there.
func TestAnOpenAlertFollowsItsHomeIntoTheRoster(t *testing.T) {
	v := newVillage(t)
	v.apply(finding("h8", 1, detectors.Open))
	if err := v.db.ImportRoster(t.Context(), []store.HouseholdRow{
		{MeterID: "m8", HouseholdID: "h8", AreaID: "a1", VillageID: "v1", Label: "8号"},
	}, nil); err != nil {
		t.Fatal(err)
	}
	v.apply(finding("h8", 2, detectors.Update))
	if open := v.open(); len(open) != 1 || open[0].VillageID != "v1" {
		t.Errorf("open: %+v, want one of village v1", open)
	}
}

func TestATransitionAfterItsSuccessorIsHistoryOnly(t *testing.T) {
	v := newVillage(t)
	worse := finding("h1", 2, detectors.Update)
	worse.Severity = detectors.Red
	v.apply(worse, finding("h1", 1, detectors.Open))
	if as := v.open(); len(as) != 1 || as[0].Severity != detectors.Red || as[0].LastSeq != 2 {
		t.Errorf("open alerts: %+v", as)
	}
	es, err := v.db.Events(t.Context(), "h1", 10)
	es = slices.DeleteFunc(es, func(e alerts.Event) bool { return e.Kind == alerts.EventCalled })
	if err != nil || len(es) != 2 || es[0].Kind != alerts.EventOpened || es[1].Kind != alerts.EventUpdated {
		t.Errorf("history: %+v (%v)", es, err)
	}
}

func TestBadRecordsAreHandedBackAndTheOthersKept(t *testing.T) {
	v := newVillage(t)
	good, _ := detectors.EncodeFinding(finding("h1", 1, detectors.Open))
	nobody := finding("", 1, detectors.Open)
	nobody.AreaID = ""
	noSubject, _ := detectors.EncodeFinding(nobody)
	err := v.service.HandleFindings(t.Context(), [][]byte{[]byte("{"), good, noSubject, []byte(`{"household_id":"h1","kind":"ghost"}`)})
	bad, ok := errors.AsType[*alerts.BadRecordsError](err)
	if !ok {
		t.Fatalf("error %v, want BadRecordsError", err)
	}
	var at []int
	for _, r := range bad.Records {
		at = append(at, r.Index)
	}
	if len(at) != 3 || at[0] != 0 || at[1] != 2 || at[2] != 3 {
		t.Errorf("bad records at %v, want 0, 2, 3", at)
	}
	if len(v.open()) != 1 {
		t.Error("the good record among bad ones was lost")
	}
}

// brittle is a store whose n-th record for the topic cannot be written.
type brittle struct {
	alerts.Store
	n int
}

type brittleTx struct {
	alerts.Tx
	store *brittle
}

var errDisk = errors.New("disk full")

func (b *brittle) Update(ctx context.Context, fn func(alerts.Tx) error) error {
	return b.Store.Update(ctx, func(tx alerts.Tx) error { return fn(&brittleTx{tx, b}) })
}

func (t *brittleTx) EnqueueRecord(r alerts.Record, created time.Time) error {
	if t.store.n--; t.store.n == 0 {
		return errDisk
	}
	return t.Tx.EnqueueRecord(r, created)
}

// A batch is one transaction: when the store fails half-way, nothing of it
// is there, nothing is counted and nobody is woken.
func TestABatchIsAllOrNothing(t *testing.T) {
	v := newVillage(t)
	words, err := message.New()
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	s, err := alerts.NewService(t.Context(), &brittle{Store: v.db, n: 2}, words, alerts.Options{
		Fallback: roster.Person{Contacts: []roster.Contact{{Channel: "console"}}}, Wake: func() { t.Error("woken for nothing") },
	}, slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	err = s.ApplyBatch(t.Context(), []*detectors.Finding{finding("h1", 1, detectors.Open), finding("h2", 1, detectors.Open)})
	if !errors.Is(err, errDisk) {
		t.Fatalf("error %v", err)
	}
	if len(v.open()) != 0 || len(v.transitions()) != 0 || len(v.messages()) != 0 || counter(t, reg, "weimang_alerts_open") != 0 {
		t.Error("something of a failed batch stayed")
	}
}

func TestFirstContactGoesAheadOfFollowUps(t *testing.T) {
	v := newVillage(t)
	v.apply(finding("h1", 1, detectors.Open))
	v.sent()
	worse := finding("h1", 2, detectors.Update)
	worse.Severity = detectors.Red
	other := finding("h4", 1, detectors.Open)
	other.Severity = detectors.Yellow
	v.apply(worse, other)
	ms := v.messages()
	if len(ms) != 2 || ms[0].HouseholdID != "h4" || ms[1].HouseholdID != "h1" {
		t.Errorf("order of sending: %+v", ms)
	}
}

func TestMetricsAreWellNamed(t *testing.T) {
	v := newVillage(t)
	v.apply(finding("h1", 1, detectors.Open))
	problems, err := testutil.GatherAndLint(v.reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

// counter reads one metric; labels come as name, value.
func counter(t *testing.T, reg *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if len(labels) == 0 || (m.GetLabel()[0].GetName() == labels[0] && m.GetLabel()[0].GetValue() == labels[1]) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s %v", name, labels)
	return 0
}
