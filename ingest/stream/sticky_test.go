package stream

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// logs are partitions of topics, as the leader learns of them.
func logs(topics map[string]int) []kafka.Partition {
	var out []kafka.Partition
	for topic, n := range topics {
		for id := range n {
			out = append(out, kafka.Partition{Topic: topic, ID: id})
		}
	}
	return out
}

// claiming is a member that says what it had in a generation.
func claiming(id string, generation int32, had map[string][]int, topics ...string) kafka.GroupMember {
	return kafka.GroupMember{ID: id, Topics: topics, UserData: (&claims{generation, had}).encode()}
}

// moved counts the partitions that one of those who stay has lost, and those
// that changed hands.
func moved(before, after kafka.GroupMemberAssignments) (lost, all int) {
	now := make(map[string]string)
	for id, topics := range after {
		for topic, parts := range topics {
			for _, p := range parts {
				now[fmt.Sprint(topic, p)] = id
			}
		}
	}
	for id, topics := range before {
		_, stays := after[id]
		for topic, parts := range topics {
			for _, p := range parts {
				if now[fmt.Sprint(topic, p)] != id {
					all++
					if stays {
						lost++
					}
				}
			}
		}
	}
	return lost, all
}

// even fails unless every partition is given once, to a reader of its topic,
// and nobody has two more than another: of a topic, and in the sum where all
// read the same.
func even(t *testing.T, members []kafka.GroupMember, topics map[string]int, got kafka.GroupMemberAssignments) {
	t.Helper()
	same := true
	for _, m := range members {
		same = same && reflect.DeepEqual(distinct(m.Topics), distinct(members[0].Topics))
	}
	sums := make([]int, 0, len(members))
	for topic, n := range topics {
		given := make([]bool, n)
		var counts []int
		for _, m := range members {
			parts := got[m.ID][topic]
			if !slices.Contains(m.Topics, topic) {
				if len(parts) > 0 {
					t.Errorf("%s was given %s, which it does not read", m.ID, topic)
				}
				continue
			}
			counts = append(counts, len(parts))
			for _, p := range parts {
				if given[p] {
					t.Errorf("%s/%d was given twice", topic, p)
				}
				given[p] = true
			}
		}
		if len(counts) == 0 {
			continue
		}
		if slices.Contains(given, false) {
			t.Errorf("of %s not every partition was given: %v", topic, got)
		}
		if slices.Max(counts)-slices.Min(counts) > 1 {
			t.Errorf("%s is divided as %v", topic, counts)
		}
	}
	for _, m := range members {
		sum := 0
		for _, parts := range got[m.ID] {
			sum += len(parts)
		}
		sums = append(sums, sum)
	}
	if same && slices.Max(sums)-slices.Min(sums) > 1 {
		t.Errorf("in the sum the members have %v", sums)
	}
}

func TestOnlyWhatMustMovesWhenMembersComeAndGo(t *testing.T) {
	topics := map[string]int{"inputs": 16}
	s := new(sticky)
	var members []kafka.GroupMember
	before := kafka.GroupMemberAssignments{}
	again := func(generation int32, ids ...string) kafka.GroupMemberAssignments {
		members = nil
		for _, id := range ids {
			members = append(members, claiming(id, generation, before[id], "inputs"))
		}
		got := s.AssignGroups(members, logs(topics))
		even(t, members, topics, got)
		return got
	}
	for i, step := range []struct {
		ids   string
		moves int // the least that evenness allows
	}{
		{"a", 0}, {"ab", 8}, {"ab", 0}, {"abc", 5}, {"abcd", 4}, {"abcd", 0}, {"acd", 4}, {"ad", 5}, {"d", 8},
	} {
		ids := slices.Collect(func(yield func(string) bool) {
			for _, r := range step.ids {
				if !yield(string(r)) {
					return
				}
			}
		})
		got := again(int32(i), ids...)
		if _, all := moved(before, got); all != step.moves {
			t.Errorf("with members %s after %v: %d partitions moved, %d had to: %v", step.ids, before, all, step.moves, got)
		}
		before = got
	}
}

// Members come, go, forget and lie, topics grow; whatever they say the division
// is even, the order of the members does not matter, and of one topic nobody
// loses more than evenness asks for.
func TestAnyGroupIsDividedEvenly(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		topics := map[string]int{"a": 1 + r.IntN(20)}
		if r.IntN(2) == 0 {
			topics["b"], topics["c"] = r.IntN(8), 1+r.IntN(16)
		}
		var ids []string
		for i := range 1 + r.IntN(6) {
			ids = append(ids, fmt.Sprintf("m%d", i))
		}
		honest := r.IntN(3) > 0
		before := kafka.GroupMemberAssignments{}
		s := new(sticky)
		for generation := range int32(12) {
			switch r.IntN(3) {
			case 0:
				ids = append(ids, fmt.Sprintf("m%d", 10+generation))
			case 1:
				if len(ids) > 1 {
					i := r.IntN(len(ids))
					ids = slices.Delete(ids, i, i+1)
				}
			}
			if !honest && r.IntN(4) == 0 {
				topics["a"]++
			}
			var members []kafka.GroupMember
			for _, id := range ids {
				m := claiming(id, generation, before[id], slices.Collect(maps.Keys(topics))...)
				if !honest {
					switch r.IntN(6) {
					case 0:
						m.UserData = nil
					case 1:
						m.UserData = m.UserData[:r.IntN(len(m.UserData))]
					case 2:
						m.UserData = claiming(id, generation+1, map[string][]int{"a": {0, 1, 2, 2, 99}, "x": {1}}).UserData
					case 3:
						m.Topics = []string{"a"}
					}
				}
				members = append(members, m)
			}
			got := s.AssignGroups(members, logs(topics))
			even(t, members, topics, got)
			r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
			if again := s.AssignGroups(members, logs(topics)); !reflect.DeepEqual(again, got) {
				t.Errorf("seed %d: the order of the members matters: %v, %v", seed, got, again)
			}
			if honest && len(topics) == 1 && len(before) > 0 {
				if lost, all := moved(before, got); all > least(before, got, topics["a"]) {
					t.Errorf("seed %d: %d moved, %d of them of members that stayed, %d had to: %v, %v", seed, all, lost, least(before, got, topics["a"]), before, got)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d, generation %d", seed, generation)
			}
			before = got
		}
	}
}

