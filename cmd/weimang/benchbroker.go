package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weimang/ingest/stream"
)

// benchBrokerCommand is the hidden command that a bench starts its broker by.
const benchBrokerCommand = "bench-broker"

func newBenchBrokerCmd() *cobra.Command {
	return &cobra.Command{
		Use:    benchBrokerCommand,
		Short:  "The broker of a bench: prints its address and lives until its input ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serveBenchBroker(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

// serveBenchBroker keeps its records in a folder that it removes. It ends with
// its input, which is the bench, however that ends; not by an interrupt, which
// a terminal sends to both: the bench still has topics to delete then.
func serveBenchBroker(stdin io.Reader, stdout io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "weimang-bench-")
	if err != nil {
		return fmt.Errorf("folder of the broker: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	broker, err := stream.StartEmbedded(stream.EmbeddedOptions{Dir: dir})
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

// benchBroker is a broker in a process of its own.
type benchBroker struct {
	addr  string
	stdin io.Closer
	cmd   *exec.Cmd
}

// startBenchBroker starts this program once more as a broker.
func startBenchBroker(ctx context.Context) (_ *benchBroker, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start a broker: %w", err)
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// It outlives ctx: what stops after an interrupt still needs it.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, benchBrokerCommand)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &benchBroker{stdin: stdin, cmd: cmd}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, b.stop())
	}
	b.addr = strings.TrimSpace(line)
	return b, nil
}

// brokerGrace is what the broker has to close its files in.
const brokerGrace = 20 * time.Second

// stop ends the broker, which removes what it has kept.
func (b *benchBroker) stop() error {
	late := time.AfterFunc(brokerGrace, func() { _ = b.cmd.Process.Kill() })
	defer late.Stop()
	closed := b.stdin.Close()
	if err := errors.Join(closed, b.cmd.Wait()); err != nil {
		return fmt.Errorf("stop the broker: %w", err)
	}
	return nil
}
