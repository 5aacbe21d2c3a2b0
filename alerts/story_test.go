package alerts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

const day = 24 * time.Hour

// A hot Sunday. The air conditioner of an old woman has broken; the chair does
// not see her message, the deputy does.
func TestTheAirConditionerIsBrokenAndIsMended(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	w.detectors(w.finding("h1", detectors.Shortfall, detectors.Orange))
	w.hears("chair", "1组1号", "用电比平常少得多")
	w.quiet()

	w.passes(119 * time.Minute) // there is time to answer
	w.quiet()
	w.passes(time.Minute)
	w.hears("deputy", "1组1号")
	w.hears("care", "1组1号")
	w.quiet()

	w.answers("deputy", "h1", alerts.Response{Action: alerts.Acknowledge})
	w.stands("h1", alerts.Held, "")
	w.hears("chair", "1组1号") // she need not go any more
	w.hears("care", "1组1号")
	w.quiet()

	w.passes(40 * time.Minute)
	w.answers("deputy", "h1", alerts.Response{
		Action: alerts.SayVisited, Visit: &roster.Visit{Kind: roster.AtTheDoor, Situation: "空调不制冷，老人有点晕", Difficulty: "不会修", Measure: "开了风扇，陪着喝了水"},
	})
	w.stands("h1", alerts.Held, "")
	week := w.now.Add(7 * day)
	w.answers("deputy", "h1", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.Appliance, HandedTo: "物业服务中心", FollowUp: week})
	w.stands("h1", alerts.InHand, alerts.Appliance)
	w.quiet()

	// It is mended the next day: use is as usual again, and nobody is asked twice.
	w.passes(day)
	end := w.over(w.finding("h1", detectors.Shortfall, detectors.Orange), detectors.CauseUsualBack)
	end.Episode = w.alert("h1").Finding.Episode
	w.detectors(end)
	w.quiet()
	w.stands("h1", alerts.InHand, alerts.Appliance)

	// A week after, somebody looks in again.
	w.passes(6*day - time.Hour)
	w.quiet()
	w.passes(day)
	w.hears("deputy", "1组1号")
	w.quiet()
	w.answers("deputy", "h1", alerts.Response{
		Action: alerts.SayOutcome, Outcome: alerts.Appliance, Visit: &roster.Visit{Kind: roster.AtTheDoor, Situation: "空调好用了"},
	})
	w.stands("h1", alerts.Closed, alerts.Appliance)
	w.passes(30 * day)
	w.quiet()
	if d := w.directives(); len(d) != 1 || !strings.Contains(d[0], `"outcome":"appliance"`) {
		t.Errorf("the detectors were told %v, want once that it was an appliance", d)
	}
}

func TestARedAlertGoesUpUntilSomebodyAnswers(t *testing.T) {
	w := newTown(t)
	w.at("03:00") // red rings at night, too
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Red))
	w.hears("resident")
	w.quiet()
	w.passes(5 * time.Minute)
	w.hears("chair", "1组1号一直没有动静")
	w.hears("kin")
	w.quiet()
	w.passes(15 * time.Minute)
	w.hears("deputy")
	w.hears("care")
	w.quiet()
	w.passes(15 * time.Minute)
	w.hears("town")
	w.passes(30 * time.Minute)
	w.hears("county")
	w.quiet()
	w.stands("h1", alerts.Calling, "")

	// Nobody: after half an hour it begins again.
	w.passes(90 * time.Minute)
	w.hears("resident")
	w.quiet()
	w.passes(5 * time.Minute)
	w.hears("kin")
	w.hears("chair", "1组1号")
	w.answers("chair", "h1", alerts.Response{Action: alerts.Acknowledge})
	for _, who := range []string{"deputy", "care", "town", "county", "kin"} {
		w.hears(who)
	}
	w.quiet()
	w.passes(20 * time.Minute)
	w.answers("chair", "h1", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.Emergency, HandedTo: "120"})
	w.stands("h1", alerts.Closed, alerts.Emergency)
	w.passes(30 * day)
	w.quiet()
}

func TestWhenNobodyAnswersAtAllTheOperatorHearsDayByDay(t *testing.T) {
	w := newTown(t)
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Red))
	w.passes(8 * time.Hour) // three rounds
	w.hears("operator/v1", "1组1号")
	w.inbox = nil
	w.stands("h1", alerts.Calling, "")
	for range 3 {
		w.passes(day)
		w.hears("operator/v1")
		w.quiet()
		w.audited()
	}
	w.answers("county", "h1", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.WasAway})
	w.stands("h1", alerts.Closed, alerts.WasAway)
}

