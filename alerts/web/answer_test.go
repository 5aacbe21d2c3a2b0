package web_test

import (
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

// A hot Sunday: the chair says that she goes, comes back, and says what it was.
func TestTheChairGoesAndSaysWhatItWas(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Orange)
	link := w.link("chair", "我去看看")

	w.get(link).shows(http.StatusOK, "1组1号", "湾底村", "用电", "从今天", "您去看看吗", ">我去看看</button>", "去不了").hides("王桂芳", "1380")
	thanks := w.post(link).shows(http.StatusOK, "这一家就靠您了", "妇联主席在管")
	if a := w.alert("h1"); a.Stage != alerts.Held || a.Holder.PersonID != "chair" {
		t.Fatalf("the case is %s, held by %q", a.Stage, a.Holder.PersonID)
	}

	w.now = w.now.Add(40 * time.Minute)
	form := thanks.to("说一声是怎么回事")
	w.get(form).shows(http.StatusOK, "电器坏了", "人出了危险", "要不要过几天再去看看", "看到的情况", "现在：妇联主席在管")
	w.post(form, "outcome", "appliance", "handed", "物业服务中心", "again", "7", "kind", "visit", "situation", "空调不制冷", "measure", "开了风扇").
		shows(http.StatusOK, "记下了，让您费心了", "说是“电器坏了，或者忘了关”", "7月19日再去看看").hides("<form")
	a := w.alert("h1")
	if a.Stage != alerts.InHand || a.Outcome != alerts.Appliance || a.HandedTo != "物业服务中心" ||
		!a.FollowUpAt.Equal(time.Date(2026, 7, 19, 9, 0, 0, 0, zone)) {
		t.Errorf("the case is %s, %s, handed to %q, until %s", a.Stage, a.Outcome, a.HandedTo, a.FollowUpAt)
	}
	visits, err := w.db.Visits(t.Context(), roster.By{Actor: "test", For: roster.ForPage}, "h1", time.Time{})
	w.must(err)
	if len(visits) != 1 || visits[0].Kind != roster.AtTheDoor || visits[0].Situation != "空调不制冷" || visits[0].Measure != "开了风扇" {
		t.Errorf("%d visits are kept, not the one she told of", len(visits))
	}
}

func TestTheOtherAnswersAreOnePressAway(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	first := w.get(w.link("chair", "我去看看"))
	for word, lead := range map[string]string{
		"说一声是怎么回事": "是怎么回事", "人不在家": "人不在家，哪天回来", "先不提醒": "先不提醒到哪天", "我去过了": "您去看过了吗", "我去不了": "您去不了",
	} {
		w.get(first.to(word)).shows(http.StatusOK, lead, "1组1号")
	}
}

func TestAwayAndMuteAskUntilWhen(t *testing.T) {
	for _, tc := range []struct {
		word   string
		fields []string
		want   string // until, in the directive
		sorry  string // or why not
	}{
		{word: "人不在家", fields: []string{"until", "0"}, want: `"until":"2026-07-12T16:00:00Z"`},
		{word: "人不在家", fields: []string{"until", "3"}, want: `"until":"2026-07-15T16:00:00Z"`},
		{word: "人不在家", fields: []string{"until", "date", "date", "2026-08-01"}, want: `"until":"2026-08-01T16:00:00Z"`},
		{word: "先不提醒", fields: []string{"until", "7"}, want: `"until":"2026-07-19T16:00:00Z"`},
		{word: "人不在家", sorry: "请先选一个日子"},
		{word: "人不在家", fields: []string{"until", "-3"}, sorry: "请先选一个日子"},
		{word: "人不在家", fields: []string{"until", "date", "date", "2026-07-11"}, sorry: "这个日子不行"},
		{word: "先不提醒", fields: []string{"until", "date", "date", "2036-07-11"}, sorry: "这个日子不行"},
		{word: "先不提醒", fields: []string{"until", "date", "date", "tomorrow"}, sorry: "这个日子不行"},
	} {
		t.Run(tc.word+strings.Join(tc.fields, " ")+tc.sorry, func(t *testing.T) {
			w := newTown(t)
			w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
			path := w.get(w.link("chair", "我去看看")).to(tc.word)
			if tc.sorry != "" {
				w.post(path, tc.fields...).shows(http.StatusUnprocessableEntity, tc.sorry, "<form")
				return
			}
			w.post(path, tc.fields...).shows(http.StatusOK, "记下了")
			records, err := w.db.Records(t.Context(), 100)
			w.must(err)
			last := records[len(records)-1].Record
			if !strings.Contains(string(last.Value), tc.want) {
				t.Errorf("the detectors are told %s, want %s", last.Value, tc.want)
			}
		})
	}
}

