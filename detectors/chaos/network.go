package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// everyBroker stands for all of them in a cut.
const everyBroker = ""

// network is what lies between the workers and the brokers: every connection
// of a worker goes through it. It knows where a message begins and ends and
// what it asks for, so that a fault can strike at exactly that message.
type network struct {
	ln net.Listener

	mu    sync.Mutex
	links map[*link]struct{}
	cuts  map[*cut]struct{}
	traps []*trap
	ended bool
	err   error // the first message that could not be read
	done  sync.WaitGroup
}

// cut is a part of the network that does not work.
type cut struct {
	worker int
	broker string // address, or everyBroker
	// hangs: what is sent waits and goes on at the end, as when packets are
	// lost. Otherwise connections are reset and refused.
	hangs  bool
	healed chan struct{}
}

func (c *cut) covers(l *link) bool {
	return c.worker == l.worker && (c.broker == everyBroker || c.broker == l.broker)
}

// trap waits for one message, of any worker.
type trap struct {
	matches func(*request) bool
	// answered: it springs when the answer has come, which the worker then
	// does not get. Otherwise the broker does not get the message.
	answered bool
	// spring does what there is to be done, and returns what becomes of the
	// message: nil, it is lost and the connection with it; empty, it alone is.
	spring func(l *link, r *request, frame []byte) []byte
	sprung chan struct{} // closed when it has sprung
}

// link is one connection of a worker to a broker.
type link struct {
	n            *network
	worker       int
	broker       string
	near, far    net.Conn
	once         sync.Once
	mu           sync.Mutex
	outstanding  map[int32]*pending // by correlation id
	closedSignal chan struct{}
}

// pending is a request whose answer a trap waits for.
type pending struct {
	trap    *trap
	request request
}

// listen opens the network on a loopback port.
func listen() (*network, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the network between workers and brokers: %w", err)
	}
	n := &network{ln: ln, links: make(map[*link]struct{}), cuts: make(map[*cut]struct{})}
	n.done.Go(n.accept)
	return n, nil
}

// addr is where workers reach it, see WorkerOptions.Dial.
func (n *network) addr() string { return n.ln.Addr().String() }

// close ends every connection.
func (n *network) close() {
	n.mu.Lock()
	n.ended = true
	links := slices.Collect(maps.Keys(n.links))
	n.mu.Unlock()
	_ = n.ln.Close()
	for _, l := range links {
		l.close()
	}
	n.done.Wait()
}

func (n *network) accept() {
	for {
		conn, err := n.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			n.done.Go(func() { n.serve(conn) })
		}
	}
}

// greetingLimit is how long a worker has to say where it wants to go.
const greetingLimit = 10 * time.Second

// serve connects one worker with one broker until either hangs up.
func (n *network) serve(near net.Conn) {
	defer func() { _ = near.Close() }()
	_ = near.SetReadDeadline(time.Now().Add(greetingLimit))
	in := bufio.NewReaderSize(near, 64<<10)
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	_ = near.SetReadDeadline(time.Time{})
	name, broker, _ := strings.Cut(strings.TrimSpace(line), " ")
	worker, err := strconv.Atoi(name)
	if err != nil {
		return
	}
	l := &link{n: n, worker: worker, broker: broker, near: near, outstanding: make(map[int32]*pending), closedSignal: make(chan struct{})}
	if !n.add(l) {
		return
	}
	defer n.remove(l)
	defer l.close()
	if !l.passes() {
		return
	}
	far, err := new(net.Dialer).Dial("tcp", broker)
	if err != nil {
		return
	}
	l.mu.Lock()
	l.far = far
	l.mu.Unlock()
	defer func() { _ = far.Close() }()
	var up sync.WaitGroup
	up.Go(func() { defer l.close(); l.requests(in) })
	l.answers(bufio.NewReaderSize(far, 64<<10))
	l.close()
	up.Wait()
}

func (n *network) add(l *link) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ended {
		n.links[l] = struct{}{}
	}
	return !n.ended
}

func (n *network) remove(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.links, l)
}

// cut makes a part of the network fail until heal.
func (n *network) cut(worker int, broker string, hangs bool) *cut {
	c := &cut{worker: worker, broker: broker, hangs: hangs, healed: make(chan struct{})}
	n.mu.Lock()
	n.cuts[c] = struct{}{}
	var reset []*link
	for l := range n.links {
		if !hangs && c.covers(l) {
			reset = append(reset, l)
		}
	}
	n.mu.Unlock()
	for _, l := range reset {
		l.reset()
	}
	return c
}

func (n *network) heal(c *cut) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.cuts[c]; ok {
		delete(n.cuts, c)
		close(c.healed)
	}
}

// failed notes a message that could not be read: traps do not see it.
func (n *network) failed(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		n.err = err
	}
}

// sound is an error when some message could not be read.
func (n *network) sound() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// set lays a trap.
func (n *network) set(t *trap) {
	t.sprung = make(chan struct{})
	n.mu.Lock()
	defer n.mu.Unlock()
	n.traps = append(n.traps, t)
}

// unset takes a trap away and reports whether it was still there.
func (n *network) unset(t *trap) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, other := range n.traps {
		if other == t {
			n.traps = append(n.traps[:i:i], n.traps[i+1:]...)
			return true
		}
	}
	return false
}

// caught takes away the first trap that waits for the request.
func (n *network) caught(r *request) *trap {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, t := range n.traps {
		if t.matches(r) {
			n.traps = append(n.traps[:i:i], n.traps[i+1:]...)
			return t
		}
	}
	return nil
}

// passes waits while the link hangs, and reports whether it lives.
func (l *link) passes() bool {
	for {
		var hang *cut
		l.n.mu.Lock()
		for c := range l.n.cuts {
			if c.covers(l) {
				hang = c
			}
		}
		l.n.mu.Unlock()
		switch {
		case hang == nil:
			return true
		case !hang.hangs:
			l.reset()
			return false
		}
		select {
		case <-hang.healed:
		case <-l.closedSignal:
			return false
		}
	}
}

// requests carries what the worker asks.
func (l *link) requests(in *bufio.Reader) {
	for {
		frame, err := readFrame(in)
		if err != nil || !l.passes() {
			return
		}
		r, err := parseRequest(frame)
		if err != nil {
			l.n.failed(err)
		} else if t := l.n.caught(&r); t != nil && t.answered {
			l.mu.Lock()
			l.outstanding[r.correlation] = &pending{t, r}
			l.mu.Unlock()
		} else if t != nil {
			frame = t.spring(l, &r, frame)
			close(t.sprung)
			if frame == nil {
				l.reset()
				return
			}
		}
		if _, err := l.far.Write(frame); err != nil {
			return
		}
	}
}

// answers carries what the broker says.
func (l *link) answers(in *bufio.Reader) {
	for {
		frame, err := readFrame(in)
		if err != nil || !l.passes() {
			return
		}
		id := correlation(frame)
		l.mu.Lock()
		p := l.outstanding[id]
		delete(l.outstanding, id)
		l.mu.Unlock()
		if p != nil {
			frame = p.trap.spring(l, &p.request, frame)
			close(p.trap.sprung)
			if frame == nil {
				l.reset()
				return
			}
		}
		if _, err := l.near.Write(frame); err != nil {
			return
		}
	}
}

// close ends the link as a process does that hangs up.
func (l *link) close() {
	l.once.Do(func() {
		close(l.closedSignal)
		_ = l.near.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.far != nil {
			_ = l.far.Close()
		}
	})
}

// reset ends the link so that the worker sees an error at once.
func (l *link) reset() {
	if tcp, ok := l.near.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	l.close()
}