func TestWhoSaysThatSheGoesAndIsNotHeardOfIsRemindedAndThenTheNextIsCalled(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Orange))
	w.hears("chair")
	w.answers("chair", "h1", alerts.Response{Action: alerts.Acknowledge})
	w.quiet()
	w.passes(4 * time.Hour)
	w.hears("chair", "1组1号") // the reminder
	w.quiet()
	w.passes(2 * time.Hour)
	w.hears("deputy", "1组1号")
	w.hears("care")
	w.quiet()
	w.stands("h1", alerts.Calling, "")
}

func TestWhoCannotPassesItOnAtOnce(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Orange))
	w.hears("chair")
	w.answers("chair", "h1", alerts.Response{Action: alerts.Pass})
	w.hears("deputy")
	w.hears("care")
	w.quiet()
	w.answers("deputy", "h1", alerts.Response{Action: alerts.Pass})
	w.quiet() // the care team may still answer
	w.answers("care", "h1", alerts.Response{Action: alerts.Acknowledge})
	w.stands("h1", alerts.Held, "")
}

func TestAWrongNumberMovesOnAtOnceAndIsNotUsedAgain(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	w.dead["1380000chair"] = true
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Orange))
	w.hears("deputy", "1组1号")
	w.hears("care")
	w.quiet()
	w.stands("h1", alerts.Calling, "")
}

func TestTheResidentSaysThatSheIsWell(t *testing.T) {
	w := newTown(t)
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Red))
	w.hears("resident")
	w.answers("resident", "h1", alerts.Response{Action: alerts.IAmWell})
	w.stands("h1", alerts.Closed, alerts.FalseCall)
	w.passes(day)
	w.quiet()
}

func TestTheResidentAsksForHelp(t *testing.T) {
	w := newTown(t)
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Red))
	w.hears("resident")
	w.answers("resident", "h1", alerts.Response{Action: alerts.INeedHelp})
	w.hears("chair", "1组1号")
	w.hears("kin")
	w.quiet()
}

// What is broken she may not know of: on a hot day the chair goes all the same.
func TestThatTheResidentIsWellDoesNotMendAnAirConditioner(t *testing.T) {
	w := newTown(t)
	w.detectors(w.finding("h1", detectors.Shortfall, detectors.Red))
	w.hears("resident")
	w.answers("resident", "h1", alerts.Response{Action: alerts.IAmWell})
	w.hears("chair", "1组1号")
	w.hears("kin")
	w.quiet()
	w.stands("h1", alerts.Calling, "")
}

func TestAtNightOnlyRedRings(t *testing.T) {
	w := newTown(t)
	w.at("23:00")
	w.detectors(w.finding("h2", detectors.NoSignOfLife, detectors.Orange), w.finding("h3", detectors.Decline, detectors.Yellow))
	w.quiet()
	w.at("06:59")
	w.quiet()
	w.at("07:00")
	w.hears("chair", "1组2号")
	w.quiet()
	w.answers("chair", "h2", alerts.Response{Action: alerts.Acknowledge})
	w.at("09:00")
	w.hears("chair", "1组3号")
	w.quiet()
}

func TestWhatIsOverBeforeAnybodyWasToldIsToldToNobody(t *testing.T) {
	w := newTown(t)
	w.at("23:00")
	f := w.finding("h2", detectors.NoSignOfLife, detectors.Orange)
	w.detectors(f)
	w.at("05:00")
	w.detectors(w.over(f, detectors.CauseLifeBack))
	w.stands("h2", alerts.Closed, alerts.Unasked)
	w.at("12:00")
	w.quiet()
}

func TestWhenLifeIsBackOneIsAskedOnceWhatItWas(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	f := w.finding("h1", detectors.NoSignOfLife, detectors.Orange)
	w.detectors(f)
	w.hears("chair")
	w.passes(2 * time.Hour)
	w.hears("deputy")
	w.hears("care")
	w.detectors(w.over(f, detectors.CauseLifeBack))
	if m := w.hears("chair"); m.Purpose != alerts.ToAsk || len(m.Answers) == 0 {
		t.Errorf("the chair is told %q with %d answers, want to be asked", m.Purpose, len(m.Answers))
	}
	w.hears("deputy", "又有动静了")
	w.hears("care", "又有动静了")
	w.quiet()
	w.stands("h1", alerts.Asking, "")
	w.passes(3 * day)
	w.quiet() // nobody is asked twice
	w.stands("h1", alerts.Closed, alerts.Unanswered)
	// Late is better than never.
	w.answers("chair", "h1", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.AtFamily})
	w.stands("h1", alerts.Closed, alerts.AtFamily)
}

