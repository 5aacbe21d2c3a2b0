package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"weimang/ingest"
	"weimang/ingest/contract"
	"weimang/ingest/intake"
	"weimang/ingest/stream"
)

const (
	clientID = "weimang-chaos"
	// Groups of the workers.
	ingestGroup = intake.DefaultGroup
	detectGroup = "weimang-detect"
	// cleanupLimit is what deleting topics may take, also after an interrupt.
	cleanupLimit = 20 * time.Second
	// stuckAfter is how long the workers may take to work off what has come,
	// once nothing disturbs them any more.
	stuckAfter = 2 * time.Minute
	// leaveLimit is what a worker has to leave in before it is killed.
	leaveLimit = 20 * time.Second
)

// Run goes through the rounds, up to the first difference. An error means that
// they could not be run. Topics and groups are deleted either way.
func Run(ctx context.Context, opts Options) (Result, error) {
	if err := opts.Validate(); err != nil {
		return Result{}, fmt.Errorf("chaos: %w", err)
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Stage == nil {
		opts.Stage = func(string) {}
	}
	if opts.Logs != "" {
		if err := os.MkdirAll(opts.Logs, 0o700); err != nil {
			return Result{}, fmt.Errorf("chaos: logs of the workers: %w", err)
		}
	}
	opts.Params.UsualDelay = usualDelay
	opts.Stage("making up a village")
	f, err := makeFeed(&opts)
	if err != nil {
		return Result{}, fmt.Errorf("chaos: %w", err)
	}
	res := Result{Seed: opts.Seed, Faults: make(map[Kind]int)}
	for _, d := range f.days {
		for _, h := range d.halves {
			res.Readings += len(h.readings)
		}
	}
	opts.Stage("undisturbed run")
	var calm outcome
	err = opts.within(ctx, "calm.", func(ctx context.Context, s *site) (err error) {
		calm, err = s.calm(ctx, f)
		return err
	})
	if err != nil {
		return res, fmt.Errorf("chaos: undisturbed run: %w", err)
	}
	err = opts.within(ctx, "chaos.", func(ctx context.Context, s *site) error {
		return s.disturbed(ctx, f, calm, &res)
	})
	if err != nil {
		return res, fmt.Errorf("chaos: %w", err)
	}
	return res, nil
}

// site is one of the two runs: its topics, and what watches it without being
// disturbed.
type site struct {
	*Options
	prefix   string
	client   *stream.Client
	producer *stream.Producer
	model    *model
	clock    clocked
}

// within makes the topics of a run, and deletes them after it.
func (o *Options) within(ctx context.Context, prefix string, do func(context.Context, *site) error) (err error) {
	s := &site{Options: o, prefix: o.Prefix + prefix}
	s.client, err = stream.NewClient(stream.Config{Brokers: o.Brokers, ClientID: clientID, Prefix: s.prefix, Logger: o.Logger})
	if err != nil {
		return err
	}
	defer s.client.Close()
	topics := stream.Topics(o.Partitions, stream.Retention{})
	if err := s.client.EnsureTopics(ctx, topics); err != nil {
		return err
	}
	defer func() {
		// A group whose members were killed, or that is moving to another
		// broker, cannot be deleted at once.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
		defer cancel()
		e := s.client.Delete(clean, topics, []string{ingestGroup, detectGroup})
		for e != nil && pause(clean, time.Second) == nil {
			e = s.client.Delete(clean, topics, []string{ingestGroup, detectGroup})
		}
		if e != nil {
			err = errors.Join(err, fmt.Errorf("topics with the prefix %s are left: %w", s.prefix, e))
		}
	}()
	s.producer, s.model = stream.NewProducer(s.client), newModel(s.client, &o.Params)
	return do(ctx, s)
}

// worker starts a process of the run.
func (s *site) worker(ctx context.Context, name int, via string, checkpointEvery time.Duration) (*worker, error) {
	return startWorker(ctx, s.Command, s.Logs, WorkerOptions{
		Name: name, Brokers: s.Brokers, Via: via, Prefix: s.prefix, Session: s.Session,
		CheckpointEvery: checkpointEvery, UsualDelay: s.Params.UsualDelay, Sabotage: s.Broken,
	})
}

// calm is the undisturbed run: one worker, everything in order and once.
func (s *site) calm(ctx context.Context, f *feed) (outcome, error) {
	if err := intake.PublishRoster(ctx, s.producer, f.homes); err != nil {
		return outcome{}, err
	}
	one := *s // by the rules, whatever is broken in the other run
	options := *s.Options
	options.Broken = ""
	one.Options = &options
	w, err := one.worker(ctx, 1, "", s.Session/8)
	if err != nil {
		return outcome{}, err
	}
	defer w.leave(leaveLimit)
	attend := func(context.Context, time.Duration) error { return w.died() }
	if err := s.settle(ctx, f.homes, attend); err != nil {
		return outcome{}, err
	}
	for d := range f.days {
		for h := range f.days[d].halves {
			half := &f.days[d].halves[h]
			if err := s.send(ctx, s.clock.readings(half.readings)); err != nil {
				return outcome{}, err
			}
			if err := s.tell(ctx, half, attend); err != nil {
				return outcome{}, err
			}
		}
		// No area may be so far ahead of another that a home comes too late.
		if d >= warmUpDays && d%2 == 0 {
			if _, err := s.workedOff(ctx, attend); err != nil {
				return outcome{}, err
			}
		}
	}
	wrong, err := s.settled(ctx, attend)
	if err == nil && len(wrong) > 0 {
		err = fmt.Errorf("is not what its own log comes to: %s", wrong[0])
	}
	if err != nil {
		return outcome{}, err
	}
	return s.model.result(newSender(s.Options, f).late, f)
}

// settle waits until the areas know their homes. Since when they do goes by the
// clock, which must not be the feed's of one time in one run and of another in
// the other.
func (s *site) settle(ctx context.Context, homes []ingest.Home, attend attendant) error {
	return until(ctx, attend, func(ctx context.Context) (bool, error) {
		known := make(map[string]bool)
		for p := range s.Partitions {
			if _, err := stream.ReadAll(ctx, s.client, ingest.TopicInputs, p, func(r stream.Record) error {
				inputs, err := contract.DecodeInputs(r.Value)
				for i := range inputs {
					if in := &inputs[i]; in.Residence != nil {
						known[in.Residence.HouseholdID] = true
					}
				}
				return err
			}); err != nil {
				return false, err
			}
		}
		if n := len(known); n < len(homes) {
			return false, fmt.Errorf("%d of %d homes are in the areas' logs", n, len(homes))
		}
		return true, nil
	})
}

func (s *site) send(ctx context.Context, recs []stream.Record) error {
	return s.producer.Produce(ctx, ingest.TopicReadings, recs)
}

// tell sends the words at the end of a half, once ingest has the readings before
// them, and waits until it has them.
func (s *site) tell(ctx context.Context, h *half, attend attendant) error {
	if len(h.words) == 0 {
		return nil
	}
	if err := s.ingested(ctx, attend); err != nil {
		return err
	}
	// What the roster says first: whom the rest is about, and where, goes by it.
	for _, roster := range []bool{true, false} {
		said := false
		for _, w := range h.words {
			if (w.topic == ingest.TopicRoster) != roster {
				continue
			}
			rec := stream.Record{Key: []byte(w.key), Value: w.value, Headers: s.clock.header()}
			if err := s.producer.Produce(ctx, w.topic, []stream.Record{rec}); err != nil {
				return err
			}
			said = true
		}
		if said {
			if err := s.ingested(ctx, attend); err != nil {
				return err
			}
		}
	}
	return nil
}

// attendant looks after the workers while they are waited for, and is told for
// how long they have been. An error ends the wait.
type attendant func(ctx context.Context, waited time.Duration) error

// errStuck: the workers do not get on although nothing disturbs them.
var errStuck = errors.New("the workers do not catch up")

// until asks every so often until the answer is yes, for at most stuckAfter.
// An error is a no as well: while a broker is away there is no answer.
func until(ctx context.Context, attend attendant, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stuckAfter, errStuck)
	defer cancel()
	var last error
	begun := time.Now()
	for {
		yes, err := ask(ctx)
		switch {
		case ctx.Err() != nil:
			return errors.Join(context.Cause(ctx), last)
		case err == nil && yes:
			return nil
		}
		last = err
		if err := attend(ctx, time.Since(begun)); err != nil {
			return err
		}
		if pause(ctx, pollEvery) != nil {
			return errors.Join(context.Cause(ctx), last)
		}
	}
}

