package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// benchWorkerCommand is the hidden command that a bench starts the system, or
// a part of it, by.
const benchWorkerCommand = "bench-worker"

func newBenchWorkerCmd() *cobra.Command {
	var words []string
	var session time.Duration
	cmd := &cobra.Command{
		Use:    benchWorkerCommand,
		Short:  "run for a bench: prints the address of its probes and lives until its input ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			roles, err := parseRoles(words)
			if err != nil {
				return err
			}
			cfg, err := LoadConfig("", os.Environ())
			if err != nil {
				return err
			}
			w := wiring{cfg: cfg, roles: roles, log: newLogger(cfg, cmd.ErrOrStderr())}
			w.group.SessionTimeout, w.group.FlushTimeout = session, session/2
			return serveBenchWorker(&w, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringSliceVar(&words, "role", nil, "as of run")
	cmd.Flags().DurationVar(&session, "session", 0, "how long its partitions are its own after it has died")
	return cmd
}

// serveBenchWorker is serve, but for what ends it: its input, as that of
// serveOwnBroker, and for the same reason.
func serveBenchWorker(w *wiring, stdin io.Reader, stdout io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	s, stop, err := bringUp(ctx, w, io.Discard)
	if err != nil {
		if ctx.Err() != nil {
			return nil // nobody wants it any more
		}
		return err
	}
	_, err = fmt.Fprintln(stdout, s.page)
	if err == nil {
		err = s.lc.wait()
	}
	return errors.Join(err, stop())
}

// benchWorker is a bench-worker in a process of its own.
type benchWorker struct {
	*child
	page string
}

// startBenchWorker starts this program once more, with the arguments of a
// bench-worker and its settings, by the names of the environment without their
// prefix. Nothing else is set: what the bench's own environment says of a site
// does not reach it.
func startBenchWorker(ctx context.Context, args []string, settings map[string]string) (*benchWorker, error) {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, envPrefix) {
			env = append(env, e)
		}
	}
	for name, value := range settings {
		env = append(env, envPrefix+name+"="+value)
	}
	c, err := startChild(ctx, env, append([]string{benchWorkerCommand}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	return &benchWorker{c, c.said}, nil
}

// Stop lets the worker finish what it has begun, and leave. A second call does
// nothing.
func (w *benchWorker) Stop() error {
	if err := w.end(stopLimit + 5*time.Second); err != nil { // its own limit is a little below
		return fmt.Errorf("stop a worker: %w", err)
	}
	return nil
}

// Kill ends the worker at once.
func (w *benchWorker) Kill() error {
	if err := w.kill(); err != nil {
		return fmt.Errorf("kill a worker: %w", err)
	}
	return nil
}

// CPU is what the worker has used in its whole life, once it has ended.
func (w *benchWorker) CPU() time.Duration {
	s := w.cmd.ProcessState
	return s.UserTime() + s.SystemTime()
}

// Ready reports whether the worker has all it needs, and its partitions are
// restored.
func (w *benchWorker) Ready(ctx context.Context) (bool, error) {
	status, _, err := w.get(ctx, "/-/ready")
	return status == http.StatusOK, err
}

// cpuSeconds is what the worker has used so far; 0 where its system does not
// tell.
func (w *benchWorker) cpuSeconds(ctx context.Context) (float64, error) {
	_, body, err := w.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, "process_cpu_seconds_total "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, nil
}

func (w *benchWorker) get(ctx context.Context, path string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.page+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", fmt.Errorf("ask a worker: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // only read from
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, "", fmt.Errorf("ask a worker: %w", err)
	}
	return res.StatusCode, string(text), nil
}
