package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"weimang/ingest"
	"weimang/ingest/intake"
)

// role is a part of the work that may run in a process of its own. All parts
// talk through the topics.
type role string

// Roles, along the flow.
const (
	roleIngest role = "ingest" // takes readings and incidents into the areas' logs
	roleDetect role = "detect" // reads the logs, keeps the homes' states, finds
	roleAlert  role = "alert"  // has the store: roster, alerts, messages, the page
)

var allRoles = []role{roleIngest, roleDetect, roleAlert}

// parseRoles reads the words of --role; none means all.
func parseRoles(words []string) ([]role, error) {
	var roles []role
	for _, w := range words {
		r := role(strings.TrimSpace(w))
		if !slices.Contains(allRoles, r) {
			return nil, usagef("--role: %q must be ingest, detect or alert", w)
		}
		roles = append(roles, r)
	}
	if len(roles) == 0 {
		return allRoles, nil
	}
	return roles, nil
}

// whole reports whether a process has all the roles.
func whole(roles []role) bool {
	return !slices.ContainsFunc(allRoles, func(r role) bool { return !slices.Contains(roles, r) })
}

// probe is something that must be so before a process is ready.
type probe struct {
	role  role
	lacks string // what it says while it is not so
	ready func() bool
}

// noReports takes incident reports where ingest runs without the store: the
// process of role alert reads the topic itself.
type noReports struct{}

// SaveReport implements intake.ReportSink.
func (noReports) SaveReport(context.Context, ingest.Report) error { return nil }

// publishedRoster is a roster that another process publishes: it is waited for
// until there are homes in it. Who judged readings before that would leave
// them out as those of unknown meters.
type publishedRoster struct {
	*intake.Follower
	log *slog.Logger
}

// Wait returns when the roster is read and names a home, or with ctx's error.
func (p publishedRoster) Wait(ctx context.Context) error {
	if err := p.Follower.Wait(ctx); err != nil || p.Len() > 0 {
		return err
	}
	p.log.Warn("the roster is empty; readings wait until a process of role alert publishes one")
	return until(ctx, func(context.Context) (bool, error) { return p.Len() > 0, nil })
}
