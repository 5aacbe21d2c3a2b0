package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// Groups of commands in the help, by what somebody came for.
const (
	groupTry       = "try"
	groupRun       = "run"
	groupIntegrate = "integrate"
	groupJudge     = "judge"
)

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "weimang",
		Short: "Watches electricity meters of old people living alone, and says when to knock",
		Long: `Weimang 微芒 ("a faint light") watches the electricity meters of old people
living alone. It learns what is usual for each home, explains away what the
grid explains, and tells the village chair when to call or to knock.

Readings come in through Kafka. Without brokers in the configuration a broker
runs inside the process, so nothing else has to be installed.`,
		Example: `  weimang demo                              a made-up village, from meter to message
  weimang run                               the real thing, with a broker of its own
  weimang config > weimang.yaml             every setting, explained
  weimang check readings day.jsonl          would these records be accepted?
  weimang simulate --out village            files of a made-up village
  weimang backtest --readings village/readings.csv.gz \
      --households village/households.csv --out findings.jsonl`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddGroup(
		&cobra.Group{ID: groupTry, Title: "Try it:"},
		&cobra.Group{ID: groupRun, Title: "Run it:"},
		&cobra.Group{ID: groupIntegrate, Title: "Connect a utility:"},
		&cobra.Group{ID: groupJudge, Title: "Judge the detectors:"},
	)
	root.AddCommand(newDeadLettersCmd(), newSimulateCmd(), newStoreCmd(), newConfigCmd(), newCheckCmd(), newContractCmd(), newDirectiveCmd(), newRoutesCmd(), newQualityCmd(), newTemplatesCmd(), newBacktestCmd(), newEvaluateCmd(), newFitCmd(), newBenchCmd(), newChaosCmd(), newOwnBrokerCmd(), newBenchWorkerCmd(), newChaosWorkerCmd(), newChaosDeliveryWorkerCmd(), newVersionCmd())
	root.AddCommand(newRosterCmd(), newHouseholdCmd(), newAuditCmd())
	root.AddCommand(serviceCommands()...)
	return root
}

// serviceCommands are the commands that start services: demo, run, replay.
func serviceCommands() []*cobra.Command {
	return []*cobra.Command{newDemoCmd(), newRunCmd(), newReplayCmd()}
}

// knownCommand refuses what is left over where a command should stand.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("%s has no command %q%s", cmd.CommandPath(), args[0], hint)
}
