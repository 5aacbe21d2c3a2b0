// Command summary reads the output of go test -json: it says how many tests
// passed, failed and skipped, and why those skipped. Go ignores folders that
// begin with a dot, so it is no part of the product.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
}

func main() {
	failures := flag.Bool("failures", false, "print what the failed tests printed")
	noSkips := flag.String("no-skips", "", "when not empty, a skipped test is an error")
	allowed := flag.String("skip-allowed", "", "a skip whose reason holds this text is no error")
	forbidden := flag.String("skip-forbidden", "", "a skip whose reason holds this text is an error in any case")
	flag.Parse()
	// holds reports whether text stands in a reason; no text stands nowhere.
	holds := func(reason, text string) bool { return text != "" && strings.Contains(reason, text) }
	os.Exit(run(*failures, func(reason string) bool {
		return holds(reason, *forbidden) || *noSkips != "" && !holds(reason, *allowed)
	}))
}

// run reads the events and returns the exit code. mustRun judges the reason
// for which a test was skipped.
func run(failures bool, mustRun func(reason string) bool) int {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	output := make(map[string]*strings.Builder)
	var passed, failed, skipped int
	var skips []string
	missed := false // a test that must run did not
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Println(in.Text()) // a build error, for instance
			continue
		}
		id := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			if output[id] == nil {
				output[id] = new(strings.Builder)
			}
			output[id].WriteString(e.Output)
		case "fail":
			if e.Test != "" {
				failed++
			}
			if failures && output[id] != nil {
				fmt.Print(output[id])
			}
		case "pass":
			if e.Test != "" {
				passed++
			}
		case "skip":
			if e.Test != "" {
				skipped++
				reason := strings.TrimSpace(output[id].String())
				skips = append(skips, reason)
				missed = missed || mustRun(reason)
			}
		}
	}
	for _, s := range skips {
		fmt.Println(s)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if missed {
		fmt.Println("not all of these tests may skip here")
	}
	if failed > 0 || missed {
		return 1
	}
	return 0
}
