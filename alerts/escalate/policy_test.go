package escalate_test

import (
	"strings"
	"testing"
	"time"

	"weimang/alerts/escalate"
	"weimang/alerts/roster"
	"weimang/detectors"
)

func TestTheDefaultIsForEveryOccasionAtEveryHour(t *testing.T) {
	p := escalate.Default()
	for hour := range 24 {
		at := time.Date(2026, 7, 12, hour, 30, 0, 0, time.UTC)
		for _, o := range []escalate.Occasion{escalate.Of(detectors.Red), escalate.Of(detectors.Orange), escalate.Of(detectors.Yellow), escalate.FollowUp} {
			if p.For(o, at) == nil {
				t.Errorf("none for %s at %s", o, at.Format("15:04"))
			}
		}
	}
	if red := p.For(escalate.Of(detectors.Red), time.Now()); !red.Terms.Quiet.Always() {
		t.Error("red has quiet hours; it rings at any hour")
	}
}

const whole = `
policies:
  - name: all
    for: [red, orange, yellow, follow-up]
    steps: [{tell: [chair], wait: 1h}]
    held: 1h
    reminded: 1h
`

func TestWhatIsWrongWithPoliciesIsSaidWithItsPlace(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a role that is none", "chair", "boss", `policy all, step 1: "boss" is not a role that can be called`},
		{"volunteers are not called", "chair", "volunteer", `"volunteer" is not a role`},
		{"a time that is none", "wait: 1h", "wait: soon", `policy all, step 1, wait: "soon" must be a time`},
		{"no time to answer", ", wait: 1h", "", "has no wait"},
		{"nobody", "[chair]", "[]", "tells nobody"},
		{"a gap", ", follow-up", "", "none is for follow-up at any hour"},
		{"an occasion that is none", "yellow", "purple", `"purple" is no occasion`},
		{"an unknown key", "held", "holds", "unknown field"},
		{"nothing after an acknowledgement", "    held: 1h\n", "", "give held and reminded"},
		{"rounds without a pause", "    held", "    rounds: 3\n    held", "begins 3 times, but again does not say"},
		{"quiet hours that are none", "    held", "    quiet: late\n    held", `quiet: "late" must read like`},
		{"only for some hours", "    held", "    hours: \"08:00-18:00\"\n    held", "none is for red at any hour"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(whole, c.old, c.new, 1)
			if _, err := escalate.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if _, err := escalate.Parse([]byte(whole)); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestOfTwoPoliciesTheFirstWhoseHoursHoldCounts(t *testing.T) {
	p, err := escalate.Parse([]byte(whole + strings.Replace(whole[len("\npolicies:\n"):], "name: all", "name: never", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.For(escalate.FollowUp, time.Now()).Name; got != "all" {
		t.Errorf("got %s", got)
	}
	night := strings.Replace(whole, "policies:\n", `policies:
  - name: night
    for: [red]
    hours: "22:00-06:00"
    steps: [{tell: [deputy], wait: 1h}]
    held: 1h
    reminded: 1h
`, 1)
	if p, err = escalate.Parse([]byte(night)); err != nil {
		t.Fatal(err)
	}
	for hour, want := range map[int]string{3: "night", 12: "all", 23: "night"} {
		if got := p.For("red", time.Date(2026, 7, 12, hour, 0, 0, 0, time.UTC)).Name; got != want {
			t.Errorf("at %d: %s, want %s", hour, got, want)
		}
	}
}

func TestAChainTellsNobodyTwice(t *testing.T) {
	p := escalate.Default()
	chain, err := p.For("red", time.Now()).Freeze("red", func(r roster.Role) ([]string, error) {
		switch r {
		case roster.Chair:
			return []string{"p1"}, nil
		case roster.CareTeam: // the chair is in it
			return []string{"p1", "p2"}, nil
		case roster.CountyDesk:
			return []string{"p2"}, nil
		default:
			return nil, nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(chain.Links) != 2 || len(chain.Links[1].Targets) != 1 || chain.Links[1].Targets[0] != (escalate.Target{PersonID: "p2", Role: roster.CareTeam}) {
		t.Errorf("links: %+v", chain.Links)
	}
	text, err := chain.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := escalate.Decode(text)
	if err != nil || back.Quiet != chain.Quiet || back.Held != chain.Held || len(back.Links) != 2 {
		t.Errorf("back: %+v (%v)", back, err)
	}
}

func TestWhenSomethingIsTold(t *testing.T) {
	hours := func(s string) roster.Hours {
		h, err := roster.ParseHours(s)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, c := range []struct {
		name     string
		terms    escalate.Terms
		at, want string
	}{
		{"at once", escalate.Terms{}, "12 03:00", "12 03:00"},
		{"when the night is over", escalate.Terms{Quiet: hours("21:00-07:00")}, "12 23:10", "13 07:00"},
		{"by day at once", escalate.Terms{Quiet: hours("21:00-07:00")}, "12 20:59", "12 20:59"},
		{"at the next slot", escalate.Terms{Slots: []int{540, 960}}, "12 10:00", "12 16:00"},
		{"tomorrow's first slot", escalate.Terms{Slots: []int{540, 960}}, "12 16:01", "13 09:00"},
		{"a slot at which nobody may be called is none", escalate.Terms{Slots: []int{120}, Quiet: hours("21:00-07:00")}, "12 10:00", "13 07:00"},
		{"on Monday", escalate.Terms{Quiet: hours("sat,sun 00:00-24:00")}, "11 10:00", "13 00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.ParseInLocation("2006-01 02 15:04", "2026-07 "+c.at, time.FixedZone("", 8*3600))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.terms.Due(at).Format("02 15:04"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
