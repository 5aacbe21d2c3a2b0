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
	flag.Parse()
	os.Exit(run(*failures, *noSkips != ""))
}

func run(failures, noSkips bool) int {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	output := make(map[string]*strings.Builder)
	var passed, failed, skipped int
	var skips []string
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
				skips = append(skips, strings.TrimSpace(output[id].String()))
			}
		}
	}
	for _, s := range skips {
		fmt.Println(s)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || noSkips && skipped > 0 {
		if failed == 0 {
			fmt.Println("no test may skip here")
		}
		return 1
	}
	return 0
}
