package roster

import (
	"fmt"
	"io"
)

// What is printed, logged or encoded of whatever holds a name, an address or
// somebody's words is its id and no more: none of them must get into a log because
// somebody printed the whole. slog and encoding/json go by MarshalText, fmt by
// Format, whatever the verb. Texts for people are made of the fields.

func mask(f fmt.State, shown string) { _, _ = io.WriteString(f, shown) }

func (p Person) shown() string { return "person " + p.ID }

// Format implements fmt.Formatter.
func (p Person) Format(f fmt.State, _ rune) { mask(f, p.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (p Person) MarshalText() ([]byte, error) { return []byte(p.shown()), nil }

func (c Contact) shown() string { return "contact over " + c.Channel }

// Format implements fmt.Formatter.
func (c Contact) Format(f fmt.State, _ rune) { mask(f, c.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (c Contact) MarshalText() ([]byte, error) { return []byte(c.shown()), nil }

func (h Household) shown() string { return "household " + h.ID }

// Format implements fmt.Formatter.
func (h Household) Format(f fmt.State, _ rune) { mask(f, h.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (h Household) MarshalText() ([]byte, error) { return []byte(h.shown()), nil }

func (s Screening) shown() string { return "screening of " + s.HouseholdID }

// Format implements fmt.Formatter.
func (s Screening) Format(f fmt.State, _ rune) { mask(f, s.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (s Screening) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

func (s Service) shown() string { return "service " + s.ID }

// Format implements fmt.Formatter.
func (s Service) Format(f fmt.State, _ rune) { mask(f, s.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (s Service) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

func (o Order) shown() string { return "order " + o.ID }

// Format implements fmt.Formatter.
func (o Order) Format(f fmt.State, _ rune) { mask(f, o.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (o Order) MarshalText() ([]byte, error) { return []byte(o.shown()), nil }

func (p Plan) shown() string { return "plan of " + p.HouseholdID }

// Format implements fmt.Formatter.
func (p Plan) Format(f fmt.State, _ rune) { mask(f, p.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (p Plan) MarshalText() ([]byte, error) { return []byte(p.shown()), nil }

func (v Visit) shown() string { return "visit " + v.ID }

// Format implements fmt.Formatter.
func (v Visit) Format(f fmt.State, _ rune) { mask(f, v.shown()) }

// MarshalText implements encoding.TextMarshaler.
func (v Visit) MarshalText() ([]byte, error) { return []byte(v.shown()), nil }
