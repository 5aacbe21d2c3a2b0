package web

import (
	"slices"
	"strings"
	"unicode"
)

// doubleSurnames are those of two characters that are not rare.
var doubleSurnames = []string{
	"欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "东方", "独孤", "南宫", "端木", "淳于", "单于", "宇文", "长孙", "西门",
}

// surname is the first part of a name: a Chinese surname, or a first word.
func surname(name string) string {
	first, _, _ := strings.Cut(name, " ")
	runes := []rune(first)
	switch {
	case len(runes) == 0 || !unicode.Is(unicode.Han, runes[0]):
		return first
	case len(runes) > 2 && slices.Contains(doubleSurnames, string(runes[:2])):
		return string(runes[:2])
	default:
		return string(runes[:1])
	}
}
