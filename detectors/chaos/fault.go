package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is a kind of fault: of the closed set Kinds.
type Kind string

// Kinds of faults.
const (
	KillWorker       Kind = "kill-worker"        // kill -9, at any moment
	KillAtFindings   Kind = "kill-at-findings"   // as findings are written: before the broker has them, or before it is known
	KillAtCheckpoint Kind = "kill-at-checkpoint" // as checkpoints are
	KillAtInputs     Kind = "kill-at-inputs"     // as the areas' logs are
	KillAtCommit     Kind = "kill-at-commit"     // as offsets of ingest or detect are committed
	AddWorker        Kind = "add-worker"
	RemoveWorker     Kind = "remove-worker"   // SIGTERM
	ExpireSession    Kind = "expire-session"  // SIGSTOP for longer than the session lasts, then SIGCONT
	CutNetwork       Kind = "cut-network"     // between a worker and one or all brokers, reset or hanging
	FailCommit       Kind = "fail-commit"     // the broker refuses it, or it is lost, or its answer is
	LoseAnswer       Kind = "lose-answer"     // of a write, which the worker repeats
	StopBroker       Kind = "stop-broker"     // kill -9, and started again
	PauseBroker      Kind = "pause-broker"    // SIGSTOP for longer than the others wait for it, then SIGCONT
	DuplicateInput   Kind = "duplicate-input" // a reading comes twice
	ReorderInput     Kind = "reorder-input"   // a reading comes with a delay of its home's, others overtake it
	LateInput        Kind = "late-input"      // a reading comes up to 90 h late, behind newer ones of its home
	MoveHome         Kind = "move-home"       // to another area, told before its date or after it
	ExchangeMeter    Kind = "exchange-meter"
	HomeLeaves       Kind = "home-leaves"
	HomeComes        Kind = "home-comes" // anew or again; of some nothing is ever heard
)

// Kinds lists the closed set.
var Kinds = []Kind{
	KillWorker, KillAtFindings, KillAtCheckpoint, KillAtInputs, KillAtCommit, AddWorker, RemoveWorker,
	ExpireSession, CutNetwork, FailCommit, LoseAnswer, StopBroker, PauseBroker, DuplicateInput, ReorderInput, LateInput,
	MoveHome, ExchangeMeter, HomeLeaves, HomeComes,
}

// ofFeed reports whether a kind comes with the feed, and no schedule deals it.
func (k Kind) ofFeed() bool {
	switch k {
	case DuplicateInput, ReorderInput, LateInput, MoveHome, ExchangeMeter, HomeLeaves, HomeComes:
		return true
	default:
		return false
	}
}

// perRound is how many faults strike in a round, beside those of the feed.
const perRound = 4

// fault is one that is to strike. It is a function of seed and round.
type fault struct {
	Kind
	after time.Duration // since the round's begin
	dice  uint64        // what is left to chance in it
}

func (f fault) String() string {
	return fmt.Sprintf("%s after %v", f.Kind, f.after.Round(time.Millisecond))
}

// rng is the fault's own source.
func (f fault) rng() *rand.Rand { return rand.New(rand.NewPCG(f.dice, 3)) } //nolint:gosec // a schedule

// waits reports whether a fault waits for a request, which may not come again
// in its round.
func (k Kind) waits() bool {
	switch k {
	case KillAtFindings, KillAtCheckpoint, KillAtInputs, KillAtCommit, FailCommit, LoseAnswer:
		return true
	default:
		return false
	}
}

// schedule are the faults of a round (from 0), in order. Every kind's turn
// comes equally often: they are dealt like cards. Faults strike within span.
func schedule(seed uint64, round int, kinds []Kind, span time.Duration) []fault {
	rng := rand.New(rand.NewPCG(seed, uint64(round)<<8|2)) //nolint:gosec // a schedule
	var faults []fault
	for i := range min(perRound, perRound*len(kinds)) {
		n := round*perRound + i
		deck := slices.Clone(kinds)
		shuffle := rand.New(rand.NewPCG(seed, uint64(n/len(deck))<<8|4)) //nolint:gosec // a schedule
		shuffle.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
		f := fault{deck[n%len(deck)], time.Duration(rng.Int64N(int64(span))), rng.Uint64()}
		if f.waits() {
			f.after /= 8
		}
		faults = append(faults, f)
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return int(a.after - b.after) })
	return faults
}

// kinds are those of a run.
func (o *Options) kinds() []Kind {
	return slices.DeleteFunc(slices.Clone(Kinds), func(k Kind) bool {
		few := k == PauseBroker && (o.Cluster == nil || o.Cluster.Size() < 3) // nobody else could lead
		return few || k == StopBroker && o.Cluster == nil || slices.Contains(o.Skip, k)
	})
}

// dealt are the kinds that a schedule deals: those of the feed come by
// themselves.
func (o *Options) dealt() []Kind {
	return slices.DeleteFunc(o.kinds(), Kind.ofFeed)
}
