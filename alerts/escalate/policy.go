package escalate

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"weimang/alerts/roster"
	"weimang/detectors"
)

//go:embed default.yaml
var defaultYAML []byte

// Holder stands in a policy for whoever has said that she sees to the alert.
const Holder roster.Role = "holder"

// Occasion is what a policy is for: a colour, or FollowUp.
type Occasion string

// FollowUp is the day on which somebody wanted to look again.
const FollowUp Occasion = "follow-up"

// Of is the occasion of a severity.
func Of(s detectors.Severity) Occasion { return Occasion(s.String()) }

var occasions = []Occasion{Of(detectors.Red), Of(detectors.Orange), Of(detectors.Yellow), FollowUp}

// Policies are the rules of a site.
type Policies struct {
	// Digest is when in the day a summary tells what could wait, as minutes of
	// the day, and Daily is how many messages somebody gets on one day before
	// what is neither red nor orange waits for it. 0 is no limit.
	Digest int
	Daily  int
	// Burst is how many messages somebody gets within a minute before the rest
	// is put together in one. 0 is no limit.
	Burst int
	// Replayed: nobody reads it at the time of day at which it is written.
	Replayed bool
	list     []Policy
}

// Policy is who is called on some occasions.
type Policy struct {
	Name  string
	For   []Occasion
	Hours roster.Hours // in which the alert opens; zero: any
	Terms Terms
	Steps []Step
}

// Terms are the times of a chain.
type Terms struct {
	Quiet    roster.Hours  `json:"-"`                  // in which no phone rings; see Chain.Quiet
	Slots    []int         `json:"slots,omitempty"`    // minutes of the day at which it is told; none: at once
	Held     time.Duration `json:"held,omitempty"`     // from an acknowledgement to the reminder; 0: an acknowledgement needs no more
	Reminded time.Duration `json:"reminded,omitempty"` // from the reminder until the chain goes on
	Again    time.Duration `json:"again,omitempty"`    // from the end of the chain until it begins again
	Rounds   int           `json:"rounds,omitempty"`   // how often it begins; then the operator is told, day by day
	Asks     time.Duration `json:"asks,omitempty"`     // how long an answer is waited for after an alert is over by itself; 0: nobody is asked
}

// Step is one step of a policy.
type Step struct {
	Tell []roster.Role
	Via  []string // channels, the best first; none: as each person likes
	All  bool     // over every channel of Via at once
	Wait time.Duration
}

// file is the YAML of policies.
type file struct {
	Digest   string `yaml:"digest"`
	Daily    int    `yaml:"daily"`
	Burst    int    `yaml:"burst"`
	Policies []struct {
		Name     string     `yaml:"name"`
		For      []Occasion `yaml:"for"`
		Hours    string     `yaml:"hours"`
		Quiet    string     `yaml:"quiet"`
		Slots    []string   `yaml:"slots"`
		Held     string     `yaml:"held"`
		Reminded string     `yaml:"reminded"`
		Again    string     `yaml:"again"`
		Rounds   int        `yaml:"rounds"`
		Asks     string     `yaml:"asks"`
		Steps    []struct {
			Tell []roster.Role `yaml:"tell"`
			Via  []string      `yaml:"via"`
			All  bool          `yaml:"all"`
			Wait string        `yaml:"wait"`
		} `yaml:"steps"`
	} `yaml:"policies"`
}

// Default is the policy that comes with the program.
func Default() *Policies {
	p, err := Parse(defaultYAML)
	if err != nil {
		panic("the embedded policies do not parse: " + err.Error()) // a test rules it out
	}
	return p
}

// Immediate tells the chairs at once and waits for nobody: for a feed that is
// replayed, where nobody is there to answer.
func Immediate() *Policies {
	return &Policies{Replayed: true, list: []Policy{{Name: "immediate", For: occasions, Steps: []Step{{Tell: []roster.Role{roster.Chair}}}}}}
}

// DefaultText is the default policy as a site would write it.
func DefaultText() string { return string(defaultYAML) }

