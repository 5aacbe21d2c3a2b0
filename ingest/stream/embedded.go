package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// EmbeddedOptions configures an embedded broker.
type EmbeddedOptions struct {
	Dir  string // where records are kept; "" keeps them in memory
	Addr string // host:port on this machine, default 127.0.0.1:0 (any free port)
	// CompactEvery (10 min) is how often compacted topics are cleaned and old
	// records dropped. Cleaning stops the broker for about a second per
	// 300,000 records of 1 KiB.
	CompactEvery time.Duration
	Logger       *slog.Logger // nil: silent
}

// Embedded is a broker inside the process that speaks Kafka's protocol on a
// loopback port: one code path with and without a cluster. It is for one
// machine only: one broker, no replicas, no authentication. An acknowledged
// record survives a killed process, not a lost power supply.
type Embedded struct {
	cluster *kfake.Cluster
	dir     string // "": in memory
	log     *slog.Logger
	addr    string
	unlock  func()
	cleans  sync.Mutex
	stop    chan struct{}
	done    sync.WaitGroup
}

// StartEmbedded starts a broker over what an earlier one has left in Dir.
func StartEmbedded(opts EmbeddedOptions) (*Embedded, error) {
	addr := cmp.Or(opts.Addr, "127.0.0.1:0")
	if err := loopback(addr); err != nil {
		return nil, fmt.Errorf("start embedded broker: %w", err)
	}
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	kopts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			return new(net.ListenConfig).Listen(context.Background(), network, addr)
		}),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond), // its own minimum of 6 s makes tests and restarts slow
		// A group's offsets are forgotten after a week without members; a
		// machine that was off for longer would begin anew: ten years. Its own
		// cleaner would begin with the first compacted topic, and
		// without what Clean does against a kill.
		kfake.BrokerConfigs(map[string]string{"offsets.retention.minutes": "5256000", "log.cleaner.backoff.ms": "315360000000"}),
		kfake.WithLogger(kfakeLogger{log}),
	}
	unlock := func() {}
	if opts.Dir != "" {
		if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("start embedded broker: %w", err)
		}
		var err error
		// Nothing in kfake keeps two processes from writing one log.
		if unlock, err = lockFile(filepath.Join(opts.Dir, "weimang.lock")); err != nil {
			return nil, fmt.Errorf("start embedded broker in %s: %w", opts.Dir, err)
		}
		mended, err := cleaning{opts.Dir}.mend()
		if err != nil {
			unlock()
			return nil, fmt.Errorf("start embedded broker in %s: put back what cleaning has lost: %w", opts.Dir, err)
		}
		if len(mended) > 0 {
			log.Warn("embedded broker was killed while it cleaned; what it had removed is back", "partitions", mended)
		}
		kopts = append(kopts, kfake.DataDir(filepath.Join(opts.Dir, "log")))
	}
	cluster, err := kfake.NewCluster(kopts...)
	if err != nil {
		unlock()
		return nil, fmt.Errorf("start embedded broker: %w", err)
	}
	e := &Embedded{cluster: cluster, dir: opts.Dir, log: log, addr: cluster.ListenAddrs()[0], unlock: unlock, stop: make(chan struct{})}
	every := cmp.Or(opts.CompactEvery, 10*time.Minute)
	e.done.Go(func() { e.clean(every) })
	return e, nil
}

// Addr is the broker's host:port.
func (e *Embedded) Addr() string { return e.addr }

// Close stops the broker and saves what it holds, when it has a folder.
func (e *Embedded) Close() {
	close(e.stop)
	e.done.Wait()
	e.cluster.Close()
	e.unlock()
}

// Clean compacts and drops old records now. A kill meanwhile loses nothing.
func (e *Embedded) Clean() {
	e.cleans.Lock()
	defer e.cleans.Unlock()
	if e.dir == "" {
		e.cluster.Compact()
		return
	}
	c := cleaning{e.dir}
	if err := c.begin(); err != nil {
		e.log.Error("embedded broker does not clean its topics, which grow", "error", err)
		return
	}
	e.cluster.Compact()
	if err := c.end(); err != nil {
		e.log.Error("embedded broker has cleaned its topics and keeps what they were", "error", err)
	}
}

// clean runs the cleaner: after a restart kfake's own does not start until a
// topic is altered. Compact also applies retention to all topics.
func (e *Embedded) clean(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			e.Clean()
		}
	}
}

// loopback refuses an address others could reach: there is no authentication.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return errors.New("the address " + addr + " is not a loopback address; the embedded broker is for one machine only, use a Kafka cluster for more")
	}
	return nil
}

// kfakeLogger passes on what needs a look; each request is information to kfake.
type kfakeLogger struct{ log *slog.Logger }

func (l kfakeLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("embedded broker: " + fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Debug("embedded broker: " + fmt.Sprintf(format, args...))
	}
}
