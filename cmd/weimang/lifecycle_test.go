package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errBroken = errors.New("broken")

func quietLifecycle(ctx context.Context) *lifecycle {
	return newLifecycle(ctx, slog.New(slog.DiscardHandler))
}

func TestStopsRunLastInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLifecycle(t.Context())
		var order []string
		note := func(name string) func(context.Context) error {
			return func(context.Context) error { order = append(order, name); return nil }
		}
		l.add("store", note("store"))
		l.goRun("ingest", func(ctx context.Context) error {
			<-ctx.Done()
			order = append(order, "ingest")
			return ctx.Err()
		})
		l.add("page", note("page"))
		if err := l.stop(time.Minute); err != nil {
			t.Error(err)
		}
		if want := []string{"page", "ingest", "store"}; !slices.Equal(order, want) {
			t.Errorf("stopped %v, want %v", order, want)
		}
	})
}

func TestASignalLeavesComponentsRunningUntilTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, signal := context.WithCancelCause(t.Context())
		l := quietLifecycle(ctx)
		running := true
		l.goRun("ingest", func(ctx context.Context) error {
			<-ctx.Done()
			running = false
			return nil
		})
		l.add("page", func(context.Context) error {
			synctest.Wait()
			if !running {
				t.Error("ingest was stopped before what stands on it")
			}
			return nil
		})
		signal(errors.New("interrupt signal received"))
		if err := l.wait(); err != nil {
			t.Errorf("a signal is no failure: %v", err)
		}
		if err := l.stop(time.Minute); err != nil || running {
			t.Errorf("stop: %v, ingest running: %v", err, running)
		}
	})
}

func TestTheFirstErrorEndsTheLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLifecycle(t.Context())
		l.goRun("detect", func(ctx context.Context) error { <-ctx.Done(); return nil })
		l.goRun("sender", func(context.Context) error { return nil }) // has done its work
		l.goRun("ingest", func(context.Context) error {
			time.Sleep(time.Hour)
			return errBroken
		})
		began := time.Now()
		err := l.wait()
		if !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "ingest: ") {
			t.Errorf("wait: %v", err)
		}
		if took := time.Since(began); took != time.Hour {
			t.Errorf("waited %s: a component that is done must not end the others", took)
		}
		if err := l.stop(time.Minute); err != nil {
			t.Errorf("stop repeats the error of wait: %v", err)
		}
	})
}

// A demo or a replay works on the life's context. When a component fails it
// sees no more than a context that ended.
func TestWorkThatWasCutShortIsBlamedOnTheComponentThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLifecycle(t.Context())
		full := errors.New("disk full")
		if err := l.reason(full); !errors.Is(err, full) {
			t.Errorf("while all is well: %v", err)
		}
		l.goRun("ingest", func(context.Context) error { return errBroken })
		<-l.context().Done()
		for name, err := range map[string]error{
			"work that was cut short":    fmt.Errorf("send: %w", l.context().Err()),
			"waiting for the end itself": nil,
		} {
			if got := l.reason(err); !errors.Is(got, errBroken) || !strings.HasPrefix(got.Error(), "ingest: ") {
				t.Errorf("%s: %v", name, got)
			}
		}
		if err := l.reason(full); !errors.Is(err, full) {
			t.Errorf("an error of the work's own was hidden: %v", err)
		}
		if err := l.stop(time.Minute); err != nil {
			t.Error(err)
		}

		ctx, signal := context.WithCancel(t.Context())
		l = quietLifecycle(ctx)
		signal()
		if err := l.reason(context.Canceled); !errors.Is(err, context.Canceled) {
			t.Errorf("a signal: %v", err)
		}
		if err := l.reason(nil); err != nil {
			t.Errorf("a signal while waiting for it: %v", err)
		}
	})
}

func TestStopNamesWhatFailedAndWhatTookTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLifecycle(t.Context())
		closed := false
		l.add("store", func(context.Context) error { closed = true; return nil })
		l.add("page", func(context.Context) error { return errBroken })
		hang := make(chan struct{})
		l.add("deliver", func(context.Context) error { <-hang; return nil })
		l.goRun("ingest", func(ctx context.Context) error { <-hang; return ctx.Err() })

		began := time.Now()
		err := l.stop(10 * time.Second)
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("took %s", took)
		}
		for _, part := range []string{"stop ingest: not done within 10s", "stop deliver: not done within 10s", "stop page: broken"} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("error lacks %q: %v", part, err)
			}
		}
		if !errors.Is(err, errBroken) {
			t.Error("the cause is lost")
		}
		if !closed {
			t.Error("the store was not closed because others hung")
		}
		close(hang)
	})
}

func TestAReaderWhoNeverFinishesIsCutOffAndNoFailure(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serveHTTP(ctx, server, listener) }()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // cut off by the server
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: weimang\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	<-asked
	stop()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestAnErrorWhileStoppingIsTheStopsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLifecycle(t.Context())
		l.goRun("detect", func(ctx context.Context) error { <-ctx.Done(); return errBroken })
		if err := l.stop(time.Second); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "stop detect") {
			t.Errorf("stop: %v", err)
		}
	})
}
