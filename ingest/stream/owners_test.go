package stream

import (
	"slices"
	"testing"
	"time"
)

func TestOwnersOfAGroupsPartitions(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 4})
	// divided asks until the group has divided the partitions among so many.
	divided := func(members int) map[string][]int {
		t.Helper()
		for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
			owners, stable, err := c.Owners(testContext(t), quick(c, "t").ID, "t")
			if err != nil {
				t.Fatal(err)
			}
			if stable && len(owners) == members {
				return owners
			}
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("%v, stable %t: want %d members", owners, stable, members)
			}
		}
	}
	if owners, stable, err := c.Owners(testContext(t), "nobody", "t"); err != nil || stable || len(owners) > 0 {
		t.Errorf("of a group that is none: %v, %t, %v", owners, stable, err)
	}
	named := func(id string) *Client {
		cfg := c.cfg
		cfg.ClientID = id
		return configured(t, cfg)
	}
	a, b := named("a"), named("b")
	seen := newLedger()
	join(t, quick(a, "t"), seen.handler("a"))
	if got := divided(1)["a"]; len(got) != 4 {
		t.Errorf("alone: %v", got)
	}
	second := join(t, quick(b, "t"), seen.handler("b"))
	owners := divided(2)
	all := slices.Concat(owners["a"], owners["b"])
	slices.Sort(all)
	if !slices.Equal(all, []int{0, 1, 2, 3}) || len(owners["a"]) != 2 {
		t.Errorf("two members: %v", owners)
	}
	if of, _, err := c.Owners(testContext(t), quick(c, "t").ID, "another"); err != nil || len(of["a"])+len(of["b"]) > 0 {
		t.Errorf("of a topic the group does not read: %v, %v", of, err)
	}
	second.stop(t)
	if got := divided(1)["a"]; len(got) != 4 {
		t.Errorf("alone again: %v", got)
	}
}
