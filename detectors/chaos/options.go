package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"time"

	"weimang/detectors"
	"weimang/detectors/detect"
)

// Cluster stops and starts the brokers themselves.
type Cluster interface {
	// Size is how many brokers there are.
	Size() int
	// Kill ends broker n (from 0) as a loss of power to its process would.
	Kill(n int) error
	// Start begins it again, over what it has kept, and returns when it
	// answers.
	Start(ctx context.Context, n int) error
	// Pause holds it, of three brokers or more.
	Pause(n int) error
	// Resume lets it go on, without its knowing.
	Resume(n int) error
}

// brokerLost is for how long a broker must be held to be lost to the others: three
// seconds is the session that deploy/local/kafka gives them.
const brokerLost = 4 * time.Second

// Options of a run.
type Options struct {
	Brokers []string // host:port, plain text
	Prefix  string   // of topics and groups of this run, which are deleted after it
	Rounds  int
	// Seed decides what happens in the village, and which faults strike what,
	// after how long. What a fault meets is up to the machine.
	Seed       uint64
	Homes      int
	Areas      int
	Partitions int // of the topics
	Workers    int // at the begin of each round, at least
	// Session is the session timeout of the workers' groups. All else that
	// has to do with time follows from it.
	Session time.Duration
	// Command is how a worker is started; its input is kept open for as long as
	// it shall live.
	Command func(context.Context, WorkerOptions) *exec.Cmd
	Logs    string  // folder for what each worker logs; "": only the last of it is kept, for a difference
	Cluster Cluster // nil: no broker is stopped
	// Embedded: the broker is the embedded one. It keeps a member whose
	// connection broke while it was being let into a group, partitions and all,
	// until somebody else joins (kfake starts no session timer for it).
	Embedded bool
	Skip     []Kind          // faults that are left out
	Broken   detect.Sabotage // "": none
	// Params are the detectors'; the feed's usual delay is set here.
	Params detectors.Params
	Stage  func(name string) // told of each stage and round as it begins; nil: nobody is
	Logger *slog.Logger      // nil: silent
}

// DefaultOptions are those of the command. Brokers, Prefix, Command and Params
// are missing.
func DefaultOptions() Options {
	return Options{
		Rounds: 50, Seed: 1, Homes: 48, Areas: 6, Partitions: 4, Workers: 2, Session: 2 * time.Second,
	}
}

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Rounds < 1 || o.Rounds > 1000 {
		bad("%d rounds: 1 to 1000 can be run", o.Rounds)
	}
	if o.Areas < 1 || o.Homes < o.Areas || o.Homes > 10_000 {
		bad("%d homes in %d areas: at least one an area, and at most 10,000", o.Homes, o.Areas)
	}
	if o.Partitions < 1 || o.Workers < 1 {
		bad("%d partitions, %d workers: at least one is needed", o.Partitions, o.Workers)
	}
	if o.Session < 500*time.Millisecond || o.Session > time.Minute {
		bad("a session timeout of %v: 500ms to 1m", o.Session)
	}
	if len(o.Brokers) == 0 || o.Prefix == "" || o.Command == nil {
		bad("brokers, a prefix and a command for workers are needed")
	}
	if o.Broken != "" && !slices.Contains(detect.Sabotages, o.Broken) {
		bad("sabotage %q must be one of %v", o.Broken, detect.Sabotages)
	}
	return errors.Join(errs...)
}

// Result is what a run came to.
type Result struct {
	Seed        uint64
	Rounds      int          // gone through
	Faults      map[Kind]int // that struck
	Missed      int          // that were laid and met nothing
	Readings    int          // sent, without duplicates
	Entries     int          // of the areas' logs
	Transitions int          // found, without repeats
	Repeats     int          // findings that were written again
	Episodes    int          // of them
	Checkpoints int          // compared
	Areas       int          // whose settled state was compared
	Difference  *Difference  // nil: none
}

// Difference is something that would not be there if nothing had happened.
type Difference struct {
	Where string   // in the run it was found
	What  []string // a line each
	// Faults are those of the run so far, in order.
	Faults []string
}