// Parse reads the YAML of policies and says everything that is wrong with it.
// Of several policies for an occasion the first whose hours hold counts.
func Parse(raw []byte) (*Policies, error) {
	var f file
	if err := yaml.UnmarshalWithOptions(raw, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	r := reader{}
	p := &Policies{Daily: f.Daily, Burst: f.Burst, Digest: r.clock("digest", f.Digest)}
	for i, in := range f.Policies {
		at := fmt.Sprintf("policies[%d]", i)
		if in.Name != "" {
			at = "policy " + in.Name
		}
		out := Policy{
			Name: in.Name, For: in.For, Hours: r.hours(at+", hours", in.Hours),
			Terms: Terms{
				Quiet: r.hours(at+", quiet", in.Quiet), Held: r.span(at+", held", in.Held), Reminded: r.span(at+", reminded", in.Reminded),
				Again: r.span(at+", again", in.Again), Rounds: in.Rounds, Asks: r.span(at+", asks", in.Asks),
			},
		}
		for _, s := range in.Slots {
			out.Terms.Slots = append(out.Terms.Slots, r.clock(at+", slots", s))
		}
		slices.Sort(out.Terms.Slots)
		for j, s := range in.Steps {
			at := fmt.Sprintf("%s, step %d", at, j+1)
			out.Steps = append(out.Steps, Step{Tell: s.Tell, Via: s.Via, All: s.All, Wait: r.span(at+", wait", s.Wait)})
			r.check(len(s.Tell) > 0, at, "tells nobody; name roles in tell")
			r.check(s.Wait != "", at, "has no wait; say how long there is to answer, such as 15m")
			for _, role := range s.Tell {
				r.check(role == Holder || slices.Contains(roster.Roles, role) && role != roster.Volunteer, at,
					"%q is not a role that can be called; use %s", role, callable())
			}
		}
		r.check(in.Name != "", at, "has no name")
		r.check(in.Held != "" && in.Reminded != "", at, "does not say for how long it counts that somebody sees to it; give held and reminded")
		r.check(len(in.For) > 0, at, "is for nothing; name red, orange, yellow or follow-up in for")
		for _, o := range in.For {
			r.check(slices.Contains(occasions, o), at, "%q is no occasion; use red, orange, yellow or follow-up", o)
		}
		r.check(len(out.Steps) > 0, at, "has no steps")
		r.check(in.Rounds >= 0 && (in.Rounds < 2 || in.Again != ""), at, "begins %d times, but again does not say after how long", in.Rounds)
		p.list = append(p.list, out)
	}
	for _, o := range occasions {
		always := slices.ContainsFunc(p.list, func(p Policy) bool { return slices.Contains(p.For, o) && p.Hours.Always() })
		r.check(always, "policies", "none is for %s at any hour; give one without hours", o)
	}
	return p, errors.Join(r.errs...)
}

func callable() string {
	words := []string{string(Holder)}
	for _, r := range roster.Roles {
		if r != roster.Volunteer {
			words = append(words, string(r))
		}
	}
	return strings.Join(words, ", ")
}

// For is the policy of an occasion at a local time.
func (p *Policies) For(o Occasion, local time.Time) *Policy {
	for i := range p.list {
		if slices.Contains(p.list[i].For, o) && p.list[i].Hours.Contain(local) {
			return &p.list[i]
		}
	}
	return nil // Parse rules it out
}

// reader collects what is wrong.
type reader struct{ errs []error }

func (r *reader) check(ok bool, at, format string, args ...any) {
	if !ok {
		r.errs = append(r.errs, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
	}
}

func (r *reader) span(at, s string) time.Duration {
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	r.check(err == nil && d >= 0, at, "%q must be a time such as 15m or 24h", s)
	return d
}

func (r *reader) hours(at, s string) roster.Hours {
	h, err := roster.ParseHours(s)
	r.check(err == nil, at, "%v", err)
	return h
}

func (r *reader) clock(at, s string) int {
	if s == "" {
		return 0
	}
	t, err := time.Parse("15:04", s)
	r.check(err == nil, at, "%q must be a time of day such as 08:30", s)
	return t.Hour()*60 + t.Minute()
}
