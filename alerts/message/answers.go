package message

import (
	"slices"
	"strconv"
	"strings"

	"weimang/alerts"
	"weimang/alerts/escalate"
	"weimang/alerts/roster"
)

// answers is the shape of the file of what people answer: the words on buttons
// and of the pages behind links.
type answers struct {
	Words    map[audience]map[alerts.Action]string `yaml:"words"`
	Reminded map[alerts.Action]string              `yaml:"reminded"` // instead, to who is reminded
	Roles    map[roster.Role]string                `yaml:"roles"`
	Outcomes map[alerts.Outcome]OutcomeWords       `yaml:"outcomes"`
	Events   map[alerts.EventKind]string           `yaml:"events"`
	Stages   map[alerts.Stage]string               `yaml:"stages"`
	Silences map[alerts.Silence]string             `yaml:"silences"`
	Reasons  map[escalate.Reason]string            `yaml:"reasons"`
	Pages    Pages                                 `yaml:"pages"`
}

// OutcomeWords are the words of an outcome.
type OutcomeWords struct {
	Name string `yaml:"name"`
	// Ask is what is asked next, such as to whom it was handed; "" is nothing.
	Ask string `yaml:"ask"`
}

// Pages are the words of the pages on which people answer.
type Pages struct {
	Questions map[alerts.Action]string `yaml:"questions"` // what a link of one answer asks
	Confirm   map[alerts.Action]string `yaml:"confirm"`   // the button below it
	Thanks    map[alerts.Action]string `yaml:"thanks"`    // after it
	Choose    string                   `yaml:"choose"`    // a link of several answers
	WhoAreYou string                   `yaml:"who-are-you"`
	Outcome   string                   `yaml:"outcome"` // asks what it was
	Until     string                   `yaml:"until"`   // asks until when
	LookAgain string                   `yaml:"look-again"`
	Never     string                   `yaml:"never"` // no day to look again
	Dates     []DateWords              `yaml:"dates"`
	OtherDate string                   `yaml:"other-date"`
	Note      string                   `yaml:"note"`
	Optional  string                   `yaml:"optional"`
	Send      string                   `yaml:"send"`
	Back      string                   `yaml:"back"`
	Expired   string                   `yaml:"expired"`
	Used      string                   `yaml:"used"`    // she herself has answered already
	Closed    string                   `yaml:"closed"`  // the case is over
	Unknown   string                   `yaml:"unknown"` // no link of ours
	NotYours  string                   `yaml:"not-yours"`
	Call      string                   `yaml:"call"`
	Answered  string                   `yaml:"answered"` // somebody else has; see Catalogue.Answered
}

// DateWords is a day that can be chosen.
type DateWords struct {
	Days int    `yaml:"days"` // from today; 0 is the end of today
	Name string `yaml:"name"`
}

// Answer implements alerts.Wording: "1 我去看看", with the answer's key; without
// one where the notice does not offer it.
func (c *Catalogue) Answer(lang roster.Lang, n alerts.Notice, a alerts.Action) string {
	return c.language(lang).answer(n, a)
}

func (l *language) answer(n alerts.Notice, a alerts.Action) string {
	word := l.answers.Words[official][a]
	if own := l.answers.Words[audienceOf(n.Role)][a]; own != "" {
		word = own
	}
	if own := l.answers.Reminded[a]; own != "" && n.Purpose == alerts.ToRemind && audienceOf(n.Role) == official {
		word = own
	}
	if i := slices.Index(n.Answers, a); i >= 0 {
		word = strconv.Itoa(i+1) + " " + word
	}
	return word
}

// Role is the name of a role; the role itself where it has none.
func (c *Catalogue) Role(lang roster.Lang, r roster.Role) string {
	return or(c.language(lang).answers.Roles[r], string(r))
}

// Outcome is the name of what an alert turned out to be.
func (c *Catalogue) Outcome(lang roster.Lang, o alerts.Outcome) string {
	return or(c.language(lang).answers.Outcomes[o].Name, string(o))
}

// AskFurther is what is asked of who has said an outcome; "" is nothing.
func (c *Catalogue) AskFurther(lang roster.Lang, o alerts.Outcome) string {
	return c.language(lang).answers.Outcomes[o].Ask
}

// Event is what happened to an alert, as a line of the page begins.
func (c *Catalogue) Event(lang roster.Lang, k alerts.EventKind) string {
	return or(c.language(lang).answers.Events[k], string(k))
}

// Stage is how a case stands.
func (c *Catalogue) Stage(lang roster.Lang, s alerts.Stage) string {
	return or(c.language(lang).answers.Stages[s], string(s))
}

// Silence is why nobody is told of an alert for now.
func (c *Catalogue) Silence(lang roster.Lang, why alerts.Silence) string {
	return or(c.language(lang).answers.Silences[why], string(why))
}

// Reason is why the chain went on to the next.
func (c *Catalogue) Reason(lang roster.Lang, why escalate.Reason) string {
	return or(c.language(lang).answers.Reasons[why], string(why))
}

// Pages are the words of the pages on which people answer. Its maps are shared:
// they are read only.
func (c *Catalogue) Pages(lang roster.Lang) Pages { return c.language(lang).answers.Pages }

// Answered says that somebody in a role has answered before.
func (c *Catalogue) Answered(lang roster.Lang, r roster.Role) string {
	return strings.ReplaceAll(c.language(lang).answers.Pages.Answered, "{role}", c.Role(lang, r))
}

func or(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}
