package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

func TestAMessageLeadsToItsHomeAndToHerOthers(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	w.finds("h9", detectors.Shortfall, detectors.Orange)
	page := w.get(w.view("chair")).shows(http.StatusOK, "<h1>1组1号", "办到哪一步了", "正在找人", "我去看看")
	w.get(page.to("回到首页")).shows(http.StatusOK, "1组1号", "1组5号", "湾底村", "有 1 户要关心").hides("9组9号", "上游村")
	w.get(w.view("neighbour")).shows(http.StatusOK, "<h1>9组9号")
}

func TestATownSeesItsVillagesAndNoOthers(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Red)
	w.passes(time.Hour)
	page := w.get(w.view("town")).shows(http.StatusOK, "<h1>1组1号")
	w.get(page.to("回到首页")).shows(http.StatusOK, "1组5号").hides("9组9号")
}

// Of another village's home nothing can be learned, not even that it is there.
func TestAHomeThatIsNotHersIsLikeNoneAtAll(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	w.finds("h9", detectors.Shortfall, detectors.Orange)
	base := strings.TrimSuffix(w.view("chair"), "/household/h1")
	other := strings.TrimSuffix(w.view("neighbour"), "/household/h9")
	none := w.get(base + "/household/nobody").shows(http.StatusNotFound)
	before := w.dump()
	for _, path := range []string{
		base + "/household/h9", base + "/household/m9", base + "/household/" + w.alert("h9").ID, base + "/household/h9%00",
		base + "/household/h9/acknowledge", base + "/household/nobody/acknowledge", base + "/household/h1/well", base + "/household/h1/help",
		base + "/household/..%2fhousehold%2fh9",
	} {
		got := w.get(path)
		if got.code != http.StatusNotFound || without(got.body, path) != without(none.body, base+"/household/nobody") {
			t.Errorf("%s: %d, and the page differs from that of a home there is not:\n%s", path, got.code, text(got.body))
		}
		if s := w.ask(w.request(path, "alert="+w.alert("h9").ID+"&outcome=false")); s.code == http.StatusOK {
			t.Errorf("%s takes an answer", path)
		}
	}
	for _, path := range []string{other + "/household/h1", base[:10] + "/household/h1"} { // a neighbour's link, and half a link
		w.get(path).shows(http.StatusNotFound).hides("1组1号")
		w.ask(w.request(path+"/acknowledge", "alert="+w.alert("h1").ID)).shows(http.StatusNotFound).hides("1组1号")
	}
	// By the id of an alert, on the page of a home that is hers.
	for _, id := range []string{w.alert("h9").ID, "", "nobody@1"} {
		s := w.ask(w.request(base+"/household/h1/acknowledge", "alert="+id))
		s.shows(http.StatusForbidden, "不是问您的").hides("9组9号")
	}
	if w.dump() != before {
		t.Error("something has changed")
	}
}

// without leaves out what a page says of its own address.
func without(body, path string) string { return strings.ReplaceAll(body, path, "") }

func TestSheAnswersOnTheHomesPage(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	page := w.get(w.view("chair"))
	thanks := w.post(page.to("我去看看")).shows(http.StatusOK, "这一家就靠您了", "妇联主席在管")
	w.post(thanks.to("说一声"), "outcome", "wiring", "handed", "供电所").shows(http.StatusOK, "记下了")
	w.get(w.view("chair")).shows(http.StatusOK, "办好了", "说是“空气开关或者线路的毛病”", "交给了：供电所", "有人去看了", "说了是怎么回事").hides("我去看看</a>")
}

// She has the page open while the home's alert is closed and another one comes.
func TestAnOldPageDoesNotAnswerWhatIsNew(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	old := w.alert("h1")
	path := w.get(w.view("chair")).to("说一声")
	_, err := w.service.Respond(t.Context(), alerts.Response{AlertID: old.ID, PersonID: "deputy", Action: alerts.SayOutcome, Outcome: alerts.WasAway})
	w.must(err)
	w.ends("h1")
	w.now = w.now.Add(24 * time.Hour)
	w.finds("h1", detectors.NoSignOfLife, detectors.Red)
	w.ask(w.request(path, "outcome=false&alert="+old.ID)).shows(http.StatusConflict, "已经办好了")
	if a := w.alert("h1"); a.ID == old.ID || a.Outcome != "" {
		t.Errorf("the new alert is answered: %s", a.Outcome)
	}
}

