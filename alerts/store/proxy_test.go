package store_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"weimang/alerts/store"
)

// proxy stands between a store and its PostgreSQL, as a network does, and loses
// what it is told to lose.
type proxy struct {
	t        *testing.T
	listener net.Listener
	server   string

	mu     sync.Mutex
	conns  []net.Conn
	commit loss
	lost   int // commits that were lost
}

// loss is what becomes of the commits.
type loss int

const (
	nothing    loss = iota
	theAnswer       // the server commits, and the client does not hear of it
	theRequest      // the server hears nothing
)

// through puts a proxy before the PostgreSQL of a place.
func through(t *testing.T, o store.Options) (*proxy, store.Options) {
	t.Helper()
	u, err := url.Parse(o.URL)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{t: t, listener: l, server: u.Host}
	go p.accept()
	t.Cleanup(func() { _ = l.Close(); p.cut() })
	u.Host = l.Addr().String()
	o.URL = u.String()
	return p, o
}

// lose sets what becomes of the next commit; those after it go through.
func (p *proxy) lose(what loss) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commit = what
}

func (p *proxy) losses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// cut ends all connections, as the death of the client's process would.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go p.requests(client, server)
		go func() {
			_, _ = io.Copy(client, server)
			_ = client.Close()
		}()
	}
}

// requests carries what the client says. A commit is a message of its own.
func (p *proxy) requests(client, server net.Conn) {
	defer func() { _ = server.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if bytes.Contains(buf[:n], []byte("commit\x00")) {
			p.mu.Lock()
			what := p.commit
			p.commit = nothing
			if what != nothing {
				p.lost++
			}
			p.mu.Unlock()
			if what != nothing {
				_ = client.Close()
			}
			if what == theRequest {
				return
			}
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}
