package web_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/message"
	"weimang/alerts/roster"
	"weimang/alerts/web"
	"weimang/detectors"
)

// village is what the page reads, in memory.
type village struct {
	open, resolved []alerts.Alert
	events         []alerts.Event
	villages       []roster.Unit
	homes          []roster.Household
	points         []detectors.UsePoint
	err            error
}

func (v *village) Cases(context.Context, []string) ([]alerts.Alert, error) { return v.open, v.err }

func (v *village) ResolvedAlerts(context.Context, []string, time.Time, int) ([]alerts.Alert, error) {
	return v.resolved, v.err
}

func (v *village) AlertsOf(_ context.Context, id string, _ int) (as []alerts.Alert, _ error) {
	for _, a := range append(v.open, v.resolved...) {
		if a.HouseholdID == id {
			as = append(as, a)
		}
	}
	return as, v.err
}

func (v *village) Events(context.Context, string, int) ([]alerts.Event, error) {
	return v.events, v.err
}

func (v *village) Units(context.Context) ([]roster.Unit, error)           { return v.villages, v.err }
func (v *village) Viewer(context.Context, string) (*roster.Viewer, error) { return nil, v.err }

func (v *village) Visits(context.Context, roster.By, string, time.Time) ([]roster.Visit, error) {
	return nil, v.err
}

func (v *village) HomesNear(context.Context, string) ([]roster.Household, error) {
	return nil, v.err
}
func (v *village) Households(context.Context) ([]roster.Household, error) { return v.homes, v.err }

func (v *village) Household(_ context.Context, id string) (*roster.Household, error) {
	for _, h := range v.homes {
		if h.ID == id {
			return &h, v.err
		}
	}
	return nil, v.err
}

func (v *village) Recent(context.Context, string, time.Time, time.Time) ([]detectors.UsePoint, error) {
	return v.points, v.err
}

var (
	zone  = time.FixedZone("UTC+8", 8*3600)
	now   = time.Date(2026, 7, 12, 15, 20, 0, 0, zone)
	onset = time.Date(2026, 7, 12, 9, 30, 0, 0, zone)
)

func alert(home, area string, kind detectors.Kind, sev detectors.Severity, cause detectors.Cause) alerts.Alert {
	f := &detectors.Finding{
		HouseholdID: home, AreaID: area, Kind: kind, Severity: sev, State: detectors.Open, Seq: 1,
		Onset: onset, At: onset.Add(2 * time.Hour), DecidedAt: onset.Add(2 * time.Hour), DataUntil: onset.Add(2 * time.Hour),
		Value: 0.4, Usual: 3.2, Reason: detectors.Reason{Cause: cause, Hours: 2},
	}
	return alerts.Alert{
		ID: f.AlertID(), HouseholdID: home, AreaID: area, VillageID: "v1", Kind: kind, Severity: sev,
		Onset: onset, OpenedAt: f.At, UpdatedAt: f.At, LastSeq: 1, Finding: f,
	}
}

// example is a village on a bad day.
func example() *village {
	ended := alert("h4", "a1", detectors.StuckOn, detectors.Yellow, detectors.CauseAbove)
	ended.ResolvedAt = now.Add(-time.Hour)
	end := *ended.Finding
	end.State, end.At, end.Reason.Cause = detectors.Resolved, ended.ResolvedAt, detectors.CauseUsualBack
	ended.Ending = &end
	first := alert("h12", "a1", detectors.Shortfall, detectors.Red, detectors.CauseBelow)
	v := &village{
		open: []alerts.Alert{
			first,
			alert("h2", "a1", detectors.NoSignOfLife, detectors.Blue, detectors.CauseQuiet),
			alert("", "a2", detectors.AreaDark, detectors.Yellow, detectors.CauseOutage),
		},
		resolved: []alerts.Alert{ended},
		events: []alerts.Event{
			{AlertID: first.ID, Seq: 1, Kind: alerts.EventTold, At: time.Now(), Detail: "chair/console"},
			{AlertID: first.ID, Seq: 1, Kind: alerts.EventOpened, At: first.OpenedAt, Finding: first.Finding},
		},
		villages: []roster.Unit{{ID: "v1", Name: "湾底村"}},
		homes: []roster.Household{
			{ID: "h12", VillageID: "v1", AreaID: "a1", Label: "3组12号"},
			{ID: "h2", VillageID: "v1", AreaID: "a1", Label: "3组2号"},
			{ID: "h4", VillageID: "v1", AreaID: "a1", Label: "3组4号"},
			{ID: "h9", VillageID: "v1", AreaID: "a2", Label: "4组9号"},
			{ID: "odd/id?", AreaID: "a9"},
		},
	}
	for t := now.AddDate(0, 0, -2).Truncate(24 * time.Hour); t.Before(now.Add(-20 * time.Minute)); t = t.Add(30 * time.Minute) {
		p := detectors.UsePoint{Start: t, Interval: 30 * time.Minute, KWh: 0.4, Low: 0.2, Mid: 0.4, High: 0.6}
		if hour := t.In(zone).Hour(); t.In(zone).Day() == 11 && hour >= 2 && hour < 5 {
			p.NoData = true
		}
		v.points = append(v.points, p)
	}
	return v
}

