package deliver_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"weimang/alerts"
	"weimang/alerts/deliver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// box is an outbox in memory with the rules of the store's.
type box struct {
	mu       sync.Mutex
	rows     []*row
	records  []deliver.TopicItem
	failures int // of Due, before it works
	begun    []time.Time
	forgot   []time.Time
}

type row struct {
	deliver.Item
	due     time.Time
	outcome deliver.Outcome
	address string // when it was begun
}

func (b *box) put(m alerts.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m.CreatedAt = time.Now()
	if m.Deadline.IsZero() {
		m.Deadline = m.CreatedAt.Add(time.Hour)
	}
	if m.Channel == "" {
		m.Channel = "test"
	}
	n := int64(len(b.rows) + 1)
	m.ID = fmt.Sprint("message-", n)
	b.rows = append(b.rows, &row{Item: deliver.Item{N: n, Message: m}, due: m.CreatedAt, outcome: deliver.Outcome{Status: deliver.Waiting}})
}

func (b *box) row(n int64) *row { return b.rows[n-1] }

func (b *box) Due(_ context.Context, channel string, now time.Time, limit int) (items []deliver.Item, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures > 0 {
		b.failures--
		return nil, errors.New("store is away")
	}
	for _, r := range b.rows {
		if r.Message.Channel == channel && r.outcome.Status == deliver.Waiting && !r.due.After(now) {
			items = append(items, r.Item)
		}
	}
	slices.SortStableFunc(items, func(x, y deliver.Item) int { return cmp.Compare(x.Message.Rank, y.Message.Rank) })
	return items[:min(limit, len(items))], nil
}

func (b *box) NextDue(_ context.Context, channel string) (next time.Time, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.Message.Channel == channel && r.outcome.Status == deliver.Waiting && (next.IsZero() || r.due.Before(next)) {
			next = r.due
		}
	}
	return next, nil
}

func (b *box) Begin(_ context.Context, it deliver.Item, at, lease time.Time, limits []deliver.Limit) (deliver.Turn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.row(it.N)
	if r.due.After(at) {
		return deliver.Turn{}, nil
	}
	for _, l := range limits {
		n, first := 0, time.Time{}
		for _, begun := range b.begun {
			if at.Sub(begun) < l.Per {
				if n++; first.IsZero() {
					first = begun
				}
			}
		}
		if n >= l.N {
			r.due = first.Add(l.Per)
			return deliver.Turn{Wait: r.due}, nil
		}
	}
	b.begun = append(b.begun, at)
	r.Attempts++
	r.due, r.address = lease, it.Message.Address
	return deliver.Turn{Ours: true}, nil
}

func (b *box) ForgetAttempts(_ context.Context, before time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forgot = append(b.forgot, before)
	return nil
}

func (b *box) Finish(_ context.Context, it deliver.Item, out deliver.Outcome) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.row(it.N).outcome, b.row(it.N).due = out, out.RetryAt
	return nil
}

func (b *box) Stranded(_ context.Context, known []string, now time.Time) (items []deliver.Item, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.outcome.Status == deliver.Waiting && (!slices.Contains(known, r.Message.Channel) || r.Message.Deadline.Before(now)) {
			items = append(items, r.Item)
		}
	}
	return items, nil
}

func (b *box) Records(_ context.Context, limit int) ([]deliver.TopicItem, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.records[:min(limit, len(b.records))]), nil
}

func (b *box) Published(_ context.Context, upTo int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = slices.DeleteFunc(b.records, func(it deliver.TopicItem) bool { return it.N <= upTo })
	return nil
}

func (b *box) Depth(context.Context) (messages, records int, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rows {
		if r.outcome.Status == deliver.Waiting {
			messages++
		}
	}
	return messages, len(b.records), nil
}

// sender is a channel that answers as told and remembers when it was asked.
type sender struct {
	mu     sync.Mutex
	answer func(n int, m alerts.Message) error // n counts from 1
	asked  []time.Time
	titles []string
}

