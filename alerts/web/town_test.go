package web_test

import (
	"bytes"
	"compress/gzip"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
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
	"weimang/alerts/web"
	"weimang/detectors"
)

// town is two villages with a service, a store and the page, under a clock that
// stands still. Who is told over "group" reads it with all others of her village.
type town struct {
	t       *testing.T
	db      *store.DB
	service *alerts.Service
	page    http.Handler
	now     time.Time
	inbox   []alerts.Message
	opts    web.Options
	homes   []store.HouseholdRow
	people  []roster.Member
}

const ourSite = "https://weimang.example"

var linkKey = []byte("a key of thirty-two bytes, or so.")

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t, now: time.Date(2026, 7, 12, 10, 0, 0, 0, zone), opts: web.Options{Zone: zone, BaseURL: ourSite}}
	w.db = storetest.Open(t, w.clock)
	for _, home := range []struct{ id, village, name, label string }{
		{"h1", "v1", "湾底村", "1组1号"},
		{"h2", "v1", "湾底村", "1组2号"},
		{"h3", "v1", "湾底村", "1组3号"},
		{"h4", "v1", "湾底村", "1组4号"},
		{"h5", "v1", "湾底村", "1组5号"},
		{"h9", "v2", "上游村", "9组9号"},
	} {
		w.homes = append(w.homes, store.HouseholdRow{
			MeterID: "m" + home.id, HouseholdID: home.id, AreaID: "a-" + home.village, VillageID: home.village, VillageName: home.name, Label: home.label, Zone: "Asia/Shanghai",
		})
	}
	for _, p := range []struct {
		id, name string
		role     roster.Role
		place    string
		channel  string
		address  string
	}{
		{"chair", "王桂芳", roster.Chair, "v1", "chat", "13800001111"},
		{"deputy", "李梅", roster.Deputy, "v1", "group", "13800002222"},
		{"care", "陈静", roster.CareTeam, "h1", "group", "13800003333"},
		{"care2", "欧阳兰", roster.CareTeam, "h1", "group", "lan@example.com"},
		{"resident", "赵奶奶", roster.Resident, "h1", "chat", "13800006666"},
		{"kin", "赵小明", roster.Kin, "h1", "chat", "13800004444"},
		{"neighbour", "孙华", roster.Chair, "v2", "chat", "13800005555"},
		{"town", "周主任", roster.TownDesk, "t1", "chat", "057400001"},
	} {
		m := roster.Member{
			Person: roster.Person{ID: p.id, Name: p.name, Contacts: []roster.Contact{{Channel: p.channel, Address: p.address}}},
			Duty:   roster.Duty{Role: p.role},
		}
		if p.role.OfHousehold() {
			m.Duty.HouseholdID = p.place
		} else {
			m.Duty.UnitID = p.place
		}
		w.people = append(w.people, m)
	}
	w.roster()
	w.open()
	return w
}

func (w *town) clock() time.Time { return w.now }

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// roster brings the lists into the store.
func (w *town) roster() {
	w.t.Helper()
	w.must(w.db.ImportRoster(w.t.Context(), w.homes, w.people))
	w.must(w.db.PutUnits(w.t.Context(), []roster.Unit{
		{ID: "v1", Level: roster.Village, ParentID: "t1", Name: "湾底村"},
		{ID: "v2", Level: roster.Village, ParentID: "t2", Name: "上游村"},
		{ID: "t1", Level: roster.Town, ParentID: "c1", Name: "下应街道"},
		{ID: "t2", Level: roster.Town, ParentID: "c1", Name: "横溪镇"},
		{ID: "c1", Level: roster.County, Name: "鄞州区"},
	}))
}

// open starts the service and the page.
func (w *town) open() {
	w.t.Helper()
	words, err := message.New()
	w.must(err)
	w.service, err = alerts.NewService(w.t.Context(), w.db, words, alerts.Options{
		Fallback: roster.Person{Contacts: []roster.Contact{{Channel: "chat"}}}, Channels: []string{"chat", "group"}, Groups: []string{"group"},
		BaseURL: ourSite, LinkKey: linkKey, Zone: zone, Policies: escalate.Default(), Now: w.clock,
	}, slog.New(slog.DiscardHandler), prometheus.NewPedanticRegistry())
	w.must(err)
	w.opts.Wall = w.clock
	w.page, err = web.New(w.db, w.service, words, w.clock, w.opts, slog.New(slog.DiscardHandler))
	w.must(err)
}

// finds has the detectors find something at a home, since six hours ago.
func (w *town) finds(home string, kind detectors.Kind, severity detectors.Severity) {
	w.t.Helper()
	area := "a-v1"
	if home == "h9" {
		area = "a-v2"
	}
	f := &detectors.Finding{
		HouseholdID: home, MeterID: "m" + home, AreaID: area, Kind: kind, Severity: severity, State: detectors.Open, Seq: 1, Pushed: true,
		Onset: w.now.Add(-6 * time.Hour), At: w.now, DecidedAt: w.now, DataUntil: w.now, Value: 0.3, Usual: 2.1,
		Reason: detectors.Reason{Cause: detectors.CauseQuiet, Hours: 6},
	}
	if kind == detectors.Shortfall {
		f.Reason.Cause = detectors.CauseBelow
	}
	f.Episode = f.Onset.Unix() / 900
	w.must(w.service.Apply(w.t.Context(), f))
	w.deliver()
}