// get asks the page and checks what holds for every answer.
func get(t *testing.T, r web.Reader, path string, header ...string) (int, string) {
	t.Helper()
	words, err := message.New()
	if err != nil {
		t.Fatal(err)
	}
	h, err := web.New(r, nil, words, func() time.Time { return now }, web.Options{Zone: zone}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	req.RemoteAddr, req.Host = "127.0.0.1:41000", "localhost:8080"
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	body := rec.Body.String()
	if strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
		csp := rec.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
		wellFormed(t, path, body)
	}
	return rec.Code, body
}

// wellFormed checks that every element of the page is closed in its place.
func wellFormed(t *testing.T, path, body string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s does not parse: %v", path, err)
		}
		switch el := token.(type) {
		case xml.StartElement:
			depth++
			if el.Name.Local == "script" {
				t.Errorf("%s has a script", path)
			}
			for _, a := range el.Attr {
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("%s: <%s> has an inline %s, which the policy forbids", path, el.Name.Local, a.Name.Local)
				}
			}
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		t.Errorf("%s: %d elements are not closed", path, depth)
	}
}

func has(t *testing.T, body string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func hasNot(t *testing.T, body string, all ...string) {
	t.Helper()
	for _, bad := range all {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestTheFirstPageSaysWhoNeedsSomeone(t *testing.T) {
	code, body := get(t, example(), "/")
	if code != http.StatusOK {
		t.Fatal(code)
	}
	has(
		t, body, `<html lang="zh-CN">`, "现在要关心的人家", "今天下午3点20分的情况", "有 1 户要关心", "湾底村",
		`<span>红色</span> 请马上去看看`, `<a href="/household/h12">3组12号</a>`, "从今天上午9点半起", "已经6个小时",
		"顺便留意", "整片的情况", "最近好了的", "今天下午2点20分好了",
		`<span class="label">4组9号</span> <span class="state">停电</span>`, `<span class="label">3组4号</span> <span class="state">平常</span>`,
		`href="/household/odd%2Fid%3F"`,
	)
	if strings.Index(body, ">3组2号</span>") > strings.Index(body, ">3组12号</span>") {
		t.Error("3组12号 stands before 3组2号")
	}
	hasNot(t, body, "<no value>", "ZgotmplZ", "{0}")
}

// No data is never "as usual".
func TestHomesOfASilentAreaAreNotSaidToBeFine(t *testing.T) {
	v := example()
	v.open = append(v.open, alert("", "a2", detectors.SilentMeter, detectors.Yellow, detectors.CauseAreaSilent))
	_, body := get(t, v, "/")
	has(t, body, `<span class="label">4组9号</span> <span class="state">停电</span>`)
	v.open = []alerts.Alert{alert("", "a1", detectors.SilentMeter, detectors.Yellow, detectors.CauseAreaSilent)}
	_, body = get(t, v, "/")
	has(t, body, "电表没有数传来", `<span class="label">3组4号</span> <span class="state">没有数</span>`, `<span class="label">4组9号</span> <span class="state">平常</span>`)
	_, body = get(t, v, "/household/h4")
	has(t, body, "没有数", "现在看不见这一家")
}

// A label of sixty letters without a space must not push the page past a
// phone's edge: the grids take their columns' least width from where words may
// break, which "break-word" does not count and "nowrap" forbids.
func TestLongWordsBreakInsideTheGrids(t *testing.T) {
	_, body := get(t, example(), "/")
	has(t, body, "overflow-wrap: anywhere")
	_, rule, found := strings.Cut(body, "\n.n {")
	rule, _, _ = strings.Cut(rule, "}")
	if !found || strings.Contains(rule, "nowrap") {
		t.Errorf("the name of a village does not break: %s", rule)
	}
}

// "已经不到半个小时" is no Chinese, and what has only begun need not be timed.
func TestWhatHasOnlyBegunIsNotTimed(t *testing.T) {
	v := example()
	for i := range v.open {
		v.open[i].Onset = now.Add(-10 * time.Minute)
	}
	for _, path := range []string{"/", "/household/h12"} {
		_, body := get(t, v, path)
		hasNot(t, body, "不到半个小时", `class="elapsed"`)
	}
}

func TestAHouseholdsIDMayHoldAnything(t *testing.T) {
	if code, body := get(t, example(), "/household/odd%2Fid%3F"); code != http.StatusOK || !strings.Contains(body, "<h1>odd/id?") {
		t.Errorf("%d: %s", code, body)
	}
}

func TestTheFirstPageIsCalmWhenNobodyNeedsAnyone(t *testing.T) {
	code, body := get(t, &village{}, "/")
	if code != http.StatusOK {
		t.Fatal(code)
	}
	has(t, body, "现在没有要去看的人家")
	hasNot(t, body, "整片的情况", "最近好了的")
}

func TestAHouseholdShowsItsUseBesideWhatIsUsual(t *testing.T) {
	code, body := get(t, example(), "/household/h12")
	if code != http.StatusOK {
		t.Fatal(code)
	}
	has(
		t, body, "<h1>3组12号", "请马上打电话问平安", "最近 3 天用电", `role="img"`, "aria-labelledby=", "<desc id=",
		`<polygon class="band"`, `<polyline class="use"`, `<rect class="gap"`, `<line class="onset red"`, "今天上午9点半起</text>",
		"每小时用电（度）", "7月10日", "12点</text>", "电表数据到今天下午3点", "发现", "已通知妇联主席",
	)
	if n := strings.Count(body, `<polyline class="use"`); n != 4 { // two drawings, each broken by the gap
		t.Errorf("%d lines, want 4: a gap is not a zero", n)
	}
	hasNot(t, body, "<no value>", "ZgotmplZ", "{0}", "NaN", "console")
}

func TestAHouseholdThatIsFineSaysSo(t *testing.T) {
	v := example()
	v.points, v.events = nil, nil
	v.open = v.open[:2] // without the outage
	_, body := get(t, v, "/household/h9")
	has(t, body, "现在和平常一样", "最近没有收到这一户的电表数", "还没有什么要记的")
	hasNot(t, body, `<svg class="chart`, `<line class="onset`)
}

func TestAHouseholdInADarkAreaIsNotCalledAsUsual(t *testing.T) {
	_, body := get(t, example(), "/household/h9")
	has(t, body, "<span>停电</span> 这一片停电了")
	hasNot(t, body, "现在和平常一样")
}

func TestLanguages(t *testing.T) {
	for _, tc := range []struct {
		name, path, accept, lang, link string
	}{
		{"Chinese by default", "/", "", "zh-CN", "/household/h12\""},
		{"the browser's wish", "/", "en-GB,en;q=0.9", "en", "/household/h12\""},
		{"the browser's better wish", "/", "en;q=0.5, zh-TW;q=0.8", "zh-CN", "/household/h12\""},
		{"a language there is not", "/", "fr", "zh-CN", "/household/h12\""},
		{"asked for, and kept in links", "/?lang=en", "zh-CN", "en", "/household/h12?lang=en\""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, body := get(t, example(), tc.path, "Accept-Language", tc.accept)
			has(t, body, `<html lang="`+tc.lang+`">`, tc.link)
		})
	}
	_, body := get(t, example(), "/household/h12?lang=en")
	has(t, body, "Please go now", "since 9:30 am today", "Told: the chair", "kWh per hour", `href="/household/h12?lang=zh-CN"`)
}

func TestWhatComesFromOutsideIsOnlyEverText(t *testing.T) {
	const evil = `"><script>alert(1)</script><b onload='x'>`
	v := example()
	v.homes[0].Label = evil
	v.villages[0].Name = evil
	v.homes = append(v.homes, roster.Household{ID: evil, AreaID: evil, VillageID: "v1", Label: "x"})
	for _, path := range []string{"/", "/household/h12", "/?lang=%22%3E%3Cscript%3E", "/nowhere/%3Cscript%3E"} {
		_, body := get(t, v, path)
		hasNot(t, body, "<script", "<b onload")
	}
	_, body := get(t, v, "/household/h12")
	has(t, body, "&lt;script&gt;")
}

func TestUnknownPagesAndHouseholdsAre404(t *testing.T) {
	for _, path := range []string{"/household/nobody", "/elsewhere"} {
		if code, body := get(t, example(), path); code != http.StatusNotFound || !strings.Contains(body, "没有这一页") {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestAStoreThatFailsIsSaidWithoutDetails(t *testing.T) {
	code, body := get(t, &village{err: errors.New("disk /secret/path is gone")}, "/")
	if code != http.StatusInternalServerError || strings.Contains(body, "secret") {
		t.Errorf("%d: %s", code, body)
	}
}

func TestThePageOnlyShows(t *testing.T) {
	words, err := message.New()
	if err != nil {
		t.Fatal(err)
	}
	h, err := web.New(example(), nil, words, time.Now, web.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/household/h12", nil))
	if rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST answered %d", rec.Code)
	}
}

func TestHealthy(t *testing.T) {
	if code, body := get(t, &village{}, "/-/healthy"); code != http.StatusOK || body != "healthy\n" {
		t.Errorf("%d %q", code, body)
	}
}
