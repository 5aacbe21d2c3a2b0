package main

import (
	"fmt"
	"os"

	"weimang/alerts/escalate"
)

// policies are the rules by which people are called.
func (a *AlertsConfig) policies() (*escalate.Policies, error) {
	switch a.Policies {
	case policiesDefault:
		return escalate.Default(), nil
	case policiesImmediate:
		return escalate.Immediate(), nil
	}
	raw, err := os.ReadFile(a.Policies)
	if err != nil {
		return nil, fmt.Errorf("neither %s nor %s, nor a file that can be read: %w", policiesDefault, policiesImmediate, err)
	}
	p, err := escalate.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Policies, err)
	}
	return p, nil
}

// policies are the site's. Of a replayed feed nobody is there to answer, and its
// clock is not the one by which people sleep.
func (c *Config) policies() (*escalate.Policies, error) {
	if c.Clock == clockFeed {
		return escalate.Immediate(), nil
	}
	return c.Alerts.policies()
}