// ends has what was found at a home end by itself.
func (w *town) ends(home string) {
	w.t.Helper()
	f := *w.alert(home).Finding
	f.State, f.Seq, f.At, f.DecidedAt, f.DataUntil = detectors.Resolved, f.Seq+1, w.now, w.now, w.now
	f.Reason = detectors.Reason{Cause: detectors.CauseLifeBack}
	w.must(w.service.Apply(w.t.Context(), &f))
	w.deliver()
}

func (w *town) deliver() {
	w.t.Helper()
	for range 20 {
		sent := 0
		for _, channel := range []string{"chat", "group"} {
			items, err := w.db.Due(w.t.Context(), channel, w.now, 1000)
			w.must(err)
			for _, it := range items {
				w.inbox = append(w.inbox, it.Message)
				w.must(w.db.Finish(w.t.Context(), it, deliver.Outcome{Status: deliver.Sent, At: w.now}))
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
			w.now = next.In(zone)
		}
		w.deliver()
	}
	w.now = end
	w.deliver()
}

func (w *town) alert(home string) *alerts.Alert {
	w.t.Helper()
	as, err := w.db.AlertsOf(w.t.Context(), home, 1)
	w.must(err)
	if len(as) == 0 {
		w.t.Fatalf("%s has no alert", home)
	}
	return &as[0]
}

// mail is the last message of somebody.
func (w *town) mail(who string) alerts.Message {
	w.t.Helper()
	for _, m := range slices.Backward(w.inbox) {
		if m.To.PersonID == who {
			return m
		}
	}
	w.t.Fatalf("%s has no message", who)
	return alerts.Message{}
}

// link is the path of the link in a message whose button has a word on it.
func (w *town) link(who, word string) string {
	w.t.Helper()
	for _, a := range w.mail(who).Answers {
		if strings.Contains(a.Label, word) {
			return strings.TrimPrefix(a.URL, ourSite)
		}
	}
	w.t.Fatalf("the message of %s has no %q: %+v", who, word, w.mail(who).Answers)
	return ""
}

// view is the path of the page to which a message leads.
func (w *town) view(who string) string { return strings.TrimPrefix(w.mail(who).URL, ourSite) }

// screen is what somebody sees.
type screen struct {
	t    *testing.T
	code int
	body string
	head http.Header
}

// ask sends a request as a phone would, through the proxy in front of the page.
func (w *town) ask(r *http.Request) screen {
	w.t.Helper()
	if r.RemoteAddr == "192.0.2.1:1234" { // what httptest says
		r.Header.Set("X-Forwarded-For", "203.0.113.7")
		r.Host = "weimang.example"
	}
	rec := httptest.NewRecorder()
	w.page.ServeHTTP(rec, r)
	s := screen{w.t, rec.Code, rec.Body.String(), rec.Header()}
	if strings.HasPrefix(s.head.Get("Content-Type"), "text/html") {
		wellFormed(w.t, "a page", s.body)
		hasNot(w.t, s.body, "<no value>", "ZgotmplZ", "{0}", "{1}", "%!")
	}
	return s
}

func (w *town) get(path string) screen {
	w.t.Helper()
	return w.ask(httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, path, nil))
}

// post fills in the form of a page. What the page has put into hidden fields goes
// with it.
func (w *town) post(path string, fields ...string) screen {
	w.t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(w.get(path).body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return w.ask(w.request(path, form.Encode()))
}

func (w *town) request(path, body string) *http.Request {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	anchor = regexp.MustCompile(`<a href="([^"]*)">([^<]*)</a>`)
)

// shows wants a status and words, and returns the screen.
func (s screen) shows(code int, words ...string) screen {
	s.t.Helper()
	if s.code != code {
		s.t.Errorf("status %d, want %d:\n%s", s.code, code, text(s.body))
	}
	has(s.t, s.body, words...)
	return s
}

// hides wants words not to be there.
func (s screen) hides(words ...string) screen {
	s.t.Helper()
	hasNot(s.t, s.body, words...)
	return s
}

// to is where a button with a word leads.
func (s screen) to(word string) string {
	s.t.Helper()
	for _, m := range anchor.FindAllStringSubmatch(s.body, -1) {
		if strings.Contains(m[2], word) {
			return html.UnescapeString(m[1])
		}
	}
	s.t.Fatalf("no button %q on:\n%s", word, text(s.body))
	return ""
}

// mark is the value of the field of a radio button with a word beside it.
func (s screen) mark(word string) string {
	s.t.Helper()
	m := regexp.MustCompile(`value="([^"]*)"[^>]*><span>` + regexp.QuoteMeta(word)).FindStringSubmatch(s.body)
	if m == nil {
		s.t.Fatalf("no choice %q on:\n%s", word, text(s.body))
	}
	return html.UnescapeString(m[1])
}

var (
	element = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)
	blank   = regexp.MustCompile(`\s*\n\s*`)
)

// text is what stands on a page.
func text(body string) string {
	return blank.ReplaceAllString(html.UnescapeString(element.ReplaceAllString(body, "\n")), "\n")
}

// dump is every row of every table.
func (w *town) dump() string {
	w.t.Helper()
	var b bytes.Buffer
	_, err := w.db.Backup(w.t.Context(), &b)
	w.must(err)
	unpacked, err := gzip.NewReader(&b)
	w.must(err)
	text, err := io.ReadAll(unpacked)
	w.must(err)
	// That somebody looked is written down, and the sum at the end is of that, too.
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var out []string
	audit := false
	for _, line := range lines[:len(lines)-1] {
		if strings.HasPrefix(line, `{"table":`) {
			audit = strings.HasPrefix(line, `{"table":"audit"`)
		}
		if !audit {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}