func TestALinkIsAnsweredOnce(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	link := w.link("chair", "我去看看")
	w.post(link).shows(http.StatusOK)
	before := w.dump()
	// The same again says so, and how things stand; what leads on is still there.
	w.post(link).shows(http.StatusConflict, "您已经回答过了", "妇联主席在管", "我去过了")
	w.get(link).shows(http.StatusConflict, "您已经回答过了").hides("<form")
	if w.dump() != before {
		t.Error("an answer that came twice changed something")
	}
	other := w.get(link).to("说一声是怎么回事")
	w.post(other, "outcome", "false").shows(http.StatusOK)
	// Now what it was is known: none of the question's links answers any more.
	for _, path := range []string{link, other, w.link("chair", "去不了"), w.link("chair", "人不在家")} {
		w.post(path, "until", "1", "outcome", "away").shows(http.StatusConflict)
	}
	if a := w.alert("h1"); a.Outcome != alerts.FalseCall {
		t.Errorf("the outcome is %s", a.Outcome)
	}
}

// A button of a chat program answers the same question as the link beside it.
func TestAButtonAndALinkAreOneAnswer(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	press := func(key string) error {
		_, err := w.service.RespondByKey(t.Context(), alerts.Keyed{MessageID: w.mail("chair").ID, Said: key, Via: "chat"})
		return err
	}
	w.must(press("1"))
	if err := press("1"); !errors.Is(err, alerts.ErrAnswered) {
		t.Errorf("pressed again: %v", err)
	}
	w.get(w.link("chair", "1 ")).shows(http.StatusConflict, "您已经回答过了")
	w.post(w.link("chair", "说一声"), "outcome", "false").shows(http.StatusOK)
	if err := press("3"); !errors.Is(err, alerts.ErrAnswered) {
		t.Errorf("pressed after what it was: %v", err)
	}
}

func TestWhoCouldNotGoMayGoAfterAll(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	next := w.post(w.link("chair", "去不了")).shows(http.StatusOK, "这就去叫别人")
	w.post(next.to("我去看看")).shows(http.StatusOK, "妇联主席在管")
}

func TestALinkExpires(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	link := w.link("chair", "我去看看")
	w.now = w.now.Add(7*24*time.Hour + time.Minute)
	w.get(link).shows(http.StatusGone, "过时了").hides("<form")
	w.post(link).shows(http.StatusGone, "过时了")
	if a := w.alert("h1"); a.Stage != alerts.Calling {
		t.Errorf("the case is %s", a.Stage)
	}
}

func TestWhatIsClosedSaysSo(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	link := w.link("chair", "我去看看")
	_, err := w.service.Respond(t.Context(), alerts.Response{AlertID: w.alert("h1").ID, PersonID: "deputy", Action: alerts.SayOutcome, Outcome: alerts.AtFamily})
	w.must(err)
	w.post(link).shows(http.StatusConflict, "已经办好了", "人在家人那里")
}

func TestWhoHasLeftTheRosterAnswersForNobody(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	link, view := w.link("chair", "我去看看"), w.view("chair")
	w.people = w.people[1:]
	w.roster()
	w.get(link).shows(http.StatusForbidden, "不是问您的").hides("1组1号")
	w.post(link).shows(http.StatusForbidden).hides("1组1号")
	w.get(view).shows(http.StatusNotFound).hides("1组1号")
}

