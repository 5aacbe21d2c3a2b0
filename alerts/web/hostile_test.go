package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/detectors"
)

// What others write is only ever text, wherever it comes up.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onfocus='alert(1)`, `</textarea><script>`, `</style><script>`, `{{.Query}}`,
	"\u202e号1组3", "1组\u200b1号", "a\x00b\x1b[31m", "第一行\r\n第二行", strings.Repeat("长", 100), "https://evil.example/", "javascript:alert(1)",
}

func harmless(t *testing.T, s screen) {
	t.Helper()
	hasNot(t, s.body, "<script", "<img", "\u202e", "\u200b", "\x00", "\x1b", `href="javascript`, `href="https://evil`)
}

func TestWhatTheRosterSaysIsOnlyText(t *testing.T) {
	w := newTown(t)
	all := strings.Join(hostile, "")
	for i, evil := range hostile {
		id := fmt.Sprintf("e%d", i)
		w.homes = append(w.homes, store.HouseholdRow{MeterID: "m" + id, HouseholdID: id, AreaID: "a-v1", VillageID: "v1", Label: evil, Zone: "Asia/Shanghai"})
	}
	for i := range w.people {
		w.people[i].Name = all + w.people[i].ID
	}
	w.roster()
	w.must(w.db.PutUnits(t.Context(), []roster.Unit{{ID: "v1", Level: roster.Village, ParentID: "t1", Name: all}}))
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange) // whose care team shares a role
	for i := range hostile {
		w.now = w.now.Add(2 * time.Minute)
		w.finds(fmt.Sprintf("e%d", i), detectors.NoSignOfLife, detectors.Orange)
	}
	w.passes(2 * time.Hour)
	asked := map[string]bool{}
	for _, m := range w.inbox {
		if m.URL != "" {
			harmless(t, w.get(strings.TrimPrefix(m.URL, ourSite)).shows(http.StatusOK))
		}
		if len(m.Answers) > 0 {
			asked[m.HouseholdID] = true
			harmless(t, w.get(strings.TrimPrefix(m.Answers[0].URL, ourSite)).shows(http.StatusOK))
		}
	}
	if len(asked) < len(hostile) {
		t.Errorf("somebody was asked about %d homes", len(asked))
	}
	base, _, _ := strings.Cut(w.view("chair"), "/household")
	harmless(t, w.get(base).shows(http.StatusOK))
}

func TestWhatPeopleFillInIsOnlyText(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	path := w.link("chair", "说一声")
	// Once refused, with all that was filled in ...
	for _, evil := range hostile {
		form := url.Values{}
		for _, field := range []string{"outcome", "handed", "situation", "difficulty", "measure", "kind", "again", "date", "until", "who", "digits", "alert"} {
			form.Set(field, evil)
		}
		harmless(t, w.ask(w.request(path, form.Encode())).shows(http.StatusUnprocessableEntity))
	}
	// ... and once taken, all of it.
	all := []rune(strings.ToValidUTF8(strings.Join(hostile[:10], ""), ""))
	taken := string(all[:min(len(all), 195)])
	w.post(path, "outcome", "appliance", "handed", string(all[:55]), "situation", taken, "difficulty", taken, "measure", taken, "again", "1").shows(http.StatusOK)
	harmless(t, w.get(w.view("chair")).shows(http.StatusOK, "交给了", "看到的情况", "&lt;script&gt;"))
	harmless(t, w.get(path))
	w.passes(30 * time.Hour)
	if m := w.mail("chair"); m.Purpose != alerts.ToFollowUp || strings.ContainsAny(m.Text, "<>\u202e\u200b\x00\x1b\r") {
		t.Errorf("the message of %q: %q", m.Purpose, m.Text)
	}
	if a := w.alert("h1"); strings.ContainsAny(a.HandedTo, "\u202e\u200b\x00\x1b\r\n") {
		t.Errorf("kept: %q", a.HandedTo)
	}
}

func TestAnIDMayHoldAnythingInALinkToo(t *testing.T) {
	w := newTown(t)
	const odd = `odd/id?"><script>`
	w.homes = append(w.homes, store.HouseholdRow{MeterID: "modd", HouseholdID: odd, AreaID: "a-v1", VillageID: "v1", Zone: "Asia/Shanghai"})
	w.roster()
	w.finds(odd, detectors.NoSignOfLife, detectors.Orange)
	page := w.get(w.view("chair")).shows(http.StatusOK, "odd/id?")
	harmless(t, page)
	w.post(page.to("我去看看")).shows(http.StatusOK, "妇联主席在管")
}

// A page of another site cannot have a browser answer, even if it knows the token.
func TestAFormOfAnotherSiteIsRefused(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	link := w.link("chair", "我去看看")
	for _, header := range [][2]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "http://weimang.example.evil"}, {"Origin", "::"},
	} {
		r := w.request(link, "")
		r.Header.Set(header[0], header[1])
		w.ask(r).shows(http.StatusForbidden, "请从消息里的链接打开")
	}
	if a := w.alert("h1"); a.Stage != alerts.Calling {
		t.Fatalf("another site has answered: %s", a.Stage)
	}
	// An old browser says nothing, or "null", since the page has asked it not to tell.
	for _, header := range [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", "null"}, {"Origin", ourSite}, {"Origin", "http://127.0.0.1:8080"}} {
		r := w.request(w.link("chair", "说一声"), "") // lacks its outcome
		r.Header.Set(header[0], header[1])
		if header[1] == "http://127.0.0.1:8080" {
			r.Host, r.RemoteAddr = "127.0.0.1:8080", "127.0.0.1:5000"
		}
		w.ask(r).shows(http.StatusUnprocessableEntity)
	}
}

// Nothing of a link gets to others: not by a referrer, not by a cache, not by what
// a page loads or where its form goes, not by a search engine.
func TestEveryPageKeepsItsLinkToItself(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	link := w.link("chair", "我去看看")
	for _, s := range []screen{
		w.get(link), w.post(link), w.post(link), w.get("/a/forged"), w.get(w.view("chair")), w.get("/v/forged"), w.get("/elsewhere"),
	} {
		for key, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "X-Content-Type-Options": "nosniff",
		} {
			if got := s.head.Get(key); got != want {
				t.Errorf("%s is %q", key, got)
			}
		}
		csp := s.head.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("the policy %q lacks %s", csp, want)
			}
		}
		if len(s.head.Values("Set-Cookie")) > 0 {
			t.Error("a cookie is set")
		}
		s.hides("http://", "https://", "//cdn", "@import", "<script", "<iframe", "<link rel=\"stylesheet\"")
	}
}

func TestWhatPostsWithoutATokenAnswersNothing(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	for _, path := range []string{"/", "/household/h1", "/household/h1/acknowledge", "/a/", "/v/", "/a", "/v"} {
		r := w.request(path, "alert="+w.alert("h1").ID)
		r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost:8080"
		if s := w.ask(r); s.code < 400 {
			t.Errorf("POST %s: %d", path, s.code)
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		if s := w.ask(httptest.NewRequestWithContext(t.Context(), method, w.link("chair", "我去看看"), nil)); s.code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, s.code)
		}
	}
	if a := w.alert("h1"); a.Stage != alerts.Calling {
		t.Errorf("the case is %s", a.Stage)
	}
}
