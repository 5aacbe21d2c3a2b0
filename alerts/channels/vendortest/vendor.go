// Package vendortest holds fakes of the vendors' servers: they enforce what the
// vendors document (signatures, clocks, limits in messages and bytes, error
// codes, blocks, repeats) and remember what they got. Tests and the chaos
// command send to them. They share no code with package channels: a mistake
// there must not be a rule here.
package vendortest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// Got is a message that a vendor has taken.
type Got struct {
	To       string // robot, number, user or mail address
	ID       string // what the sender calls it: idempotency key, OutId, task id
	VendorID string // what the vendor calls it
	Kind     string // kind of message, or template
	Text     string // what a person reads
	Buttons  []string
	At       time.Time
}

// Fault is something that a server does wrong.
type Fault string

// Faults.
const (
	Unavailable Fault = "503"         // answers 503
	HTML        Fault = "html"        // answers 200 with a web page
	Huge        Fault = "huge"        // answers 200 with JSON without an end
	Empty       Fault = "empty"       // answers 200 with {}
	Hang        Fault = "hang"        // never answers
	LoseAnswer  Fault = "lose-answer" // takes the message, and the answer is lost
)

// vendor is what all fakes have in common.
type vendor struct {
	now   func() time.Time
	judge func(r *http.Request, body []byte) (status int, answer string)

	mu       sync.Mutex // held while a request is judged
	got      []Got
	requests int
	fault    Fault
	faults   int // requests that it will still strike; negative: all
	counts   map[string][]time.Time
}

func newVendor(now func() time.Time) vendor {
	if now == nil {
		now = time.Now
	}
	return vendor{now: now, counts: make(map[string][]time.Time)}
}

// Got are the messages taken so far.
func (v *vendor) Got() []Got {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Got(nil), v.got...)
}

// Requests counts what was asked so far, whatever the answer.
func (v *vendor) Requests() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests
}

// Break makes the next n requests fail; negative n: all, until it is called
// again with n = 0.
func (v *vendor) Break(f Fault, n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fault, v.faults = f, n
}

// strikes is the fault of this request, "" for none.
func (v *vendor) strikes() Fault {
	v.requests++
	if v.faults == 0 {
		return ""
	}
	if v.faults > 0 {
		v.faults--
	}
	return v.fault
}

// ServeHTTP implements http.Handler.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	v.mu.Lock()
	fault := v.strikes()
	status, answer := http.StatusOK, ""
	if fault == "" || fault == LoseAnswer {
		status, answer = v.judge(r, body)
	}
	v.mu.Unlock()
	switch fault {
	case Unavailable:
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body>Please log in to the network</body></html>")
	case Huge:
		_, _ = io.WriteString(w, `{"errmsg":"`+strings.Repeat("x", 4<<20))
	case Empty:
		_, _ = io.WriteString(w, `{}`)
	case Hang:
		<-r.Context().Done()
	case LoseAnswer:
		panic(http.ErrAbortHandler) // the connection ends without an answer
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}
}

// take remembers a message; its vendor id is made where it has none.
func (v *vendor) take(g Got) Got {
	g.At = v.now()
	if g.VendorID == "" {
		g.VendorID = fmt.Sprintf("vendor-%d", len(v.got)+1)
	}
	v.got = append(v.got, g)
	return g
}

// sentWith is the message of that sender's id, nil when there is none.
func (v *vendor) sentWith(id string) *Got {
	for i := range v.got {
		if v.got[i].ID == id {
			return &v.got[i]
		}
	}
	return nil
}

// within counts what came under a key in the span that ends now, this one
// included when add is true.
func (v *vendor) within(key string, per time.Duration) int {
	n := 0
	for _, at := range v.counts[key] {
		if v.now().Sub(at) < per {
			n++
		}
	}
	return n
}

func (v *vendor) add(key string) { v.counts[key] = append(v.counts[key], v.now()) }

// Serve puts a fake on a loopback port.
func Serve(h http.Handler) *httptest.Server { return httptest.NewServer(h) }

// Client speaks with a fake without a network, so that it can live in a bubble
// of testing/synctest. Any host will do.
func Client(h http.Handler) *http.Client { return &http.Client{Transport: direct{h}} }

type direct struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte{}
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	in := r.Clone(r.Context())
	in.Body, in.RequestURI, in.Host = io.NopCloser(bytes.NewReader(body)), r.URL.RequestURI(), r.URL.Host
	done := make(chan *http.Response, 1)
	go func() {
		defer close(done)
		defer func() { _ = recover() }() // http.ErrAbortHandler: no answer
		rec := httptest.NewRecorder()
		d.handler.ServeHTTP(rec, in)
		if r.Context().Err() == nil {
			done <- rec.Result()
		}
	}()
	select {
	case resp, ok := <-done:
		if ok {
			return resp, nil
		}
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return nil, io.ErrUnexpectedEOF
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}