// A form that lacks something comes back with what was filled in.
func TestWhatWasFilledInIsNotLost(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	path := w.link("chair", "说一声")
	long := strings.Repeat("长", 201)
	w.post(path, "outcome", "help", "handed", "卫生院", "situation", long).
		shows(http.StatusUnprocessableEntity, "写得太长了。每处最多 200 个字", `value="help" checked`, `value="卫生院"`, long)
	w.post(path, "handed", "卫生院").shows(http.StatusUnprocessableEntity, "请先选一个：是怎么回事", `value="卫生院"`)
	w.post(path, "outcome", "unasked").shows(http.StatusUnprocessableEntity) // only the system says that
	w.ask(w.request(path, "outcome=help&situation="+strings.Repeat("x", 20<<10))).shows(http.StatusUnprocessableEntity, "写得太长了")
	if a := w.alert("h1"); a.Outcome != "" {
		t.Errorf("the outcome is %s", a.Outcome)
	}
}

// Kin read of their own parent, in their own words, and cannot silence the village.
func TestKinAreAskedInTheirOwnWords(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Red)
	w.passes(10 * time.Minute)
	page := w.get(w.link("kin", "我来联系")).shows(http.StatusOK, "老人", "您来联系吗", ">我来联系</button>").hides("先不提醒", "台区", "平常用电")
	w.get(page.to("联系上了")).shows(http.StatusOK, "看到的情况")
}

// She is asked how she is: no colour, no curve, nobody who is looked for.
func TestTheResidentIsAskedHowSheIs(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.Shortfall, detectors.Red)
	if url := w.mail("resident").URL; url != "" {
		t.Errorf("she is given a page to look at: %s", url)
	}
	page := w.get(w.link("resident", "我很好")).shows(http.StatusOK, "您今天好不好", ">我很好</button>").hides("1组1号", "红色", "马上去", "已经6个小时", "正在找人", "度")
	thanks := w.post(w.link("resident", "我很好")).shows(http.StatusOK, "您好就放心了").hides("正在找人")
	// After all she is not: the link beside still asks for help.
	if thanks.to("要人帮忙") != page.to("要人帮忙") {
		t.Error("the thanks lead elsewhere")
	}
	w.post(page.to("要人帮忙")).shows(http.StatusOK, "正在叫人")
	if !w.alert("h1").Helped {
		t.Error("nobody has heard her")
	}
	// What is not hers to say has no link.
	for _, word := range []string{"先不提醒", "我去看看", "说一声"} {
		page.hides(word)
	}
}

// It was over by itself and nobody answered; days later somebody says what it was.
func TestWhatItWasCanStillBeSaidWithAllThatBelongsToIt(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	w.ends("h1")
	link := w.link("chair", "是怎么回事")
	w.passes(3 * 24 * time.Hour)
	if a := w.alert("h1"); a.Stage != alerts.Closed || a.Outcome != alerts.Unanswered {
		t.Fatalf("the case is %s %s", a.Stage, a.Outcome)
	}
	w.post(link, "outcome", "help", "handed", "卫生院", "again", "3", "kind", "call", "situation", "腿疼").shows(http.StatusOK, "说是“人要帮忙”")
	a := w.alert("h1")
	visits, err := w.db.Visits(t.Context(), roster.By{Actor: "test", For: roster.ForPage}, "h1", time.Time{})
	w.must(err)
	if a.Stage != alerts.InHand || a.HandedTo != "卫生院" || len(visits) != 1 || visits[0].Kind != roster.ByPhone {
		t.Errorf("the case is %s, handed to %q, with %d visits", a.Stage, a.HandedTo, len(visits))
	}
	w.passes(4 * 24 * time.Hour)
	if m := w.mail("chair"); m.Purpose != alerts.ToFollowUp {
		t.Errorf("she is told %q, want to look again", m.Purpose)
	}
}

func TestTheThanksSayWhoIsCalledInEnglishToo(t *testing.T) {
	w := newTown(t)
	w.people[0].Lang = roster.English
	w.roster()
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	link := w.mail("chair").Answers[0].URL
	w.get(strings.TrimPrefix(link, ourSite)).shows(http.StatusOK, `<html lang="en">`, "1组1号")
	w.get(strings.TrimPrefix(link, ourSite)+"?lang=zh-CN").shows(http.StatusOK, `<html lang="zh-CN">`)
	w.post(strings.TrimPrefix(link, ourSite)).shows(http.StatusOK, "Thank you", "sees to it")
}