func TestALinkToLookExpires(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	view := w.view("chair")
	w.now = w.now.Add(7*24*time.Hour + time.Hour)
	w.get(view).shows(http.StatusGone, "过时了").hides("1组1号")
	w.ask(w.request(view+"/acknowledge", "alert="+w.alert("h1").ID)).shows(http.StatusGone)
}

func TestALinkOfOnePurposeIsNoneOfAnother(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	answer := strings.TrimPrefix(w.link("chair", "我去看看"), "/a/")
	look, _, _ := strings.Cut(strings.TrimPrefix(w.view("chair"), "/v/"), "/")
	w.get("/a/"+look).shows(http.StatusForbidden, "没有这个链接").hides("1组1号")
	w.get("/v/" + answer).shows(http.StatusNotFound).hides("1组1号")
	w.ask(w.request("/a/"+look, "")).shows(http.StatusForbidden)
	for _, forged := range []string{answer[:len(answer)-1], answer[1:], answer + "A", "x", strings.Repeat("A", 4000)} {
		w.get("/a/"+forged).shows(http.StatusForbidden, "没有这个链接").hides("1组1号", "湾底村")
		w.ask(w.request("/a/"+forged, "outcome=false")).shows(http.StatusForbidden).hides("1组1号", "湾底村")
	}
	if a := w.alert("h1"); a.Stage != alerts.Calling {
		t.Errorf("the case is %s", a.Stage)
	}
}

// Family sees how things stand and what was done, in words: no curve, not who was
// called, nothing of the neighbours, nothing of what officials wrote.
func TestKinSeeTheirParentInWords(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Red)
	w.passes(10 * time.Minute)
	_, err := w.service.Respond(t.Context(), alerts.Response{
		AlertID: w.alert("h1").ID, PersonID: "chair", Action: alerts.SayVisited, Visit: &roster.Visit{Kind: roster.AtTheDoor, Situation: "屋里很乱"},
	})
	w.must(err)
	page := w.get(w.view("kin")).shows(http.StatusOK, "1组1号", "妇联主席在管", "上门看了", "去看过了").
		hides("<svg", "最近 3 天用电", "屋里很乱", "已通知", "轮到下一位", "先不提醒")
	w.get(page.to("回到首页")).shows(http.StatusOK, "1组1号").hides("1组2号")
	w.get(w.view("chair")).shows(http.StatusOK, "屋里很乱", "最近 3 天用电")
}

func TestACurveIsShownWhereTheHomeHasAgreed(t *testing.T) {
	w := newTown(t)
	agreed := map[string]bool{"h1": true}
	w.opts.Curve = func(_ context.Context, home string) (bool, error) { return agreed[home], nil }
	w.open()
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	base := strings.TrimSuffix(w.view("chair"), "/household/h1")
	w.get(base+"/household/h1").shows(http.StatusOK, "最近 3 天用电")
	w.get(base+"/household/h2").shows(http.StatusOK, "1组2号").hides("最近 3 天用电")
}

func TestWhoHasLookedIsWrittenDownBeforeItIsShown(t *testing.T) {
	w := newTown(t)
	var seen []string
	var full error
	w.opts.Looked = func(_ context.Context, person, home string) error {
		seen = append(seen, person+" "+home)
		return full
	}
	w.open()
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	w.finds("h9", detectors.Shortfall, detectors.Orange)
	view := w.view("chair")
	w.get(view).shows(http.StatusOK)
	w.get(strings.TrimSuffix(view, "h1") + "h9").shows(http.StatusNotFound)
	full = errors.New("disk full")
	w.get(view).shows(http.StatusInternalServerError).hides("1组1号")
	if strings.Join(seen, ", ") != "chair h1, chair h1" {
		t.Errorf("written down: %v", seen)
	}
}

