package rosterfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever fills in a list goes by the table of columns: it has to be the one
// that is read.
func TestTheDocumentationNamesEverySheetAndColumn(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", "docs", "roster.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(b), "\n### ")
	for _, s := range Sheets {
		var section string
		for _, p := range parts {
			if strings.HasPrefix(p, s.Zh+" · "+string(s.Of)+"\n") {
				section = p
			}
		}
		for _, c := range s.Columns {
			if !strings.Contains(section, "| "+c.Zh+" | `"+c.Key+"` |") {
				t.Errorf("sheet %s lacks column %s (%s)", s.Of, c.Key, c.Zh)
			}
			for _, w := range c.words {
				if !strings.Contains(section, w.zh+" "+w.is) {
					t.Errorf("sheet %s, column %s lacks the word %s (%s)", s.Of, c.Key, w.is, w.zh)
				}
			}
		}
	}
}
