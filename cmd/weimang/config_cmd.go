package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func newConfigCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting with its default and what it means",
		Long: `Print the whole configuration as YAML, each value with an explanation. What is
printed is itself a configuration that works.

A value can be set in the file and, over that, in the environment: the variable
is named for the key, kafka.brokers is WEIMANG_KAFKA_BROKERS. Lists are
separated by commas. Secrets are better given as file:/path than in plain, and
are never printed.`,
		Example: `  weimang config > weimang.yaml
  weimang config --file weimang.yaml      what would be in effect, environment included`,
		GroupID: groupRun,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			head := "# Weimang's configuration. Every value can be left out: these are the defaults.\n"
			c := DefaultConfig()
			if cmd.Flags().Changed("file") {
				var err error
				if c, err = LoadConfig(file, os.Environ()); err != nil {
					return err
				}
				head = "# The configuration in effect; secrets are masked.\n"
			}
			return writeConfig(cmd.OutOrStdout(), head, c)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "print what is in effect with this file and the environment")
	return cmd
}

// writeConfig prints c as commented YAML under a head, secrets masked.
func writeConfig(w io.Writer, head string, c *Config) error {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString("# Each key has a variable that overrides it, kafka.brokers is WEIMANG_KAFKA_BROKERS.\n\n")
	var open []string // sections the last key stood in
	for _, k := range configKeys(c) {
		parts := strings.Split(k.path, ".")
		sections, name := parts[:len(parts)-1], parts[len(parts)-1]
		for depth := range sections {
			if depth < len(open) && open[depth] == sections[depth] {
				continue
			}
			if depth == 0 {
				b.WriteByte('\n')
			}
			open = open[:min(depth, len(open))]
			indent := strings.Repeat("  ", depth)
			fmt.Fprintf(&b, "%s# %s\n%s%s:\n", indent, sectionHeading(strings.Join(sections[:depth+1], ".")), indent, sections[depth])
		}
		open = sections
		indent := strings.Repeat("  ", len(sections))
		fmt.Fprintf(&b, "%s# %s\n%s%s: %s\n", indent, k.doc, indent, name, k.show())
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	return nil
}
