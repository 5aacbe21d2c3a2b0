package stream

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// Owners returns who has which partitions of a topic in a consumer group, by
// the members' client ids, and false while the group is dividing them anew. A
// member that has none is there with an empty list; members that call
// themselves the same are one.
func (c *Client) Owners(ctx context.Context, groupID, topic string) (map[string][]int, bool, error) {
	group, topic := c.wire(groupID), c.wire(topic)
	var res *kafka.DescribeGroupsResponse
	err := fewTries(ctx, func() (err error) {
		res, err = c.kafka.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
		if err == nil && len(res.Groups) == 1 {
			err = res.Groups[0].Error
		}
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("members of group %s: %w", groupID, err)
	}
	owners := make(map[string][]int)
	for _, g := range res.Groups {
		if g.GroupState != "Stable" {
			return nil, false, nil
		}
		for _, m := range g.Members {
			owners[m.ClientID] = append(owners[m.ClientID], nil...)
			for _, t := range m.MemberAssignments.Topics {
				if t.Topic == topic {
					owners[m.ClientID] = append(owners[m.ClientID], t.Partitions...)
				}
			}
		}
	}
	return owners, len(owners) > 0, nil
}
