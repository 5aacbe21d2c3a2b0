package main

import (
	"strings"

	"github.com/spf13/cobra"

	"weimang/detectors"
	"weimang/ingest/calendar"
)

// detectFlags are the settings of the detectors that commands on files share;
// a running system has them in its configuration.
type detectFlags struct {
	holidays string
	budgets  detectors.Budgets
	changed  func(flag string) bool
}

func (d *detectFlags) flags(cmd *cobra.Command) {
	d.budgets = detectors.DefaultBudgets
	f := cmd.Flags()
	d.changed = f.Changed
	f.StringVar(&d.holidays, "holidays", "none", "set of holidays, on which people live as on a weekend: "+strings.Join(calendar.Names(), ", "))
	f.Float64Var(&d.budgets.Pushed, "budget-pushed", d.budgets.Pushed, "false alarms per home-day that may leave the page")
	f.Float64Var(&d.budgets.Visit, "budget-visit", d.budgets.Visit, "of them red or orange")
}

// apply sets what the flags say.
func (d *detectFlags) apply(p *detectors.Params) error {
	days, err := calendar.Lookup(d.holidays)
	if err != nil {
		return usagef("--holidays: %v", err)
	}
	p.Holidays, p.Budgets = days, d.budgets
	if err := p.Validate(); err != nil {
		return usagef("--budget-pushed, --budget-visit: %v", err)
	}
	return nil
}

// configure sets what the flags say in a configuration; what was not given
// leaves a configuration file its say.
func (d *detectFlags) configure(c *DetectConfig, file bool) {
	if !file || d.changed("holidays") {
		c.Holidays = d.holidays
	}
	if !file || d.changed("budget-pushed") {
		c.Budgets.Pushed = d.budgets.Pushed
	}
	if !file || d.changed("budget-visit") {
		c.Budgets.Visit = d.budgets.Visit
	}
}
