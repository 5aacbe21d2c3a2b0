package main

import (
	"context"
	"log/slog"
	"testing"

	"weimang/alerts"
	"weimang/alerts/deliver"
	"weimang/alerts/roster"
	"weimang/alerts/store"
	"weimang/alerts/store/storetest"
)

// heardBy remembers what reaches the cases.
type heardBy struct {
	got []alerts.Keyed
	err error
}

func (h *heardBy) RespondByKey(_ context.Context, k alerts.Keyed) (*alerts.Alert, error) {
	h.got = append(h.got, k)
	return nil, h.err
}

func TestAnSMSIsOfWhoeverHasTheNumber(t *testing.T) {
	db := storetest.Open(t, nil)
	if err := db.ImportRoster(t.Context(), []store.HouseholdRow{{MeterID: "m1", HouseholdID: "h1", AreaID: "a1", VillageID: "v1"}}, []roster.Member{{
		Person: roster.Person{ID: "p1", Contacts: []roster.Contact{{Channel: "sms", Address: "13800000042"}}},
		Duty:   roster.Duty{Role: roster.Chair, UnitID: "v1"},
	}}); err != nil {
		t.Fatal(err)
	}
	h := &heardBy{}
	in := inbox{db, h, slog.New(slog.DiscardHandler)}
	for _, from := range []string{"+8613800000042", "+8613911111111"} {
		if err := in.Reply(t.Context(), "sms", deliver.Reply{From: from, Text: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.got) != 2 || len(h.got[0].People) != 1 || h.got[0].People[0] != "p1" || h.got[0].Said != "1" || len(h.got[1].People) != 0 {
		t.Errorf("heard %+v", h.got)
	}
	h.err = alerts.ErrNoCode
	if err := in.Reply(t.Context(), "sms", deliver.Reply{From: "+8613800000042", Text: "在的"}); err != nil {
		t.Errorf("the vendor is to send it again: %v", err)
	}
	h.err = context.DeadlineExceeded
	if err := in.Reply(t.Context(), "sms", deliver.Reply{From: "+8613800000042", Text: "1"}); err == nil {
		t.Error("an answer is lost when the store is away")
	}
}
