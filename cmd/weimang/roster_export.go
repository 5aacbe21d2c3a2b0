package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"weimang/alerts/roster"
	"weimang/alerts/rosterfile"
	"weimang/alerts/store"
)

func newRosterExportCmd() *cobra.Command {
	var opt rosterOptions
	var to string
	var mask bool
	cmd := &cobra.Command{
		Use:   "export --to FILE.xlsx|FOLDER",
		Short: "Write the roster as a workbook, or as a folder of CSV files",
		Long: `Writes who is in the roster now, for this user's eyes only. What is written can
be imported again. With --mask names, addresses, numbers and people's words are
left out but for their first characters.`,
		Example: `  weimang roster export --to 名单.xlsx --config weimang.yaml
  weimang roster export --to roster/ --language en --mask --config weimang.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opt.export(cmd.Context(), to, mask, cmd.OutOrStdout())
		},
	}
	opt.flags(cmd)
	cmd.Flags().StringVar(&to, "to", "", "a file that ends in .xlsx, or a folder")
	cmd.Flags().BoolVar(&mask, "mask", false, "without names, addresses, numbers and words")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

func (o *rosterOptions) export(ctx context.Context, to string, mask bool, stdout io.Writer) error {
	return withStore(ctx, o.config, func(cfg *Config, db *store.DB) error {
		lang, err := o.lang(cfg)
		if err != nil {
			return err
		}
		zone, err := loadZone(cfg.Roster.Zone)
		if err != nil {
			return err
		}
		r, err := db.Roster(ctx, roster.By{Actor: o.by, For: roster.ForExport})
		if err != nil {
			return err
		}
		w, tables := rosterfile.Writing{Zone: zone, Lang: lang, Mask: mask}, rosterfile.Encode(r)
		if strings.HasSuffix(to, ".xlsx") {
			err = writePrivateFile(to, stdout, func(out io.Writer) error { return w.XLSX(out, tables) })
		} else {
			err = w.Folder(to, tables)
		}
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		_, err = fmt.Fprintf(stdout, "%s: %d households, %d people\n", to, len(r.Households), len(r.People))
		return err
	})
}