func TestAwayFromTheMessageReachesTheDetectors(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Orange))
	w.hears("chair")
	w.answers("chair", "h1", alerts.Response{Action: alerts.SayAway, Until: w.now.Add(5 * day)})
	w.stands("h1", alerts.Closed, alerts.WasAway)
	d := w.directives()
	if len(d) != 1 || !strings.Contains(d[0], `"kind":"away"`) || !strings.Contains(d[0], `"until":"2026-07-17T02:00:00Z"`) {
		t.Errorf("the detectors were told %v", d)
	}
}

func TestWhoIsOffDutyIsStoodInFor(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	w.person("chair", func(p *roster.Person) {
		p.StandIn, p.Leaves = "deputy", []roster.Leave{{From: w.now.Add(-day), Until: w.now.Add(day)}}
	})
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Orange))
	w.hears("deputy", "1组1号")
	w.quiet()
}

func TestWhoIsOffDutyWithoutStandInIsPassedOverButNotForRed(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	off := func(p *roster.Person) { p.Leaves = []roster.Leave{{From: w.now.Add(-day), Until: w.now.Add(day)}} }
	w.person("chair", off)
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Orange))
	w.hears("deputy")
	w.hears("care")
	w.quiet()
	w.detectors(w.finding("h2", detectors.NoSignOfLife, detectors.Red)) // nobody but officials
	w.hears("chair", "1组2号")
	w.quiet()
}

func TestTwoHomesAreTwoMessagesAndYellowOnesAreOne(t *testing.T) {
	w := newTown(t)
	w.at("09:30")
	w.detectors(w.finding("h2", detectors.NoSignOfLife, detectors.Orange), w.finding("h3", detectors.NoSignOfLife, detectors.Orange))
	w.hears("chair", "1组2号")
	w.hears("chair", "1组3号")
	w.quiet()
	w.detectors(w.finding("h4", detectors.Decline, detectors.Yellow))
	w.passes(time.Hour)
	w.detectors(w.finding("h5", detectors.Decline, detectors.Yellow))
	w.quiet()
	w.at("16:00")
	if m := w.inbox; len(m) == 0 || len(m[0].Alerts) != 2 {
		t.Fatalf("the chair hears %s, want one message of two homes", w.heard())
	}
	w.hears("chair", "1组4号", "1组5号")
	w.inbox = w.inbox[:0] // the deputy, of what the chair has not answered since morning
}

func TestAnOutageSilencesItsHomesAndWhoIsNotBackIsTold(t *testing.T) {
	w := newTown(t)
	w.at("18:00")
	dark := w.area(detectors.AreaDark, detectors.Orange)
	w.detectors(dark)
	w.hears("chair", "停电")
	w.passes(30 * time.Minute)
	home := w.finding("h2", detectors.NoSignOfLife, detectors.Orange)
	home.Onset = dark.Onset
	home.Episode = home.Onset.Unix() / 900
	w.detectors(home)
	w.quiet()
	w.stands("h2", alerts.Noted, "")
	w.passes(time.Hour)
	back := w.over(dark, detectors.CausePowerBack)
	w.detectors(back)
	w.hears("chair")
	w.quiet()
	w.passes(time.Hour) // looked at again: power is back, the home is not
	w.hears("chair", "1组2号")
	w.quiet()
}

