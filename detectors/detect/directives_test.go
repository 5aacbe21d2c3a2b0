package detect

import (
	"slices"
	"testing"
	"time"

	"weimang/detectors"
	"weimang/ingest"
)

// What people said survives restarts and deaths as the rest of the state does;
// a repeat changes nothing, and of two revisions the one said later counts.
func TestWhatPeopleSaidSurvivesARestart(t *testing.T) {
	plain := silentHomes(5)
	k := slices.IndexFunc(plain, func(in ingest.Input) bool { return in.Clock.Day() == 17 }) // as the silence begins
	clock := plain[k].Clock
	day := func(n int) time.Time { return time.Date(2026, 3, 2+n, 0, 0, 0, 0, time.UTC) }
	away := func(area, household, id string, until time.Time, issued time.Duration) ingest.Input {
		return ingest.Input{AreaID: area, Clock: clock, Directive: &ingest.Directive{
			ID: id, HouseholdID: household, Kind: ingest.Away, From: day(15), Until: until, IssuedAt: clock.Add(issued),
		}}
	}
	stays := away("tq-0", "h-0-0", "d0", day(18), -time.Hour)
	takenBack := away("tq-1", "h-1-0", "d1", day(15), -time.Minute)
	once := slices.Concat(plain[:k], []ingest.Input{stays, takenBack}, plain[k:])
	want := undisturbed(t, once)
	about := func(household string, findings map[string]detectors.Finding) (n int) {
		for _, f := range findings {
			if f.HouseholdID == household && f.DecidedAt.After(clock) {
				n++
			}
		}
		return n
	}
	if about("h-0-0", want) != 0 || about("h-1-0", want) == 0 || about("h-2-0", want) == 0 {
		t.Fatalf("the log shows nothing: %d findings of the home that is away, %d of the one that is not", about("h-0-0", want), about("h-1-0", want))
	}

	said := []ingest.Input{
		stays, stays,
		takenBack,
		away("tq-1", "h-1-0", "d1", day(18), -2*time.Hour), // said before, comes after
	}
	for name, dies := range map[string]bool{"an orderly stop": false, "a death": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			half := len(plain) * 31 / 40 // in the middle of the silence
			for _, part := range [][]ingest.Input{slices.Concat(plain[:k], said[:3]), said, plain[k:half], plain[half:]} {
				svc, stop := s.member(nil)
				svc.dies = dies
				s.append(part)
				s.waitCaught(svc)
				stop()
			}
			s.expect(want)
		})
	}
}
