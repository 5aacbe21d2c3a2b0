package chaos

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"weimang/alerts/channels"
)

// Receipt is what a sender learns of a message that the vendor has taken.
type Receipt string

// Receipts.
const (
	Given    Receipt = "given"    // it was answered
	Withheld Receipt = "withheld" // it was taken, and the answer never came: the sender cannot know
	Cut      Receipt = "cut"      // it was taken, and the sender was killed before it had noted the answer
)

// Delivery is a message that the vendor has taken: somebody's phone has rung.
type Delivery struct {
	ID      string
	Worker  string // who sent it
	At      time.Time
	Receipt Receipt
}

// vendor takes messages as a webhook does and remembers what it got. Like those
// of the chat programs it does not know a message again.
type vendor struct {
	server *httptest.Server
	mu     sync.Mutex
	rng    *rand.Rand
	calm   bool // it does what it should
	got    []Delivery
	said   map[string]int // answers other than a receipt, by what they were
	// strike is called with the sender while the next message is being taken,
	// before or after it is answered; nil is nothing.
	strike func(worker string)
	before bool
}

func newVendor(seed uint64) *vendor {
	v := &vendor{rng: rand.New(rand.NewPCG(seed, 0x76656e646f72)), said: map[string]int{}}
	v.server = httptest.NewServer(v)
	return v
}

// patience is longer than a sender waits for an answer.
const patience = 1500 * time.Millisecond

// ServeHTTP takes a message: POST /worker.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	worker := strings.Trim(r.URL.Path, "/")
	v.mu.Lock()
	fault := v.rng.IntN(100)
	if v.calm {
		fault = 99
	}
	if fault < 6 {
		v.said["503"]++
		v.mu.Unlock()
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if fault < 9 {
		v.said["429"]++
		v.mu.Unlock()
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	d := Delivery{ID: r.Header.Get(channels.HeaderIdempotency), Worker: worker, At: time.Now(), Receipt: Given}
	if fault < 15 {
		d.Receipt = Withheld
	}
	v.got = append(v.got, d)
	strike, before := v.strike, v.before
	v.strike = nil
	v.mu.Unlock()
	if strike != nil && before {
		strike(worker)
		panic(http.ErrAbortHandler) // there is nobody to answer
	}
	switch {
	case fault < 12:
		panic(http.ErrAbortHandler)
	case fault < 15:
		time.Sleep(patience)
	}
	w.WriteHeader(http.StatusOK)
	if strike != nil {
		_ = http.NewResponseController(w).Flush()
		strike(worker)
	}
}

// arm has strike called at the next message.
func (v *vendor) arm(before bool, strike func(worker string)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.strike, v.before = strike, before
}

func (v *vendor) behave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.calm, v.strike = true, nil
}

// taken is a copy of all deliveries.
func (v *vendor) taken() []Delivery {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Delivery(nil), v.got...)
}

// cut notes that the receipts of some messages were lost with their sender.
func (v *vendor) cut(worker string, lost func(Delivery) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range v.got {
		if d := &v.got[i]; d.Worker == worker && d.Receipt == Given && lost(*d) {
			d.Receipt = Cut
		}
	}
}
