package main

import (
	"maps"
	"slices"
	"strings"
)

// suggest ends the sentence about an unknown key of the file.
func (l *configLoader) suggest(key string) string {
	if known := l.nearest(key, func(path string) string { return path }); known != "" {
		return "; did you mean " + known + "?"
	}
	return "; 'weimang config' prints all keys"
}

// suggestEnv ends the sentence about an unknown variable; key is its name
// without prefix, in lower case.
func (l *configLoader) suggestEnv(key string) string {
	if known := l.nearest(key, func(path string) string { return strings.ReplaceAll(path, ".", "_") }); known != "" {
		return "; did you mean " + l.keys[known].env() + "?"
	}
	return "; a variable is named for its key, such as " + l.keys["kafka.brokers"].env()
}

// nearest is the key that was probably meant: the last part in another
// section, or a few slips of the finger away. "" when nothing is near.
func (l *configLoader) nearest(key string, spell func(path string) string) string {
	best, least := "", 1+len(key)/4
	for _, path := range slices.Sorted(maps.Keys(l.keys)) {
		name := spell(path)
		if strings.HasSuffix(name, key) && len(key) > 3 || strings.HasSuffix(name, "."+lastPart(key)) {
			return path
		}
		if d := editDistance(name, key); d <= least && (best == "" || d < least) {
			best, least = path, d
		}
	}
	if best != "" {
		return best
	}
	// Misspelt, and in another section or none.
	for _, path := range slices.Sorted(maps.Keys(l.keys)) {
		if last := lastPart(path); editDistance(last, lastPart(key)) <= 1+len(last)/5 {
			return path
		}
	}
	return ""
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// editDistance counts insertions, deletions and replacements (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
