package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"weimang/detectors/detect"
	"weimang/ingest/stream"
)

// WorkerOptions are what a worker's process is told on its command line, as
// JSON. It runs ingest and detect by the feed's clock until its input ends or
// it is told to stop (SIGTERM).
type WorkerOptions struct {
	Name    int      // of the process among those of its run, from 1
	Brokers []string // as the brokers call themselves
	Via     string   // host:port through which they are reached; "": directly
	Prefix  string   // of topics and groups
	// Session is the time after which a worker that is not heard of has lost
	// its partitions; the group's other times follow from it.
	Session         time.Duration
	CheckpointEvery time.Duration
	UsualDelay      time.Duration // of the feed
	Sabotage        detect.Sabotage
}

// Argument is what Arguments turns back into the options.
func (o *WorkerOptions) Argument() string {
	b, err := json.Marshal(o)
	if err != nil { // cannot be: every field has a JSON form
		panic(err)
	}
	return string(b)
}

// ParseWorkerOptions reads what Argument wrote.
func ParseWorkerOptions(argument string) (o WorkerOptions, err error) {
	if err := json.Unmarshal([]byte(argument), &o); err != nil {
		return o, fmt.Errorf("options of a worker: %w", err)
	}
	return o, nil
}

// Dial reaches a broker, see stream.Config.
func (o *WorkerOptions) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if o.Via == "" {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, o.Via)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "%d %s\n", o.Name, addr); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// Group are the times of the worker's consumer groups.
func (o *WorkerOptions) Group() stream.GroupOptions {
	return stream.GroupOptions{
		SessionTimeout:    o.Session,
		HeartbeatInterval: o.Session / 8,
		RebalanceTimeout:  o.Session * 2,
		FlushTimeout:      o.Session / 2,
		JoinGroupBackoff:  100 * time.Millisecond,
		MaxWait:           100 * time.Millisecond,
	}
}

// worker is a process under way.
type worker struct {
	name  int
	cmd   *exec.Cmd
	stdin io.Closer
	log   *tail
	gone  chan struct{} // closed when it has ended
	err   error         // how, once gone is closed

	mu     sync.Mutex
	doomed bool // its end was brought about
}

// startWorker starts a process. It outlives ctx: it has to be stopped.
func startWorker(ctx context.Context, command func(context.Context, WorkerOptions) *exec.Cmd, logs string, o WorkerOptions) (*worker, error) {
	cmd := command(context.WithoutCancel(ctx), o)
	w := &worker{name: o.Name, cmd: cmd, log: new(tail), gone: make(chan struct{})}
	cmd.Stderr = w.log
	var err error
	if logs != "" {
		f, err := os.OpenFile(filepath.Join(logs, fmt.Sprintf("%s%d.log", o.Prefix, o.Name)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("log of worker %d: %w", o.Name, err)
		}
		defer func() { _ = f.Close() }() // the process has its own
		cmd.Stderr = f
	}
	if w.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start worker %d: %w", o.Name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start worker %d: %w", o.Name, err)
	}
	go func() {
		w.err = cmd.Wait()
		close(w.gone)
	}()
	return w, nil
}

// kill is kill -9, and returns when the process is gone.
func (w *worker) kill() {
	w.mu.Lock()
	w.doomed = true
	w.mu.Unlock()
	_ = w.cmd.Process.Kill()
	<-w.gone
}

// leave is SIGTERM: the worker saves, commits and leaves its groups, or is
// killed after a while.
func (w *worker) leave(limit time.Duration) {
	w.mu.Lock()
	w.doomed = true
	w.mu.Unlock()
	if err := w.cmd.Process.Signal(terminate); err != nil {
		_ = w.cmd.Process.Kill()
	}
	late := time.AfterFunc(limit, func() { _ = w.cmd.Process.Kill() })
	defer late.Stop()
	<-w.gone
}

// pause stops the process (true) or lets it go on.
func (w *worker) pause(stop bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if stop && w.doomed {
		return os.ErrProcessDone
	}
	return suspend(w.cmd.Process, stop)
}

// isDoomed reports whether the worker's end was brought about.
func (w *worker) isDoomed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.doomed
}

// died is an error when the process has ended without anybody's doing.
func (w *worker) died() error {
	select {
	case <-w.gone:
	default:
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.doomed {
		return nil
	}
	return fmt.Errorf("worker %s ended by itself (%w): %s", strconv.Itoa(w.name), errors.Join(w.err), w.log)
}

// tail keeps the last of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - tailBytes; over > 0 {
		t.b = bytes.Clone(t.b[over:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}
