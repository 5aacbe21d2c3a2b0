package stream

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"
)

// sticky is a group balancer that leaves partitions where they are as far as
// balance allows: what a member has in memory of a partition is worth more than
// which one it is. Each member says what it owned in the last generation it took
// part in; the leader keeps of that what it can. One of n members that joins
// takes about 1/n, one that leaves moves only its own.
//
// kafka-go asks for UserData before each join and calls AssignGroups at the
// leader, from its own goroutine.
type sticky struct {
	mu  sync.Mutex
	own claims
}

// claims are the partitions that a member had in a generation.
type claims struct {
	generation int32
	partitions map[string][]int // topic, by the brokers' name: partitions
}

// ProtocolName tells members of one group which way of assigning they share. It
// is not "sticky": that is Java's, with user data of its own.
func (s *sticky) ProtocolName() string { return "weimang-sticky" }

// UserData is what this member owned last.
func (s *sticky) UserData() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.own.encode(), nil
}

// owns notes what a generation has given to this member.
func (s *sticky) owns(gen *kafka.Generation) {
	own := claims{gen.ID, make(map[string][]int, len(gen.Assignments))}
	for topic, parts := range gen.Assignments {
		for _, p := range parts {
			own.partitions[topic] = append(own.partitions[topic], p.ID)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own = own
}

// AssignGroups gives every partition of a topic to one of the members that read
// the topic. Of each topic two of them differ by at most one partition, and
// where all read the same topics so they do in the sum. The same members with
// the same claims always get the same.
func (s *sticky) AssignGroups(members []kafka.GroupMember, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b kafka.GroupMember) int { return cmp.Compare(a.ID, b.ID) })
	topics := make(map[string][]int)
	for _, p := range partitions {
		topics[p.Topic] = append(topics[p.Topic], p.ID)
	}
	out := make(kafka.GroupMemberAssignments, len(members))
	readers := make(map[string][]string) // topic: members, in order
	for _, m := range members {
		out[m.ID] = make(map[string][]int)
		for _, topic := range distinct(m.Topics) {
			readers[topic] = append(readers[topic], m.ID)
		}
	}
	owners := believed(members)
	// extras counts of how many topics a member has been given one partition
	// more than others: the next goes to who has the fewest.
	extras := make(map[string]int)
	for _, topic := range slices.Sorted(maps.Keys(readers)) {
		for id, parts := range share(distinct(topics[topic]), readers[topic], owners[topic], extras) {
			out[id][topic] = parts
		}
	}
	return out
}

// share divides the partitions of one topic, and counts in extras who gets one
// more than others.
func share(partitions []int, readers []string, owners map[int]string, extras map[string]int) map[string][]int {
	kept := make(map[string][]int, len(readers))
	for _, p := range partitions {
		if id, ok := owners[p]; ok && slices.Contains(readers, id) {
			kept[id] = append(kept[id], p)
		}
	}
	least := len(partitions) / len(readers)
	// One more goes to who has had fewer extras, of these to who then keeps
	// more, of these to the first.
	ranked := slices.Clone(readers)
	slices.SortStableFunc(ranked, func(a, b string) int {
		return cmp.Or(cmp.Compare(extras[a], extras[b]), cmp.Compare(min(len(kept[b]), least+1), min(len(kept[a]), least+1)))
	})
	quota := make(map[string]int, len(readers))
	for i, id := range ranked {
		quota[id] = least
		if i < len(partitions)%len(readers) {
			quota[id]++
			extras[id]++
		}
	}
	taken := make(map[int]bool, len(partitions))
	for _, id := range readers {
		kept[id] = kept[id][:min(len(kept[id]), quota[id])]
		for _, p := range kept[id] {
			taken[p] = true
		}
	}
	free := slices.DeleteFunc(slices.Clone(partitions), func(p int) bool { return taken[p] })
	for _, id := range readers {
		n := quota[id] - len(kept[id])
		kept[id] = append(kept[id], free[:n]...)
		slices.Sort(kept[id])
		free = free[n:]
	}
	return kept
}

// believed is who owned which partition of which topic before. Only claims of
// the newest generation that anyone took part in count: who has missed that has
// lost what it had. Should two claim one partition, the first by id is believed.
func believed(members []kafka.GroupMember) map[string]map[int]string {
	said := make([]claims, len(members))
	newest := int32(math.MinInt32)
	for i, m := range members {
		var err error
		if said[i], err = decodeClaims(m.UserData); err == nil {
			newest = max(newest, said[i].generation)
		}
	}
	owners := make(map[string]map[int]string)
	for i, m := range members {
		if said[i].generation != newest {
			continue
		}
		for topic, parts := range said[i].partitions {
			if owners[topic] == nil {
				owners[topic] = make(map[int]string)
			}
			for _, p := range parts {
				if _, ok := owners[topic][p]; !ok {
					owners[topic][p] = m.ID
				}
			}
		}
	}
	return owners
}

func distinct[T cmp.Ordered](list []T) []T {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// claimsVersion is the first byte of encoded claims. What another version says
// is not believed, which costs moves and nothing else.
const claimsVersion = 1

// encode writes version, generation and, topic by topic, name and partitions,
// numbers and lengths as varints. Later fields may follow.
func (c *claims) encode() []byte {
	b := []byte{claimsVersion}
	b = binary.AppendVarint(b, int64(c.generation))
	b = binary.AppendUvarint(b, uint64(len(c.partitions)))
	for _, topic := range slices.Sorted(maps.Keys(c.partitions)) {
		b = binary.AppendUvarint(b, uint64(len(topic)))
		b = append(b, topic...)
		b = binary.AppendUvarint(b, uint64(len(c.partitions[topic])))
		for _, p := range c.partitions[topic] {
			b = binary.AppendUvarint(b, uint64(p)) //nolint:gosec // a partition's number
		}
	}
	return b
}

var errClaims = errors.New("not the claims of a member")

func decodeClaims(b []byte) (claims, error) {
	if len(b) == 0 || b[0] != claimsVersion {
		return claims{}, errClaims
	}
	b = b[1:]
	generation, n := binary.Varint(b)
	if n <= 0 || int64(int32(generation)) != generation { //nolint:gosec // is compared
		return claims{}, errClaims
	}
	b = b[n:]
	// number is never more than limit, so that garbage asks for no memory.
	number := func(limit uint64) (int, bool) {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > limit {
			return 0, false
		}
		b = b[n:]
		return int(v), true //nolint:gosec // v is within limit
	}
	c := claims{int32(generation), make(map[string][]int)} //nolint:gosec // compared above
	topics, ok := number(uint64(len(b)))
	for ; ok && topics > 0; topics-- {
		var size, parts int
		if size, ok = number(uint64(len(b))); !ok || size > len(b) {
			return claims{}, errClaims
		}
		topic := string(b[:size])
		b = b[size:]
		parts, ok = number(uint64(len(b)))
		for ; ok && parts > 0; parts-- {
			var p int
			p, ok = number(math.MaxInt32)
			c.partitions[topic] = append(c.partitions[topic], p)
		}
	}
	if !ok {
		return claims{}, errClaims
	}
	return c, nil
}
