package message

import (
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"weimang/alerts"
	"weimang/alerts/roster"
	"weimang/detectors"
)

// What templates may ask about how an alert stands, and of whom it is about.

func (x *facts) HasName() bool    { return x.n.Name != "" }
func (x *facts) Name() string     { return x.n.Name }
func (x *facts) HasAddress() bool { return x.n.Address != "" }
func (x *facts) Address() string  { return x.n.Address }

// ElderFirst is Elder as a sentence begins.
func (x *facts) ElderFirst() string { return capital(x.Elder()) }

// capital is a word as the first of a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// Elder is how kin hear of who lives there.
func (x *facts) Elder() string {
	if x.HasName() {
		return x.n.Name
	}
	return x.l.people.Elder
}

// Place is the village, or a word for it.
func (x *facts) Place() string {
	if x.HasVillage() {
		return x.n.Village
	}
	return x.l.people.Place
}

// Begin is since when it is unlike usual; of an announcement, when it begins.
func (x *facts) Begin() (string, error) { return x.when(x.begin(), "beginning") }

func (x *facts) begin() time.Time {
	if x.f.Kind == detectors.Announced && x.HasFrom() {
		return x.f.Reason.From
	}
	return x.f.Onset
}

// Day is the day on which it began, by its date where that is days ago.
func (x *facts) Day() (string, error) {
	t := x.f.Onset.In(x.n.Zone)
	if t.IsZero() {
		return "", x.missing("day")
	}
	if t.Hour() == 0 && t.Minute() == 0 {
		t = t.Add(-time.Minute) // midnight belongs to the evening before
	}
	if purpose(&x.n) == alerts.ToFollowUp {
		return x.l.tell.date(t, x.n.Now.In(x.n.Zone)), nil
	}
	return x.l.tell.day(t, x.n.Now.In(x.n.Zone)), nil
}

func (x *facts) HasWaited() bool { return x.n.Waited > 0 }

func (x *facts) Waited() (string, error) {
	if !x.HasWaited() {
		return "", x.missing("time waited")
	}
	return x.l.tell.waited(x.n.Waited), nil
}

func (x *facts) HasHeld() bool         { return !x.n.HeldSince.IsZero() }
func (x *facts) Held() (string, error) { return x.when(x.n.HeldSince, "beginning of her task") }

// Well: the resident herself has said that all is well.
func (x *facts) Well() bool {
	return x.n.Holder == roster.Resident && (x.n.Outcome == "" || x.n.Outcome == alerts.FalseCall)
}

func (x *facts) HasHolder() bool         { return x.n.Holder != "" }
func (x *facts) Holder() (string, error) { return x.name(x.l.answers.Roles[x.n.Holder], "role") }
func (x *facts) StandsIn() (string, error) {
	return x.name(x.l.answers.Roles[x.n.StandsIn], "role")
}

// HasOutcome: somebody has said what it was.
func (x *facts) HasOutcome() bool { return slices.Contains(alerts.Outcomes, x.n.Outcome) }

func (x *facts) Outcome() (string, error) {
	return x.name(x.l.answers.Outcomes[x.n.Outcome].Name, "outcome")
}
func (x *facts) HasHandedTo() bool { return x.n.HandedTo != "" }
func (x *facts) HandedTo() string  { return x.n.HandedTo }

// Back: things are as usual again, or were so all the time.
func (x *facts) Back() bool {
	switch x.f.Reason.Cause {
	case detectors.CauseLifeBack, detectors.CauseUsualBack, detectors.CausePowerBack, detectors.CauseCorrection:
		return x.f.State == detectors.Resolved
	}
	return false
}

// Gentle is the finding as kin hear it.
func (x *facts) Gentle() (string, error) { return x.write(x.l.people.Gentle[x.f.Kind]) }

// KinCall is what kin are asked to do first.
func (x *facts) KinCall() (string, error) {
	return x.name(x.l.people.KinCall[x.severity()], "first step")
}

// Note is what a resident is told beside the question how she is; mostly
// nothing.
func (x *facts) Note() (string, error) { return x.write(x.l.people.Notes[x.f.Kind]) }

// Choices are the answers that can be given, with their numbers.
func (x *facts) Choices() []string {
	words := make([]string, 0, len(x.n.Answers))
	for _, a := range x.n.Answers {
		words = append(words, x.answer(a))
	}
	return words
}

func (x *facts) answer(a alerts.Action) string { return x.l.answer(x.n, a) }
