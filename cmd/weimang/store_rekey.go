package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"weimang/alerts/store"
)

func newStoreRekeyCmd() *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:   "rekey",
		Short: "Seal everything personal in the store with the first key of store.key",
		Long: `Seals names, addresses, numbers and what people wrote anew with the first key of
store.key, what stands there in plain included. To change the key, put the new one
before the old ones in store.key, start again, run this, and take the old ones out.
The old text is overwritten in the database file; copies of the file keep it.`,
		Example: `  weimang store rekey --config weimang.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd.Context(), config, func(_ *Config, db *store.DB) error {
				n, err := db.Rekey(cmd.Context())
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d values sealed with the first key\n", n)
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "", "configuration file (YAML)")
	return cmd
}
