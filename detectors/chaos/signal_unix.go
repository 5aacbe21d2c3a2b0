//go:build unix

package chaos

import (
	"os"
	"syscall"
)

const terminate = syscall.SIGTERM

// suspend stops a process without its doing, or lets it go on.
func suspend(p *os.Process, stop bool) error {
	if stop {
		return p.Signal(syscall.SIGSTOP)
	}
	return p.Signal(syscall.SIGCONT)
}