func (s *sender) Send(ctx context.Context, m alerts.Message) (deliver.Receipt, error) {
	s.mu.Lock()
	s.asked = append(s.asked, time.Now())
	s.titles = append(s.titles, m.Title)
	n := len(s.asked)
	s.mu.Unlock()
	receipt := deliver.Receipt{VendorID: fmt.Sprint("vendor-", n)}
	if s.answer == nil {
		return receipt, nil
	}
	err := s.answer(n, m)
	if errors.Is(err, errHangs) {
		<-ctx.Done()
		return receipt, deliver.Later(deliver.Unreachable, "hangs: %w", ctx.Err())
	}
	return receipt, err
}

var (
	errHangs = errors.New("hangs")
	busy     = deliver.Later(deliver.Vendor, "busy")
)

// restFor is an answer that says when to come back.
func restFor(d time.Duration) *deliver.Failure {
	return &deliver.Failure{Reason: deliver.Throttled, Retry: true, After: d, Err: errors.New("too fast")}
}

// run starts a deliverer inside a bubble and stops it at the end.
func run(t *testing.T, b *box, channels map[string]deliver.Channel, p deliver.Publisher, o deliver.Options) (*deliver.Deliverer, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	d := deliver.New(b, channels, p, o, slog.New(slog.DiscardHandler), reg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
	return d, reg
}

func one(s *sender) map[string]deliver.Channel { return map[string]deliver.Channel{"test": s} }

func TestAMessageGoesOutWhenTheDelivererIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		d, _ := run(t, b, one(s), nil, deliver.Options{Tick: time.Hour})
		synctest.Wait() // asleep until the tick
		b.put(alerts.Message{})
		start := time.Now()
		d.Wake()
		synctest.Wait()
		if len(s.asked) != 1 || !s.asked[0].Equal(start) {
			t.Errorf("asked at %v, want at once", s.asked)
		}
		if ok, err := d.Drained(t.Context()); !ok || err != nil {
			t.Errorf("drained: %v, %v", ok, err)
		}
	})
}

func TestAMessageGoesOutAtTheTickWithoutAWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		run(t, b, one(s), nil, deliver.Options{Tick: 5 * time.Second})
		synctest.Wait()
		b.put(alerts.Message{})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(s.asked) != 1 {
			t.Errorf("asked %d times, want once", len(s.asked))
		}
	})
}

func TestAFailingChannelIsTriedAgainWithGrowingPausesUntilItRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) error {
			if n < 5 {
				return busy
			}
			return nil
		}}
		b := &box{}
		b.put(alerts.Message{})
		d, reg := run(t, b, one(s), nil, deliver.Options{MinBackoff: 2 * time.Second, MaxBackoff: 8 * time.Second})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.asked) != 5 {
			t.Fatalf("asked %d times, want 5", len(s.asked))
		}
		for i, want := range []time.Duration{2, 4, 8, 8} { // seconds, at most; half of it at least
			pause := s.asked[i+1].Sub(s.asked[i])
			if pause > want*time.Second || pause < want*time.Second/2 {
				t.Errorf("pause %d was %v, want %d s or down to half of it", i+1, pause, want)
			}
		}
		if got := b.row(1); got.Attempts != 5 || got.outcome.Status != deliver.Sent {
			t.Errorf("row: %d attempts, %s", got.Attempts, got.outcome.Status)
		}
		if ok, _ := d.Drained(t.Context()); !ok {
			t.Error("not drained")
		}
		counts := map[string]float64{}
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "weimang_messages_total" && m.GetCounter().GetValue() > 0 {
					name := ""
					for _, l := range m.GetLabel() {
						name += l.GetValue() + " "
					}
					counts[name] = m.GetCounter().GetValue()
				}
			}
		}
		if want := map[string]float64{"test vendor retry ": 4, "test none sent ": 1}; !maps.Equal(counts, want) {
			t.Errorf("attempts %v, want %v", counts, want)
		}
		if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
			t.Errorf("lint: %v %v", problems, err)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) error {
			if n == 1 {
				return restFor(10 * time.Minute)
			}
			return nil
		}}
		b := &box{}
		b.put(alerts.Message{})
		run(t, b, one(s), nil, deliver.Options{})
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if len(s.asked) != 2 || s.asked[1].Sub(s.asked[0]) != 10*time.Minute {
			t.Errorf("asked at %v, want twice, ten minutes apart", s.asked)
		}
	})
}

func TestARestOfDaysIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) error {
			if n == 1 {
				return restFor(48 * time.Hour)
			}
			return nil
		}}
		b := &box{}
		b.put(alerts.Message{})
		run(t, b, one(s), nil, deliver.Options{})
		time.Sleep(61 * time.Minute)
		synctest.Wait()
		if got := b.row(1).outcome; got.Status != deliver.Sent {
			t.Errorf("after an hour: %+v, want sent", got)
		}
	})
}

// A webhook that is down is heard of at once but only once, and when it is back.
func TestAChannelThatFailsIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(n int, _ alerts.Message) error { return map[bool]error{true: busy}[n < 4] }}
		b := &box{}
		b.put(alerts.Message{})
		var log bytes.Buffer
		d := deliver.New(b, one(s), nil, deliver.Options{}, slog.New(slog.NewTextHandler(&log, nil)), prometheus.NewRegistry())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
		for text, n := range map[string]int{"messages are held up": 1, "busy": 1, "messages go out again": 1} {
			if got := strings.Count(log.String(), text); got != n {
				t.Errorf("%q is logged %d times, want %d:\n%s", text, got, n, &log)
			}
		}
	})
}

func TestDeadEnds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		message alerts.Message
		answer  func(int, alerts.Message) error
		asked   int
		reason  deliver.Reason
	}{
		{"a refusal is not tried again", alerts.Message{}, func(int, alerts.Message) error { return deliver.Fail(deliver.BadAddress, "no such number") }, 1, deliver.BadAddress},
		{"an unknown channel is given up at once", alerts.Message{Channel: "pigeon"}, nil, 0, deliver.NoChannel},
		{
			"no retry is planned past the deadline",
			alerts.Message{Deadline: time.Date(2000, 1, 1, 0, 0, 10, 0, time.UTC)},
			func(int, alerts.Message) error { return restFor(time.Minute) }, 1, deliver.Throttled,
		},
		{"a message past its deadline is not sent", alerts.Message{Deadline: time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)}, nil, 0, deliver.Deadline},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the bubble's clock starts on 1 January 2000
				s, b := &sender{answer: tc.answer}, &box{}
				b.put(tc.message)
				d, _ := run(t, b, one(s), nil, deliver.Options{})
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(s.asked) != tc.asked {
					t.Errorf("asked %d times, want %d", len(s.asked), tc.asked)
				}
				if got := b.row(1).outcome; got.Status != deliver.Dead || got.Error == "" || got.Reason != tc.reason {
					t.Errorf("outcome %+v, want dead for %s", got, tc.reason)
				}
				if ok, _ := d.Drained(t.Context()); !ok {
					t.Error("a dead message keeps the outbox from being drained")
				}
			})
		})
	}
}

func TestAHangingChannelHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &sender{answer: func(int, alerts.Message) error { return errHangs }}
		works := &sender{}
		b := &box{}
		b.put(alerts.Message{Channel: "hangs"})
		b.put(alerts.Message{Channel: "works"})
		start := time.Now()
		run(t, b, map[string]deliver.Channel{"hangs": hangs, "works": works}, nil, deliver.Options{SendTimeout: 10 * time.Second})
		synctest.Wait()
		if len(works.asked) != 1 {
			t.Error("a channel waited for another one")
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if len(hangs.asked) < 2 || hangs.asked[1].Sub(start) < 10*time.Second {
			t.Errorf("the hanging attempt was not ended by its time limit: asked at %v", hangs.asked)
		}
	})
}

func TestFirstContactIsSentAheadOfFollowUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		b.put(alerts.Message{Title: "clear", Rank: alerts.AllClear})
		b.put(alerts.Message{Title: "follow", Rank: alerts.FollowUp})
		b.put(alerts.Message{Title: "first", Rank: alerts.FirstContact})
		run(t, b, one(s), nil, deliver.Options{Concurrency: 1})
		synctest.Wait()
		if want := []string{"first", "follow", "clear"}; !slices.Equal(s.titles, want) {
			t.Errorf("sent in order %v, want %v", s.titles, want)
		}
	})
}

func TestAMessageUnderWayAtTheStopIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{answer: func(int, alerts.Message) error { return errHangs }}
		b := &box{}
		b.put(alerts.Message{})
		ctx, cancel := context.WithCancel(t.Context())
		d := deliver.New(b, one(s), nil, deliver.Options{}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
		done := make(chan error)
		go func() { done <- d.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
		if got := b.row(1); got.outcome.Status != deliver.Waiting || got.due.After(time.Now()) {
			t.Errorf("after the stop: %+v, want waiting and due", got.outcome)
		}
	})
}

func TestAStoreThatIsAwayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{failures: 4}, &sender{}
		b.put(alerts.Message{})
		run(t, b, one(s), nil, deliver.Options{})
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(s.asked) != 1 {
			t.Errorf("asked %d times, want once after the store is back", len(s.asked))
		}
	})
}

// broker takes records, failing the first times.
type broker struct {
	failures int
	got      []string
}

func (p *broker) Publish(_ context.Context, records []alerts.Record) error {
	if p.failures > 0 {
		p.failures--
		return busy
	}
	for _, r := range records {
		p.got = append(p.got, r.ID)
	}
	return nil
}

func TestTransitionsArePublishedInOrderAfterTheBrokerRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, p := &box{}, &broker{failures: 3}
		for i := range 7 {
			b.records = append(b.records, deliver.TopicItem{N: int64(i + 1), Record: alerts.Record{ID: fmt.Sprint(i + 1)}})
		}
		d, _ := run(t, b, nil, p, deliver.Options{Records: 3})
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []string{"1", "2", "3", "4", "5", "6", "7"}; !slices.Equal(p.got, want) {
			t.Errorf("published %v", p.got)
		}
		if ok, _ := d.Drained(t.Context()); !ok {
			t.Error("not drained")
		}
	})
}

// Twenty a minute and not one more, whatever waits; and what is pressing does
// not wait behind what is not.
func TestALimitPutsOffWhatIsOverItAndNothingIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		for range 50 {
			b.put(alerts.Message{Title: "follow", Rank: alerts.FollowUp})
		}
		_, reg := run(t, b, one(s), nil, deliver.Options{Concurrency: 1, Limits: map[string][]deliver.Limit{"test": {{N: 20, Per: time.Minute, Of: deliver.OfAddress}}}})
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if len(s.asked) != 20 {
			t.Fatalf("%d in the first minute, want 20", len(s.asked))
		}
		b.put(alerts.Message{Title: "first", Rank: alerts.FirstContact})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(s.asked) != 51 {
			t.Fatalf("%d in all, want 51", len(s.asked))
		}
		if s.titles[20] != "first" {
			t.Errorf("when there was room, %q went first", s.titles[20])
		}
		for i, at := range s.asked[20:] {
			if span := at.Sub(s.asked[i]); span < time.Minute {
				t.Errorf("message %d came %v after the 20th before it", i+20, span)
			}
		}
		if n, err := testutil.GatherAndCount(reg, "weimang_message_limit_wait_seconds"); err != nil || n != 1 {
			t.Errorf("waits are not measured: %d, %v", n, err)
		}
	})
}

// To wait for room that comes too late would only hide that nobody is told.
func TestAMessageWithoutRoomBeforeItsDeadlineIsGivenUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, s := &box{}, &sender{}
		b.put(alerts.Message{})
		b.put(alerts.Message{})
		run(t, b, one(s), nil, deliver.Options{Limits: map[string][]deliver.Limit{"test": {{N: 1, Per: 24 * time.Hour, Of: deliver.OfAddress}}}})
		synctest.Wait()
		if got := b.row(2).outcome; got.Status != deliver.Dead || got.Reason != deliver.Throttled {
			t.Errorf("outcome %+v", got)
		}
	})
}

