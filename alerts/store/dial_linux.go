package store

import (
	"strings"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall does not
// name: for how many milliseconds what was sent may stay unacknowledged.
const tcpUserTimeout = 0x12

// giveUpDeadPeers lets a connection end when its peer acknowledges nothing for
// deadPeer. Keepalives alone do not: they rest while something is under way.
func giveUpDeadPeers(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil // a socket of this machine
	}
	var err error
	if failed := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(deadPeer.Milliseconds()))
	}); failed != nil {
		return failed
	}
	return err
}