const pollEvery = 50 * time.Millisecond

// ingested waits until everything sent so far is in the areas' logs.
func (s *site) ingested(ctx context.Context, attend attendant) error {
	return until(ctx, attend, func(ctx context.Context) (bool, error) {
		for _, topic := range []string{ingest.TopicReadings, ingest.TopicIncidents, ingest.TopicDirectives, ingest.TopicRoster} {
			if lag, err := s.client.Lag(ctx, ingestGroup, topic); err != nil || lag > 0 {
				return false, cmp.Or(err, fmt.Errorf("%d records of %s are not in the areas' logs", lag, topic))
			}
		}
		return true, nil
	})
}

// workedOff waits until everything sent so far is found, saved and committed, and
// returns where the logs end.
func (s *site) workedOff(ctx context.Context, attend attendant) (ends []int64, err error) {
	if err := s.ingested(ctx, attend); err != nil {
		return nil, err
	}
	err = until(ctx, attend, func(ctx context.Context) (_ bool, err error) {
		if ends, err = s.client.EndOffsets(ctx, ingest.TopicInputs); err != nil {
			return false, err
		}
		lag, err := s.client.Lag(ctx, detectGroup, ingest.TopicInputs)
		if err == nil && lag > 0 {
			err = fmt.Errorf("%d records of the areas' logs are not found, saved and committed", lag)
		}
		if err != nil {
			return false, err
		}
		// An area hands a home over by the log of another, before it commits.
		now, err := s.client.EndOffsets(ctx, ingest.TopicInputs)
		return err == nil && slices.Equal(ends, now), err
	})
	return ends, err
}

