package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// child is this program once more, in a process that lives until its input
// ends: however this one ends, it leaves none behind.
type child struct {
	said  string // its first line
	stdin io.Closer
	cmd   *exec.Cmd
	ended bool
}

// startChild starts this program with args, and env in place of the environment
// unless it is nil, and waits for a first line. Once that is said the child outlives
// ctx: what stops after an interrupt may still need it, and is stopped in order.
func startChild(ctx context.Context, env []string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), self, args...)
	cmd.Env, cmd.Stderr = env, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{stdin: stdin, cmd: cmd}
	// One that waits for its brokers waits for ever.
	defer context.AfterFunc(ctx, func() { _ = stdin.Close() })()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, errors.Join(err, c.end(childGrace))
	}
	c.said = strings.TrimSpace(line)
	return c, nil
}

// childGrace is what a child that has nothing to finish has to close its files in.
const childGrace = 20 * time.Second

// end lets the child finish what it has begun, for grace at most. A second call
// does nothing.
func (c *child) end(grace time.Duration) error {
	if c.ended {
		return nil
	}
	c.ended = true
	late := time.AfterFunc(grace, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	closed := c.stdin.Close()
	if errors.Is(closed, os.ErrClosed) {
		closed = nil
	}
	return errors.Join(closed, c.cmd.Wait())
}

// kill ends the child at once, as a failing machine would.
func (c *child) kill() error {
	if c.ended {
		return nil
	}
	c.ended = true
	if err := c.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = c.cmd.Wait() // says that it was killed
	return nil
}
