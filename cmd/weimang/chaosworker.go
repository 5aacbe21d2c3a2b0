package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"weimang/detectors/chaos"
)

// chaosWorkerCommand is the hidden command that chaos starts its workers by.
const chaosWorkerCommand = "chaos-worker"

func newChaosWorkerCmd() *cobra.Command {
	return &cobra.Command{
		Use:    chaosWorkerCommand + " OPTIONS",
		Short:  "A worker of chaos: runs ingest and detect until its input ends",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt, err := chaos.ParseWorkerOptions(args[0])
			if err != nil {
				return err
			}
			return serveChaosWorker(cmd.Context(), opt, cmd.InOrStdin(), cmd.ErrOrStderr())
		},
	}
}

// serveChaosWorker is what 'run --role ingest,detect' does, by the feed's clock,
// with other times and through another network. Like the broker it ends with its
// input, however chaos ends.
func serveChaosWorker(ctx context.Context, opt chaos.WorkerOptions, stdin io.Reader, stderr io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	cfg := DefaultConfig()
	cfg.Clock = clockFeed
	cfg.Kafka.Brokers, cfg.Kafka.Prefix = opt.Brokers, opt.Prefix
	cfg.Feed.UsualDelay = opt.UsualDelay
	cfg.Detect.CheckpointEvery, cfg.Detect.History = opt.CheckpointEvery, false
	cfg.HTTP.Addr = "127.0.0.1:0"
	s, err := start(ctx, wiring{
		cfg: cfg, roles: []role{roleIngest, roleDetect},
		log:  slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
		dial: opt.Dial, group: opt.Group(), sabotage: opt.Sabotage,
	})
	if err != nil {
		return err
	}
	err = s.lc.wait()
	return errors.Join(err, s.stop())
}