// Who was told for somebody who is off may look at that home, until it is closed.
func TestWhoStandsInSeesTheHomeWhileItsCaseLasts(t *testing.T) {
	w := newTown(t)
	w.must(w.db.ChangePerson(t.Context(), "chair", func(p *roster.Person) {
		p.Leaves = []roster.Leave{{From: w.now.Add(-time.Hour), Until: w.now.AddDate(0, 0, 3), StandIn: "neighbour"}}
	}))
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	view := w.view("neighbour")
	page := w.get(view).shows(http.StatusOK, "<h1>1组1号")
	w.get(page.to("回到首页")).shows(http.StatusOK, "1组1号", "9组9号").hides("1组2号")
	w.post(page.to("说一声"), "outcome", "false").shows(http.StatusOK)
	w.get(view).shows(http.StatusNotFound).hides("1组1号")
}

// The overview says what each case needs, what is late first.
func TestTheOverviewSaysWhatEachCaseNeeds(t *testing.T) {
	w := newTown(t)
	for _, home := range []string{"h1", "h2", "h3", "h4"} {
		w.finds(home, detectors.NoSignOfLife, detectors.Orange)
		w.now = w.now.Add(2 * time.Minute)
	}
	say := func(home string, r alerts.Response) {
		r.AlertID, r.PersonID = w.alert(home).ID, "chair"
		_, err := w.service.Respond(t.Context(), r)
		w.must(err)
	}
	say("h2", alerts.Response{Action: alerts.Acknowledge})
	say("h3", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.Appliance, FollowUp: w.now.Add(72 * time.Hour)})
	w.ends("h4")
	base, _, _ := strings.Cut(w.view("chair"), "/household")
	page := w.get(base).shows(http.StatusOK, "有 1 户要关心", "有人在管的", "到日子再去看的", "等一句回话的", "妇联主席在管", "7月15日再去看看")
	want := []string{"1组1号", "有人在管的", "1组2号", "到日子再去看的", "1组3号", "等一句回话的", "1组4号"}
	at := 0
	for _, word := range want {
		i := strings.Index(page.body[at:], word)
		if i < 0 {
			t.Fatalf("%s does not come after what stands before it in %v:\n%s", word, want, text(page.body))
		}
		at += i
	}
	// In the evening she has still not said a word about the second.
	w.now = w.now.Add(6 * time.Hour)
	w.get(base).shows(http.StatusOK, "过了时间")
}

func TestThePageOfAllHomesIsForThisMachine(t *testing.T) {
	w := newTown(t)
	for _, tc := range []struct {
		name, from, host, header string
		open                     bool
		want                     int
	}{
		{"this machine", "127.0.0.1:4000", "localhost:8080", "", false, http.StatusOK},
		{"this machine, by number", "[::1]:4000", "[::1]:8080", "", false, http.StatusOK},
		{"another machine", "192.0.2.7:4000", "localhost:8080", "", false, http.StatusNotFound},
		{"a proxy on this machine", "127.0.0.1:4000", "localhost:8080", "X-Forwarded-For", false, http.StatusNotFound},
		{"a proxy that keeps the name", "127.0.0.1:4000", "weimang.example", "", false, http.StatusNotFound},
		{"a name of another site that leads here", "127.0.0.1:4000", "evil.example:8080", "", false, http.StatusNotFound},
		{"another machine, where the operator wants so", "192.0.2.7:4000", "weimang.example", "", true, http.StatusOK},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.opts.Open = tc.open
			w.open()
			for _, path := range []string{"/", "/household/h1"} {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
				r.RemoteAddr, r.Host = tc.from, tc.host
				if tc.header != "" {
					r.Header.Set(tc.header, "203.0.113.7")
				}
				s := w.ask(r).shows(tc.want)
				if tc.want == http.StatusNotFound {
					s.hides("1组1号", "湾底村")
				}
			}
		})
	}
}
