package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rank orders the folders along the flow; a package may import its own
// folder and those before it.
var rank = map[string]int{"ingest": 1, "detectors": 2, "alerts": 3, "cmd": 4}

func TestImportsPointAlongTheFlow(t *testing.T) {
	root := filepath.Join("..", "..")
	checked := 0
	for folder, own := range rank {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range file.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				inside, ok := strings.CutPrefix(name, "weimang/")
				if !ok {
					continue
				}
				checked++
				top, _, _ := strings.Cut(inside, "/")
				switch other, known := rank[top]; {
				case !known:
					t.Errorf("%s imports %s, which is in no folder of the flow", path, name)
				case other > own:
					t.Errorf("%s imports %s: imports point along the flow, ingest <- detectors <- alerts <- cmd", path, name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if checked < 50 {
		t.Errorf("only %d imports were looked at: the folders have moved", checked)
	}
}
