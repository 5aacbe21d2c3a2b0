package escalate_test

import (
	"testing"
	"time"

	"weimang/alerts/escalate"
)

func TestAChainsMoves(t *testing.T) {
	now := time.Date(2026, 7, 12, 10, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	two := escalate.Chain{
		Links: []escalate.Link{{Wait: 15 * time.Minute}, {Wait: 30 * time.Minute}},
		Terms: escalate.Terms{Again: time.Hour, Rounds: 2},
	}
	once := two
	once.Rounds, once.Again = 0, 0
	immediate := escalate.Chain{Links: []escalate.Link{{}}}
	told := escalate.Heard{Told: 2}
	for _, c := range []struct {
		name  string
		chain escalate.Chain
		at    escalate.Place
		heard escalate.Heard
		move  escalate.Move
		why   escalate.Reason
		until time.Duration // from now; 0: none
	}{
		{"nobody has been told", two, escalate.Place{Link: -1}, escalate.Heard{}, escalate.Next, escalate.Opened, 0},
		{"there is time left", two, escalate.Place{Since: ago(5 * time.Minute)}, told, escalate.Stay, escalate.InTime, 10 * time.Minute},
		{"the time is up", two, escalate.Place{Since: ago(15 * time.Minute)}, told, escalate.Next, escalate.NoAnswer, 0},
		{"one cannot, one may yet answer", two, escalate.Place{Since: now}, escalate.Heard{Told: 2, Declined: 1}, escalate.Stay, escalate.InTime, 15 * time.Minute},
		{"none can", two, escalate.Place{Since: now}, escalate.Heard{Told: 2, Declined: 2}, escalate.Next, escalate.Declined, 0},
		{"nobody is reached", two, escalate.Place{Since: now}, escalate.Heard{Told: 2, Unreachable: 2}, escalate.Next, escalate.Undelivered, 0},
		{"one cannot, the other is not reached", two, escalate.Place{Since: now}, escalate.Heard{Told: 2, Unreachable: 1, Declined: 1}, escalate.Next, escalate.Declined, 0},
		{"all are off duty", two, escalate.Place{Since: now}, escalate.Heard{Told: 2, Off: 2}, escalate.Next, escalate.OffDuty, 0},
		{"the end", two, escalate.Place{Link: 1, Since: ago(time.Hour)}, told, escalate.Rest, escalate.NoAnswer, time.Hour},
		{"it rests", two, escalate.Place{Link: 1, Since: ago(time.Minute), Rests: true}, told, escalate.Rest, escalate.Waiting, 59 * time.Minute},
		{"it begins again", two, escalate.Place{Link: 1, Since: ago(time.Hour), Rests: true}, told, escalate.Again, escalate.NoAnswer, 0},
		{"the last round ends", two, escalate.Place{Link: 1, Round: 1, Since: ago(time.Hour)}, told, escalate.Warn, escalate.NoAnswer, 0},
		{"the operator has been told today", two, escalate.Place{Link: 1, Round: 1, Since: ago(time.Hour), Rests: true}, told, escalate.Rest, escalate.Waiting, 23 * time.Hour},
		{"the operator is told day by day", two, escalate.Place{Link: 1, Round: 1, Since: ago(24 * time.Hour), Rests: true}, told, escalate.Warn, escalate.NoAnswer, 0},
		{"one round only", once, escalate.Place{Link: 1, Since: ago(time.Hour)}, told, escalate.Warn, escalate.NoAnswer, 0},
		{"there is nobody at all", escalate.Chain{}, escalate.Place{Link: -1}, escalate.Heard{}, escalate.Warn, escalate.Ended, 0},
		{"nobody is waited for", immediate, escalate.Place{Since: ago(time.Hour)}, told, escalate.Stay, escalate.InTime, 0},
		{"nobody is waited for, and nobody is reached", immediate, escalate.Place{Since: now}, escalate.Heard{Told: 1, Unreachable: 1}, escalate.Warn, escalate.Undelivered, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			move, why, until := c.chain.Decide(c.at, c.heard, now)
			want := time.Time{}
			if c.until > 0 {
				want = now.Add(c.until)
			}
			if move != c.move || why != c.why || !until.Equal(want) {
				t.Errorf("%s (%s) until %s, want %s (%s) until %s", move, why, until, c.move, c.why, want)
			}
		})
	}
}

// Whatever becomes of those who are told, a chain comes to an end, and after
// that there is always a next time.
func TestAChainAlwaysHasANextTime(t *testing.T) {
	for links := range 4 {
		for rounds := range 3 {
			for _, heard := range []escalate.Heard{{Told: 1}, {Told: 1, Unreachable: 1}, {Told: 1, Off: 1}, {Told: 2, Declined: 1}} {
				c := escalate.Chain{Terms: escalate.Terms{Again: time.Hour, Rounds: rounds}}
				for range links {
					c.Links = append(c.Links, escalate.Link{Wait: time.Minute})
				}
				now := time.Unix(0, 0)
				at := escalate.Place{Link: -1}
				warned := 0
				for steps := 0; warned < 3; steps++ {
					if steps > 100 {
						t.Fatalf("%d links, %d rounds, %+v: no end", links, rounds, heard)
					}
					move, _, until := c.Decide(at, heard, now)
					switch move {
					case escalate.Stay, escalate.Rest:
						if !until.After(now) {
							t.Fatalf("%d links, %d rounds, %+v: waits until %s, which is past", links, rounds, heard, until)
						}
						if move == escalate.Rest && !at.Rests {
							at.Rests, at.Since = true, now
						}
						now = until
					case escalate.Next:
						at.Link, at.Since = at.Link+1, now
					case escalate.Again:
						at = escalate.Place{Link: -1, Round: at.Round + 1}
					case escalate.Warn:
						warned++
						at.Rests, at.Since = true, now
					}
				}
			}
		}
	}
}
