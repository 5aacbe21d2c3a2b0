package ingest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weimang/ingest"
)

// What integrators read on paper is what the command says.
func TestEveryReasonIsExplainedAndOnPaperInTheSameWords(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "deploy", "docs", "integrators.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range ingest.Reasons {
		e := r.Explain()
		if e.Means == "" || e.Remedy == "" || strings.Contains(e.Means, "does not know") {
			t.Errorf("%s is not explained", r)
		}
		if row := fmt.Sprintf("| `%s` | %s | %s |", r, e.Means, e.Remedy); !strings.Contains(string(page), row) {
			t.Errorf("integrators.md lacks the row\n%s", row)
		}
	}
	if e := ingest.Reason("made-up").Explain(); e.Means == "" {
		t.Error("nothing is said of an unknown reason")
	}
}