// least is how many of n partitions must change hands from before to get to the
// sizes that evenness asks for, whoever gets the larger share.
func least(before, after kafka.GroupMemberAssignments, n int) int {
	small, more := n/len(after), n%len(after)
	var stay []int
	for id := range after {
		stay = append(stay, len(before[id]["a"]))
	}
	slices.Sort(stay)
	slices.Reverse(stay)
	keep := 0
	for i, had := range stay {
		size := small
		if i < more {
			size++
		}
		keep += min(had, size)
	}
	had := 0
	for _, topics := range before {
		had += len(topics["a"])
	}
	return had - keep
}

func TestWhoMissedAGenerationHasLostWhatItHad(t *testing.T) {
	topics := map[string]int{"t": 4}
	got := new(sticky).AssignGroups([]kafka.GroupMember{
		claiming("a", 6, map[string][]int{"t": {0, 1, 2, 3}}, "t"), // asleep since
		claiming("b", 7, map[string][]int{"t": {0, 1}}, "t"),
		claiming("c", 7, map[string][]int{"t": {2, 3}}, "t"),
		claiming("d", 0, nil, "t"), // new: it was in none
	}, logs(topics))
	want := kafka.GroupMemberAssignments{"a": {"t": {1}}, "b": {"t": {0}}, "c": {"t": {2}}, "d": {"t": {3}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzClaims(f *testing.F) {
	f.Add((&claims{7, map[string][]int{"weimang.inputs": {0, 5, 300}, "": nil}}).encode())
	f.Add([]byte{claimsVersion, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{claimsVersion, 2, 1, 1, 't', 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeClaims(b)
		if err != nil {
			return
		}
		again, err := decodeClaims(c.encode())
		if err != nil || again.generation != c.generation || len(again.partitions) != len(c.partitions) {
			t.Errorf("%v became %v (%v)", c, again, err)
		}
	})
}

// A second member joins, and what the first keeps it keeps by number.
func TestAGroupMovesOnlyWhatItMust(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 6})
	first, second := newLedger(), newLedger()
	var mu sync.Mutex
	var told []map[string][]int
	opts := quick(c, "t")
	opts.Assigned = func(p map[string][]int) { mu.Lock(); defer mu.Unlock(); told = append(told, p) }
	join(t, opts, first.handler("a"))
	first.until(t, "all for the first", func() bool { return len(first.members["a"]) == 6 })
	b := join(t, quick(c, "t"), second.handler("b"))
	second.until(t, "half for the second", func() bool { return len(second.members["b"]) == 3 })
	b.stop(t)
	for ctx := testContext(t); ; {
		mu.Lock()
		last := slices.Clone(told)
		mu.Unlock()
		if len(last) > 1 && len(last[len(last)-1]["t"]) == 6 {
			kept := last[len(last)-2]["t"]
			if len(kept) != 3 {
				t.Fatalf("assigned one after the other: %v", last)
			}
			for _, p := range kept {
				if second.members["b"][p] {
					t.Errorf("partition %d was with both: %v, %v", p, kept, second.members["b"])
				}
			}
			return
		}
		if pause(ctx, 5*time.Millisecond) != nil {
			t.Fatalf("assigned one after the other: %v", last)
		}
	}
}

// In a rolling update members of the version before, which know range and
// roundrobin only, and those of this one share a group.
func TestAMemberOfAnEarlierVersionIsNoObstacle(t *testing.T) {
	c := cluster(t)
	makeTopic(t, c, Topic{Name: "t", Partitions: 4})
	produce(t, c, "t", numbered(0, 40))
	old, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.wire("readers"), Brokers: c.cfg.Brokers, Topics: []string{c.wire("t")},
		SessionTimeout: 2 * time.Second, HeartbeatInterval: 50 * time.Millisecond, RebalanceTimeout: 2 * time.Second,
		JoinGroupBackoff: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close() }()
	ctx := testContext(t)
	if _, err := old.Next(ctx); err != nil {
		t.Fatal(err)
	}
	seen := newLedger()
	join(t, quick(c, "t"), seen.handler("new"))
	gen, err := old.Next(ctx)
	for err == nil && len(gen.Assignments[c.wire("t")]) != 2 {
		gen, err = old.Next(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	seen.until(t, "half of them for the new member", func() bool { return len(seen.members["new"]) == 2 && len(seen.values) > 0 })
}
