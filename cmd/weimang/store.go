package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"weimang/alerts/store"
)

func newStoreCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "store",
		GroupID: groupRun,
		Short:   "Back up, restore and look at the store of alerts",
		Long: `The store holds the roster, alerts, messages and reports: SQLite at store.path,
or PostgreSQL at store.url. These commands work on the one that the configuration
names.`,
		Example: `  weimang store info --config weimang.yaml
  weimang store backup --config weimang.yaml --to weimang.backup
  weimang store restore --config postgres.yaml --from weimang.backup
  weimang store migrate --config weimang.yaml --to 2       what would be lost`,
		Args: knownCommand,
		RunE: func(*cobra.Command, []string) error {
			return usagef("say what to do: backup, restore, migrate, info or rekey")
		},
	}
	cmd.AddCommand(newStoreBackupCmd(), newStoreRestoreCmd(), newStoreMigrateCmd(), newStoreInfoCmd(), newStoreRekeyCmd())
	return cmd
}

// storeFlags say which store a command works on.
type storeFlags struct{ config string }

func (s *storeFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&s.config, "config", "c", "", "configuration file (YAML); only where the store is")
}

// work opens the store as it is, runs fn and closes it. One that is not there is
// made only if missing says so.
func (s *storeFlags) work(cmd *cobra.Command, missing bool, fn func(db *store.DB) error) (err error) {
	cfg, err := LoadConfig(s.config, os.Environ())
	if err != nil {
		return err
	}
	where := cfg.StoreOptions()
	where.AsItIs = true
	if where.URL == "" && !missing {
		if _, err := os.Stat(where.Path); err != nil {
			return fmt.Errorf("there is no store: %w", err)
		}
	}
	db, err := store.OpenWith(cmd.Context(), where)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(db)
}

func newStoreBackupCmd() *cobra.Command {
	var s storeFlags
	var to string
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Write everything in the store to a file, while the system runs",
		Long: `Writes the store as it is at one moment. Nobody has to stop for it. The file
holds names, addresses and telephone numbers: only this user may read it, and it
should be encrypted before it leaves the machine.

It does not depend on the kind of database: what was taken from SQLite can be
restored into PostgreSQL and the other way round. The readings and the states of
the homes are not in it; they are in Kafka's topics.`,
		Example: `  weimang store backup --config weimang.yaml --to weimang.backup
  weimang store backup --config weimang.yaml --to - | age -r age1… > weimang.backup.age`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usagef("--to: name the file to write, or - for standard output")
			}
			return s.work(cmd, false, func(db *store.DB) error {
				var b store.Backup
				err := writePrivateFile(to, cmd.OutOrStdout(), func(w io.Writer) (err error) {
					b, err = db.Backup(cmd.Context(), w)
					return err
				})
				if err == nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "%d rows of schema %d backed up from %s\n", b.Rows, b.Schema, b.Kind)
				}
				return err
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&to, "to", "", "file to write, - for standard output")
	return cmd
}

func newStoreRestoreCmd() *cobra.Command {
	var s storeFlags
	var from string
	var replace bool
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Put a backup into an empty store",
		Long: `Reads the whole backup first and then puts it into the store in one transaction: a
file that is damaged or cut short changes nothing. Stop 'weimang run' first, or
its processes of role alert.

The store may be of the other kind. A backup of an older schema is brought up to
date. A store in which there is anything is refused; --replace lets go of what is
there.`,
		Example: `  weimang store restore --config postgres.yaml --from weimang.backup`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" {
				return usagef("--from: name the file to read")
			}
			file, err := os.Open(from)
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }() // only read
			return s.work(cmd, true, func(db *store.DB) error {
				b, err := db.Restore(cmd.Context(), file, replace)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d rows restored into %s, taken from %s at %s\n",
					b.Rows, db.Kind(), b.Kind, b.TakenAt.Local().Format("2006-01-02 15:04:05 -07:00"))
				return nil
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&from, "from", "", "backup to read")
	cmd.Flags().BoolVar(&replace, "replace", false, "let go of everything that is in the store now")
	return cmd
}

func newStoreMigrateCmd() *cobra.Command {
	var s storeFlags
	var to int64
	var yes bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema up to date, or back for an older program",
		Long: `Without --to the schema is brought to the newest version, as every start of
'weimang run' does. With --to it is taken to that version. On the way back tables
and columns that came later are dropped with what is in them: what that is, is
said first, and it is done with --yes only. Make a backup before, and stop all
processes of role alert.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.work(cmd, false, func(db *store.DB) error {
				if !cmd.Flags().Changed("to") {
					var err error
					if to, err = store.NewestSchema(); err != nil {
						return err
					}
				}
				return migrate(cmd, db, to, yes)
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().Int64Var(&to, "to", 0, "version to go to (default the newest)")
	cmd.Flags().BoolVar(&yes, "yes", false, "go back, and lose what is named")
	return cmd
}

func migrate(cmd *cobra.Command, db *store.DB, to int64, yes bool) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	from, err := db.Schema(ctx)
	if err != nil {
		return err
	}
	if to < from {
		lost, err := db.LostBy(ctx, to)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "Going back from schema %d to %d drops:\n", from, to)
		for _, l := range lost {
			what := "table " + l.Table
			if l.Column != "" {
				what = "column " + l.Column + " of " + what
			}
			fmt.Fprintf(out, "  %s, %d rows\n", what, l.Rows)
		}
		if len(lost) == 0 {
			fmt.Fprintln(out, "  no table and no column")
		}
		if !yes {
			fmt.Fprintln(out, "Nothing has been changed. Make a backup, and say --yes to do it.")
			return nil
		}
	}
	if err := db.MigrateTo(ctx, to); err != nil {
		return err
	}
	now, err := db.Schema(ctx)
	if err == nil {
		fmt.Fprintf(out, "The schema is of version %d; it was %d.\n", now, from)
	}
	return err
}

func newStoreInfoCmd() *cobra.Command {
	var s storeFlags
	cmd := &cobra.Command{
		Use:   "info",
		Short: "Say what kind of store it is and how much is in it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.work(cmd, false, func(db *store.DB) error {
				info, err := db.Info(cmd.Context())
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintf(w, "kind\t%s\n", info.Kind)
				fmt.Fprintf(w, "schema\t%d of %d\n", info.Schema, info.Newest)
				fmt.Fprintf(w, "size\t%.1f MB\n", float64(info.Bytes)/1e6)
				for _, t := range info.Tables {
					fmt.Fprintf(w, "%s\t%d rows\n", t.Name, t.Rows)
				}
				return w.Flush()
			})
		},
	}
	s.flags(cmd)
	return cmd
}
