package detectors

import "slices"

// episode is the one open matter of a home, or the last one closed. Kind and
// severity are the strongest reached: they fall only by resolution.
type episode struct {
	Open     bool
	Kind     uint8  // position in Kinds
	Also     uint16 // bit per position in signalKinds of the other signals
	EndCause uint8  // position in Causes
	Warmup   bool
	First    tick // when it opened, event time
	End      tick
	Calm     tick // since when nothing has spoken any more, 0: something does
	signal
}

// code is the position of a kind or cause in its closed set: states hold
// codes, so that they are plain values of fixed size.
func code[T comparable](set []T, v T) uint8 { return uint8(slices.Index(set, v)) }

// arbitrate makes one matter of what the detectors say: the strongest reason
// first, and a new kind only with a higher severity, so that nothing flaps.
func (st *homeState) arbitrate(end tick, fullDays float64) {
	strongest, also := -1, uint16(0)
	for i := range st.Signals {
		s := &st.Signals[i]
		if s.Severity == 0 {
			continue
		}
		also |= 1 << i
		if strongest < 0 || s.Severity > st.Signals[strongest].Severity {
			strongest = i
		}
	}
	ep := &st.Episode
	// A slow change neither keeps open what came on top of it, nor is it hidden
	// by that for good.
	speaks := strongest >= 0 && (strongest != sigDecline || Kinds[ep.Kind] == Decline)
	switch {
	case speaks:
		ep.Calm = 0
	case ep.Open && ep.Calm == 0:
		ep.Calm = end
	}
	switch {
	case !speaks && ep.Open:
		if lived(Kinds[ep.Kind]) && end-ep.Calm < calmFor {
			return // a kettle may be the last that is heard
		}
		ep.Open, ep.End = false, ep.Calm
		ep.EndCause = code(Causes, endCause(Kinds[ep.Kind]))
	case strongest < 0:
	case !ep.Open && strongest == sigDecline && st.Slow.Told:
	case ep.Open && Kinds[ep.Kind] == SilentMeter && st.Signals[sigSilent].Severity == 0:
		// Heard again; whatever else is the matter is a matter of its own.
		ep.Open, ep.End = false, end
		ep.EndCause = code(Causes, endCause(SilentMeter))
	case !ep.Open || st.Signals[strongest].Severity > ep.Severity:
		first, onset := end, st.Signals[strongest].Onset
		if ep.Open {
			first, onset = ep.First, min(onset, ep.Onset)
		}
		*ep = episode{
			Open: true, Kind: code(Kinds, signalKinds[strongest]), Also: also &^ (1 << strongest),
			First: first, Warmup: float64(st.Habits.Days) < fullDays, signal: st.Signals[strongest],
		}
		ep.Onset = onset
		st.Slow.Told = st.Slow.Told || strongest == sigDecline
	}
}

// calmFor is how long nothing must speak before a matter is closed, so that
// what comes right after it is the same matter.
const calmFor = ticksAnHour

// endCause is why an episode of a kind ends when its signals cease.
func endCause(k Kind) Cause {
	switch k {
	case NoSignOfLife:
		return CauseLifeBack
	case NotBack, AreaDark:
		return CausePowerBack
	case Announced:
		return CauseOver
	case SilentMeter, Impossible:
		return CauseDataBack
	default:
		return CauseUsualBack
	}
}

// published is what the world has been told of an episode.
type published struct {
	Open     bool
	Pushed   bool // some transition of it left the page
	Severity Severity
	Kind     uint8 // position in Kinds
	Seq      uint16
	Number   int64 // of the last episode published
	Onset    tick
}

// next decides what the world must hear: the difference between what is true
// now and what was said. Evidence whose episode has already ended opens
// nothing; what was said and is no longer so is taken back once.
func (pub *published) next(ep *episode) (State, Cause, bool) {
	switch {
	case ep.Open && !pub.Open:
		*pub = published{
			Open: true, Number: max(int64(ep.Onset), pub.Number+1),
			Severity: ep.Severity, Kind: ep.Kind, Seq: 1, Onset: ep.Onset,
		}
		return Open, ep.cause(), true
	case ep.Open && ep.Severity > pub.Severity:
		pub.Severity, pub.Kind = ep.Severity, ep.Kind
		pub.Seq++
		return Update, ep.cause(), true
	case !ep.Open && pub.Open:
		pub.Open = false
		pub.Seq++
		if ep.End > pub.Onset {
			return Resolved, Causes[ep.EndCause], true
		}
		return Resolved, CauseCorrection, true
	default:
		return "", "", false
	}
}

func (s *signal) cause() Cause { return Causes[s.Cause] }