func TestAStormOfFiveHundredFindingsDoesNotRingFiveHundredTimes(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	var storm []*detectors.Finding
	for i := range 500 {
		f := w.finding(fmt.Sprintf("h%d", i+2), detectors.NoSignOfLife, detectors.Orange)
		if i >= 39 {
			f.HouseholdID = fmt.Sprintf("h%d", i%39+2) // and again, of other mornings
			f.Episode += int64(i)
			f.Onset = f.Onset.Add(time.Duration(i) * 15 * time.Minute)
		}
		storm = append(storm, f)
	}
	for i := range storm {
		if i%10 == 0 {
			w.passes(time.Minute / 50)
		}
		w.detectors(storm[i])
	}
	w.passes(time.Minute)
	rings := 0
	for _, m := range w.inbox {
		if m.To.PersonID == "chair" {
			rings++
		}
	}
	if rings == 0 || rings > 5 {
		t.Errorf("the chair's phone rang %d times in two minutes", rings)
	}
	// Nobody is lost in it: every home with an open alert stands in some message.
	told := map[string]bool{}
	for _, m := range w.inbox {
		told[m.AlertID] = true
		for _, id := range m.Alerts {
			told[id] = true
		}
	}
	open, err := w.db.OpenAlerts(t.Context())
	w.must(err)
	if len(open) != 39 {
		t.Errorf("%d open alerts, want one for each of 39 homes", len(open))
	}
	for _, a := range open {
		if !told[a.ID] {
			t.Errorf("%s was told to nobody", a.ID)
		}
	}
	w.audited()
}

func TestBeyondTheDailyNumberYellowWaitsForTheDigest(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	for i := 2; i <= 4; i++ { // three messages
		w.detectors(w.finding(fmt.Sprintf("h%d", i), detectors.NoSignOfLife, detectors.Orange))
		w.hears("chair")
		w.answers("chair", fmt.Sprintf("h%d", i), alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.FalseCall})
		w.passes(10 * time.Minute)
	}
	w.detectors(w.finding("h5", detectors.Decline, detectors.Yellow))
	w.at("20:00")
	w.quiet() // 16:00 has passed
	w.detectors(w.finding("h6", detectors.NoSignOfLife, detectors.Red))
	w.hears("chair", "1组6号") // never held back
	w.answers("chair", "h6", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.FalseCall})
	w.at("08:00")
	if m := w.hears("chair", "1组5号"); !m.Digest {
		t.Error("it is not the digest")
	}
	w.quiet()
	w.stands("h5", alerts.Calling, "")
}

func TestWhatComesBackSoonIsNotToldAgainUnlessItIsGrave(t *testing.T) {
	w := newTown(t)
	w.at("09:00")
	f := w.finding("h2", detectors.Decline, detectors.Yellow)
	w.detectors(f)
	w.hears("chair")
	w.detectors(w.over(f, detectors.CauseUsualBack))
	w.inbox = nil
	w.passes(time.Hour)
	again := w.finding("h2", detectors.Decline, detectors.Yellow)
	again.Onset = w.now.Add(-time.Minute)
	again.Episode = f.Episode + 30
	w.detectors(again)
	w.passes(2*time.Hour + 59*time.Minute)
	w.stands("h2", alerts.Noted, "")
	w.quiet()
	w.at("16:00")
	w.stands("h2", alerts.Calling, "")
	w.hears("chair") // it has lasted
	w.quiet()
}

// Two alerts of a home one after the other are one matter: the day to look again
// is kept.
func TestANewAlertGoesOnWithAnUnclosedOne(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	f := w.finding("h1", detectors.Shortfall, detectors.Orange)
	w.detectors(f)
	w.hears("chair")
	friday := w.now.Add(5 * day)
	w.answers("chair", "h1", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.Appliance, HandedTo: "物业", FollowUp: friday})
	w.passes(day)
	w.detectors(w.over(f, detectors.CauseUsualBack))
	w.passes(day)
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Orange))
	w.hears("chair", "一直没有动静")
	w.answers("chair", "h1", alerts.Response{Action: alerts.SayOutcome, Outcome: alerts.FalseCall})
	w.stands("h1", alerts.InHand, alerts.FalseCall)
	w.passes(4 * day)
	if m := w.hears("chair"); m.Purpose != alerts.ToFollowUp {
		t.Errorf("the chair is told %q, want to look again", m.Purpose)
	}
}

func TestAGraverColourIsToldToWhoSeesToIt(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	f := w.finding("h1", detectors.NoSignOfLife, detectors.Orange)
	w.detectors(f)
	w.hears("chair")
	w.answers("chair", "h1", alerts.Response{Action: alerts.Acknowledge})
	w.passes(time.Hour)
	w.detectors(w.graver(f, detectors.Red))
	w.hears("chair", "情况更要紧了")
	w.quiet()
	w.stands("h1", alerts.Held, "")
}

// person changes somebody in the roster.
func (w *town) person(id string, change func(*roster.Person)) {
	w.t.Helper()
	w.must(w.db.ChangePerson(w.t.Context(), id, change))
}