// In a group the page shows no more than the message did, and asks who is there.
func TestInAGroupWhoAnswersSaysWhoSheIs(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	w.passes(2 * time.Hour)
	if url := w.mail("deputy").URL; url != "" {
		t.Errorf("the group is given the page of one person: %s", url)
	}
	link := w.link("deputy", "我去看看")
	page := w.get(link).shows(http.StatusOK, "1组1号", "请问您是哪一位", "最后四位", "妇联主席", "关爱小组（陈老师）", "关爱小组（欧阳老师）").
		hides("王", "李", "chair", "deputy", "care", "1380")

	w.post(link).shows(http.StatusUnprocessableEntity, "请先选您是哪一位")
	w.post(link, "who", "chair", "digits", "1111").shows(http.StatusUnprocessableEntity) // an id is no mark
	w.post(link, "who", page.mark("妇联副主席"), "digits", "1111").shows(http.StatusForbidden, "最后四位对不上")
	if a := w.alert("h1"); a.Stage != alerts.Calling {
		t.Fatalf("a stranger has answered: %s", a.Stage)
	}
	w.post(link, "who", page.mark("妇联副主席"), "digits", "2222").shows(http.StatusOK, "妇联副主席在管")
	if a := w.alert("h1"); a.Holder.PersonID != "deputy" {
		t.Errorf("held by %q", a.Holder.PersonID)
	}
	w.get(link).shows(http.StatusConflict, "这件事妇联副主席已经回答了") // to the next one who opens it
}

func TestWhoseNumberNobodyKnowsNeedNotTellIt(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	w.passes(2 * time.Hour)
	link := w.link("care2", "我去看看")
	w.post(link, "who", w.get(link).mark("关爱小组（欧阳老师）")).shows(http.StatusOK, "关爱小组在管")
}

func TestAStrangerHasFiveTriesAnHour(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Orange)
	w.passes(2 * time.Hour)
	link := w.link("deputy", "我去看看")
	chair := w.get(link).mark("妇联主席")
	for range 5 {
		w.post(link, "who", chair, "digits", "0000").shows(http.StatusForbidden)
	}
	// The right ones come too late, on each link of the question.
	for _, path := range []string{link, w.link("deputy", "去不了")} {
		w.post(path, "who", chair, "digits", "1111").shows(http.StatusTooManyRequests, "试的次数太多了")
	}
	w.now = w.now.Add(time.Hour + time.Second)
	for range 3 {
		for range 5 {
			w.post(link, "who", chair, "digits", "0001").shows(http.StatusForbidden)
		}
		w.now = w.now.Add(time.Hour + time.Second)
	}
	w.post(link, "who", chair, "digits", "1111").shows(http.StatusTooManyRequests) // twenty are enough for ever
	if a := w.alert("h1"); a.Holder.PersonID != "" {
		t.Errorf("held by %q", a.Holder.PersonID)
	}
}

// Chat programs fetch a link to show what is behind it.
func TestWhoeverFetchesALinkChangesNothing(t *testing.T) {
	w := newTown(t)
	w.finds("h1", detectors.NoSignOfLife, detectors.Red)
	w.finds("h2", detectors.Shortfall, detectors.Orange)
	w.passes(40 * time.Minute)
	paths := map[string]bool{}
	for _, m := range w.inbox {
		for _, url := range append([]string{m.URL}, urls(m)...) {
			if path := strings.TrimPrefix(url, ourSite); path != "" {
				paths[path] = true
				for _, a := range anchor.FindAllStringSubmatch(w.get(path).body, -1) {
					paths[a[1]] = true
				}
			}
		}
	}
	if len(paths) < 30 {
		t.Fatalf("only %d links", len(paths))
	}
	before := w.dump()
	for path := range paths {
		if s := w.get(path); s.code != http.StatusOK {
			t.Errorf("%s: %d", path, s.code)
		}
		s := w.ask(httptest.NewRequestWithContext(t.Context(), http.MethodHead, path, nil))
		if s.code != http.StatusOK {
			t.Errorf("HEAD %s: %d", path, s.code)
		}
	}
	if w.dump() != before {
		t.Error("a request that only asks has changed something")
	}
}

func urls(m alerts.Message) (out []string) {
	for _, a := range m.Answers {
		out = append(out, a.URL)
	}
	return out
}
