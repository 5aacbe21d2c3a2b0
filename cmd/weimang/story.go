package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"weimang/alerts"
	"weimang/detectors"
	"weimang/ingest/simulate"
)

// chapter is one event of the demo's story and the one message that must come
// of it.
type chapter struct {
	name        string           // of the event, see simulate.StoryNames
	kinds       []detectors.Kind // any of them
	household   string           // "" for an area
	area        string
	from, until time.Time // when the message must be decided
}

// storyChapters reads the chapters off the events of the whole story, so that
// they are the same whatever is taken away.
func storyChapters(seed uint64) ([]chapter, error) {
	opt, err := simulate.Story(seed)
	if err != nil {
		return nil, err
	}
	var chapters []chapter
	for _, event := range opt.Events {
		c := chapter{name: event.Name()}
		switch e := event.(type) {
		case simulate.ACFailure:
			// Most often that evening, after the second hot morning at the latest.
			// Where nothing but the air conditioner usually runs on a hot
			// afternoon, its failure looks as if nobody were there.
			c.kinds = []detectors.Kind{detectors.Shortfall, detectors.NoSignOfLife}
			c.household, c.from, c.until = e.Household, e.At, e.At.Add(32*time.Hour)
		case simulate.Outage:
			c.kinds = []detectors.Kind{detectors.AreaDark}
			c.area, c.from, c.until = e.Area, e.From, e.Until.Add(time.Hour)
		case simulate.NotBack:
			c.kinds = []detectors.Kind{detectors.NotBack}
			c.household, c.from, c.until = e.Household, e.From, e.From.Add(3*time.Hour)
		case simulate.Announcement:
			c.kinds = []detectors.Kind{detectors.Announced}
			c.area, c.from, c.until = e.Area, e.PublishedAt.Add(-time.Hour), e.From
		default:
			return nil, fmt.Errorf("the story has an event %T that nobody checks", event)
		}
		chapters = append(chapters, c)
	}
	return chapters, nil
}

// tells reports whether m opens the matter of the chapter.
func (c *chapter) tells(m *alerts.Message) bool {
	return m.State == detectors.Open && slices.Contains(c.kinds, m.Kind) && m.HouseholdID == c.household &&
		(c.household != "" || m.AreaID == c.area) && !m.DecidedAt.Before(c.from) && !m.DecidedAt.After(c.until)
}

// about reports whether m is about the chapter's home or area in its days.
func (c *chapter) about(m *alerts.Message) bool {
	if m.Onset.Before(c.from.Add(-time.Hour)) || m.Onset.After(c.until.Add(48*time.Hour)) {
		return false
	}
	if c.household != "" {
		return m.HouseholdID == c.household
	}
	return m.HouseholdID == "" && m.AreaID == c.area && slices.Contains(c.kinds, m.Kind)
}

// pushBudget is what a home may cost its chair, in openings per home-day
// (design budget): the story's July must stay within it.
const pushBudget = 0.02

// checkStory says what did not come out as it should have. homeDays is what
// was watched while messages could leave.
func checkStory(seed uint64, without []string, messages []alerts.Message, homeDays float64) error {
	chapters, err := storyChapters(seed)
	if err != nil {
		return err
	}
	var wrong []string
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	others := 0
	for _, c := range chapters {
		gone := slices.Contains(without, c.name) ||
			c.name == simulate.NameNotBack && slices.Contains(without, simulate.NameOutage)
		told, related := 0, 0
		for i := range messages {
			m := &messages[i]
			if c.tells(m) {
				told++
			}
			if m.State == detectors.Open && c.about(m) {
				related++
			}
			if c.name == simulate.NameOutage && m.State == detectors.Open && m.HouseholdID != "" && m.AreaID == c.area &&
				m.Kind != detectors.NotBack && !m.DecidedAt.Before(c.from) && !m.DecidedAt.After(c.until.Add(time.Hour)) {
				complain("%s: household %s was told of during the outage (%s)", c.name, m.HouseholdID, m.Kind)
			}
		}
		switch {
		case gone && related > 0:
			complain("%s: taken away, but %d messages tell of it", c.name, related)
		case !gone && told != 1:
			complain("%s: want one message, got %d", c.name, told)
		}
	}
	for i := range messages {
		m := &messages[i]
		if m.State == detectors.Open && !slices.ContainsFunc(chapters, func(c chapter) bool { return c.about(m) }) {
			others++
		}
	}
	if limit := pushBudget * homeDays; float64(others) > limit {
		complain("%d messages besides the story, more than the budget of %.0f", others, limit)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the story did not come out:\n  %s", strings.Join(wrong, "\n  "))
	}
	return nil
}