// settled waits until everything is worked off, and compares it with the logs.
func (s *site) settled(ctx context.Context, attend attendant) ([]string, error) {
	ends, err := s.workedOff(ctx, attend)
	if err != nil {
		return nil, err
	}
	return s.model.check(ctx, ends)
}

// disturbed is the other run.
func (s *site) disturbed(ctx context.Context, f *feed, calm outcome, res *Result) (err error) {
	if err := intake.PublishRoster(ctx, s.producer, f.homes); err != nil {
		return err
	}
	st, err := newStorm(s, f, res)
	if err != nil {
		return err
	}
	defer st.end()
	defer func() {
		maps.Copy(res.Faults, st.feeds.counts)
		res.Entries, res.Transitions, res.Repeats, res.Checkpoints = s.model.entries, len(s.model.said), s.model.repeats, s.model.checked
	}()
	if err := st.begin(ctx); err != nil {
		return err
	}
	where := ""
	differs := func(wrong []string) error {
		if len(wrong) > 0 {
			res.Difference = &Difference{Where: where, What: wrong, Faults: st.told()}
		}
		return nil
	}
	for d := range f.days {
		var stage string
		var faults []fault
		switch round := d - warmUpDays + 1; {
		case round < 1:
			stage = "days before the first round"
		case round <= s.Rounds:
			stage = fmt.Sprintf("round %d of %d", round, s.Rounds)
			faults = schedule(s.Seed, round-1, st.kinds, st.span)
			res.Rounds = round
		default:
			stage = "quiet days after the last round"
		}
		if stage != where {
			where = stage
			s.Stage(where)
		}
		wrong, err := st.day(ctx, d, faults)
		switch {
		case errors.Is(err, errStuck):
			return differs(append(strings.Split(err.Error(), "\n"), st.last()...))
		case err != nil:
			return fmt.Errorf("%s: %w", where, err)
		case len(wrong) > 0:
			return differs(wrong)
		}
	}
	result, err := s.model.result(st.feeds.late, f)
	if err != nil {
		return err
	}
	res.Episodes, res.Areas = len(result.episodes), len(result.areas)
	where = "comparison with the undisturbed run"
	if wrong := calm.differs(&result, s.model.params); len(wrong) > 0 {
		return differs(wrong)
	}
	return errors.Join(st.net.sound(), st.struck())
}
