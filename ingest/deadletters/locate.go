package deadletters

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Locate finds the byte of a JSON value at which the member begins that field
// names, such as kwh[17] or scope.areas; an absent member is not found. With
// no field it is where the value stops being JSON.
func Locate(value []byte, field string) (offset int, ok bool) {
	if len(value) == 0 {
		return 0, false
	}
	if field == "" {
		var v json.RawMessage
		err := json.Unmarshal(value, &v)
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			return max(0, int(syntax.Offset)-1), true
		}
		return 0, false
	}
	l := locator{dec: json.NewDecoder(bytes.NewReader(value)), value: value, field: field}
	l.dec.UseNumber()
	_ = l.walk("") // what is behind a break cannot be found
	return l.offset, l.found
}

type locator struct {
	dec    *json.Decoder
	value  []byte
	field  string
	offset int
	found  bool
}

// walk reads the value that comes next, whose place is path.
func (l *locator) walk(path string) error {
	if path == l.field {
		l.offset, l.found = l.next(), true
		return errEnough
	}
	token, err := l.dec.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		for l.dec.More() {
			name, err := l.dec.Token()
			if err != nil {
				return err
			}
			inner := fmt.Sprint(name)
			if path != "" {
				inner = path + "." + inner
			}
			if err := l.walk(inner); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; l.dec.More(); i++ {
			if err := l.walk(fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = l.dec.Token() // the closing one
	return err
}

// next is where the next value begins, behind blanks, colon and comma.
func (l *locator) next() int {
	at := int(l.dec.InputOffset())
	for at < len(l.value) && bytes.IndexByte([]byte(" \t\r\n:,"), l.value[at]) >= 0 {
		at++
	}
	return min(at, max(0, len(l.value)-1))
}