// area is a notice about the homes' area.
func (w *town) area(kind detectors.Kind, s detectors.Severity) *detectors.Finding {
	f := w.finding("h1", kind, s)
	f.HouseholdID, f.MeterID, f.Onset = "", "", w.now.Add(-30*time.Minute)
	f.Reason = detectors.Reason{Cause: detectors.CauseOutage, Homes: 38, OfHomes: 40}
	f.Episode = f.Onset.Unix() / 900
	return f
}

func TestTheOutcomesOfADayAreItsQuality(t *testing.T) {
	w := newTown(t)
	w.at("10:00")
	for i, o := range []alerts.Outcome{alerts.Appliance, alerts.FalseCall, alerts.WasAway} {
		home := fmt.Sprintf("h%d", i+2)
		w.detectors(w.finding(home, detectors.Shortfall, detectors.Orange))
		w.answers("chair", home, alerts.Response{Action: alerts.SayOutcome, Outcome: o})
	}
	w.detectors(w.finding("h9", detectors.Shortfall, detectors.Blue)) // on the page only
	turned, err := w.db.Turned(t.Context(), w.now.Add(-day), w.now.Add(day))
	w.must(err)
	all := alerts.Qualities(turned)
	if q := all[0]; q.Told != 3 || q.Real != 1 || q.False != 1 || q.Harmless != 1 {
		t.Errorf("the day: %+v", q)
	}
	if q := all[2]; q.Village != "湾底村" || q.Kind != detectors.Shortfall {
		t.Errorf("the village: %+v", q)
	}
}

// The loop that does what is due sleeps while nothing is.
func TestTheLoopSleepsWhileNothingIsDue(t *testing.T) {
	w := newTown(t)
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Red))
	looks := &counting{Store: w.db}
	service := w.serve(looks)
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	if err := service.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run ended with %v", err)
	}
	if n := looks.n.Load(); n == 0 || n > 3 {
		t.Errorf("it looked %d times in 300 ms in which nothing was due", n)
	}
}

// counting counts transactions.
type counting struct {
	alerts.Store
	n atomic.Int64
}

func (c *counting) Update(ctx context.Context, fn func(alerts.Tx) error) error {
	c.n.Add(1)
	return c.Store.Update(ctx, fn)
}

func TestADigitBySMSAnswersWhatWasAskedLast(t *testing.T) {
	w := newTown(t)
	w.detectors(w.finding("h1", detectors.NoSignOfLife, detectors.Red))
	if m := w.hears("resident"); m.Short == nil || len([]rune(m.Short.Text)) > 70 || len(m.Answers) != 2 {
		t.Fatalf("the resident's message: %+v", m)
	}
	for _, said := range []string{"在的", "12", "9", "0", ""} {
		if _, err := w.service.RespondByKey(t.Context(), alerts.Keyed{People: []string{"resident"}, Said: said, Via: anSMS}); !errors.Is(err, alerts.ErrNoCode) {
			t.Errorf("%q is taken for an answer (%v)", said, err)
		}
	}
	if _, err := w.service.RespondByKey(t.Context(), alerts.Keyed{People: []string{"nobody", "resident"}, Said: " １。谢谢", Via: anSMS}); err != nil {
		t.Fatal(err)
	}
	w.stands("h1", alerts.Closed, alerts.FalseCall)
	// Once.
	if _, err := w.service.RespondByKey(t.Context(), alerts.Keyed{People: []string{"resident"}, Said: "2", Via: anSMS}); !errors.Is(err, alerts.ErrNoCode) {
		t.Errorf("a second answer: %v", err)
	}
}

// Who has taken an alert from the page, before anybody was told, hears of its end.
func TestWhoSawItOnThePageHearsOfTheEnd(t *testing.T) {
	w := newTown(t)
	w.at("23:00")
	f := w.finding("h2", detectors.NoSignOfLife, detectors.Orange)
	w.detectors(f)
	w.answers("chair", "h2", alerts.Response{Action: alerts.Acknowledge})
	w.passes(30 * time.Minute)
	w.detectors(w.over(f, detectors.CauseLifeBack))
	w.quiet() // it is night
	w.at("07:00")
	if m := w.hears("chair"); m.Purpose != alerts.ToAsk {
		t.Errorf("she is told %q, want to be asked what it was", m.Purpose)
	}
	w.quiet()
}
