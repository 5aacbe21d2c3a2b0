package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"weimang/ingest/stream"
)

// ownBrokerCommand is the hidden command that bench and chaos start their
// broker by.
const ownBrokerCommand = "own-broker"

func newOwnBrokerCmd() *cobra.Command {
	var opt stream.EmbeddedOptions
	cmd := &cobra.Command{
		Use:    ownBrokerCommand,
		Short:  "The broker of a bench: prints its address and lives until its input ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveOwnBroker(opt, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&opt.Dir, "dir", "", "where it keeps its records; without it a folder that it removes")
	f.StringVar(&opt.Addr, "addr", "", "where it listens; without it any free port")
	f.DurationVar(&opt.CompactEvery, "compact-every", 0, "how often compacted topics are cleaned")
	return cmd
}

// serveOwnBroker ends with its input, which is the process that has started it,
// however that ends; not by an interrupt, which a terminal sends to both: the
// other still has topics to delete then.
func serveOwnBroker(opt stream.EmbeddedOptions, stdin io.Reader, stdout io.Writer) (err error) {
	if opt.Dir == "" {
		if opt.Dir, err = os.MkdirTemp("", "weimang-broker-"); err != nil {
			return fmt.Errorf("folder of the broker: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(opt.Dir)) }()
	}
	broker, err := stream.StartEmbedded(opt)
	if err != nil {
		return err
	}
	defer broker.Close()
	if _, err := fmt.Fprintln(stdout, broker.Addr()); err != nil {
		return fmt.Errorf("tell the address: %w", err)
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// ownBroker is a broker in a process of its own.
type ownBroker struct {
	*child
	addr string
}

// startOwnBroker starts this program once more as a broker, with the flags of
// its command.
func startOwnBroker(ctx context.Context, flags ...string) (*ownBroker, error) {
	c, err := startChild(ctx, nil, append([]string{ownBrokerCommand}, flags...)...)
	if err != nil {
		return nil, fmt.Errorf("start a broker: %w", err)
	}
	return &ownBroker{c, c.said}, nil
}

// stop ends the broker, which removes what it has kept.
func (b *ownBroker) stop() error {
	if err := b.end(childGrace); err != nil {
		return fmt.Errorf("stop the broker: %w", err)
	}
	return nil
}