func TestTheReceiptsNameIsKeptAndAThrottledAddressHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{}
		b.put(alerts.Message{})
		run(t, b, one(&sender{}), nil, deliver.Options{})
		synctest.Wait()
		if got := b.row(1).outcome; got.Status != deliver.Sent || got.VendorID != "vendor-1" || got.Reason != "" {
			t.Errorf("outcome %+v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := &box{}
		b.put(alerts.Message{})
		start := time.Now()
		run(t, b, one(&sender{answer: func(int, alerts.Message) error { return restFor(10 * time.Minute) }}), nil, deliver.Options{})
		synctest.Wait()
		if got := b.row(1).outcome; got.Status != deliver.Waiting || !got.Hold.Equal(start.Add(10*time.Minute)) {
			t.Errorf("outcome %+v", got)
		}
	})
}

// The operator stands in the configuration, and the store knows no address of hers.
func TestTheOperatorsAddressComesFromTheConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{}
		b.put(alerts.Message{Fallback: true})
		b.put(alerts.Message{Fallback: true, Address: "of the store"})
		b.put(alerts.Message{})
		run(t, b, one(&sender{}), nil, deliver.Options{FallbackAddress: "of the configuration"})
		synctest.Wait()
		for n, want := range map[int64]string{1: "of the configuration", 2: "of the store", 3: ""} {
			if got := b.row(n).address; got != want {
				t.Errorf("message %d went to %q, want %q", n, got, want)
			}
		}
	})
}

func TestOldAttemptsAreForgottenOnceAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{}
		start := time.Now()
		run(t, b, one(&sender{}), nil, deliver.Options{Limits: map[string][]deliver.Limit{"test": {{N: 1, Per: 24 * time.Hour}, {N: 1, Per: time.Minute}}}})
		time.Sleep(90 * time.Minute)
		synctest.Wait()
		if len(b.forgot) != 2 || !b.forgot[0].Equal(start.Add(-24*time.Hour)) {
			t.Errorf("forgotten %v", b.forgot)
		}
	})
}

// A channel with a mistake loses no message.
func TestAnErrorWithoutAReasonIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{}
		b.put(alerts.Message{})
		run(t, b, one(&sender{answer: func(int, alerts.Message) error { return errors.New("oops") }}), nil, deliver.Options{})
		synctest.Wait()
		if got := b.row(1).outcome; got.Status != deliver.Waiting || got.Reason != deliver.Vendor {
			t.Errorf("outcome %+v", got)
		}
	})
}

func TestLimitsAreReadAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{"20/1m", "1000/1h", "all:5/1s", "2/24h", "1/1h30m", "3/1m30s", "1/30s"} {
		limits, err := deliver.ParseLimits([]string{text})
		if err != nil || len(limits) != 1 || limits[0].String() != text {
			t.Errorf("%s: %v (%v)", text, limits, err)
		}
	}
	if limits, err := deliver.ParseLimits([]string{"none"}); err != nil || limits == nil || len(limits) != 0 || deliver.FormatLimits(limits) != "none" {
		t.Errorf("none: %v, %v", limits, err)
	}
	both, err := deliver.ParseLimits([]string{"20/1m", "all:100/1m"})
	if err != nil || deliver.FormatLimits(both) != "20/1m,all:100/1m" || both[0].Of != deliver.OfAddress || both[1].Of != deliver.OfChannel {
		t.Errorf("two: %v, %v", both, err)
	}
	for _, bad := range []string{"", "20", "20/", "/1m", "0/1m", "-1/1m", "20/1ms", "20/1000h", "20/m", "each:20/1m", "x/1m", "none/1m"} {
		if limits, err := deliver.ParseLimits([]string{bad}); err == nil {
			t.Errorf("%q was read as %v", bad, limits)
		}
	}
	if _, err := deliver.ParseLimits([]string{"20/1m", "none"}); err == nil {
		t.Error("some and none at once")
	}
}
