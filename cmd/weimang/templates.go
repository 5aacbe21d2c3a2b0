package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"weimang/alerts/message"
	"weimang/alerts/roster"
)

func newTemplatesCmd() *cobra.Command {
	var lang string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "templates",
		GroupID: groupRun,
		Short:   "The SMS templates, to hand in to a vendor for approval",
		Long: `Prints the texts of all templates for SMS and voice: with variables by name (Aliyun)
and by number (Tencent), an example, and how long each variable gets at most. The
name of a template is what alerts.sms.templates maps to the vendor's code.`,
		Example: `  weimang templates
  weimang templates --language en`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(roster.Langs, roster.Lang(lang)) {
				return usagef("--language: %q must be zh-CN or en", lang)
			}
			words, err := message.New()
			if err != nil {
				return err
			}
			return printTemplates(cmd.OutOrStdout(), words.Templates(roster.Lang(lang)), asJSON)
		},
	}
	cmd.Flags().StringVar(&lang, "language", string(roster.Chinese), "zh-CN or en")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func printTemplates(out io.Writer, all []message.TemplateText, asJSON bool) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, t := range all {
		if asJSON {
			if err := enc.Encode(t); err != nil {
				return err
			}
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s\n  %s\n  %s\n  %s\n", t.Name, t.Text, t.Numbered, t.Example)
		for _, v := range t.Variables {
			fmt.Fprintf(&b, "    %s: at most %d characters\n", v.Name, v.Limit)
		}
		if _, err := io.WriteString(out, b.String()+"\n"); err != nil {
			return err
		}
	}
	return nil
}
