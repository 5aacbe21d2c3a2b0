package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"weimang/ingest/contract"
	"weimang/ingest/wirepb"
)

func newContractCmd() *cobra.Command {
	documents := map[string]func() string{
		"reading":   contract.ReadingSchema,
		"incident":  contract.IncidentSchema,
		"directive": contract.DirectiveSchema,
		"asyncapi":  contract.AsyncAPI,
		"protobuf":  wirepb.Contract,
	}
	names := slices.Sorted(maps.Keys(documents))
	return &cobra.Command{
		Use:   "contract reading|incident|directive|asyncapi|protobuf",
		Short: "Print the wire contract: what comes in",
		Long: `Print the wire contract of the topics weimang.readings, weimang.incidents and
weimang.directives.

  reading    JSON Schema of a reading, or a block of them
  incident   JSON Schema of an incident report
  directive  JSON Schema of what somebody has said about a household
  asyncapi   AsyncAPI 3 document of the three topics
  protobuf   the same records as Protobuf messages

To try records against it, see 'weimang check'.`,
		Example:   "  weimang contract reading > reading.schema.json",
		GroupID:   groupIntegrate,
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || documents[args[0]] == nil {
				return usagef("say which part of the contract: %s", strings.Join(names, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), documents[args[0]]())
			if err != nil {
				return fmt.Errorf("print the contract: %w", err)
			}
			return nil
		},
	}
}
