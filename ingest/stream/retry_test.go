package stream

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/segmentio/kafka-go"
)

func TestAQuestionIsAskedOnWhileTheOneToAskMoves(t *testing.T) {
	moving := fmt.Errorf("committed offsets: %w", kafka.NotCoordinatorForGroup)
	for name, c := range map[string]struct {
		err      error
		failures int
		want     error
	}{
		"a broker that was restarted":       {io.ErrUnexpectedEOF, 4, nil},
		"a broker that stays away":          {io.ErrUnexpectedEOF, 5, io.ErrUnexpectedEOF},
		"a coordinator that moves":          {moving, 10, nil},
		"a leader that moves":               {kafka.NotLeaderForPartition, 10, nil},
		"a coordinator that is never found": {moving, 1000, moving},
		"a refusal":                         {kafka.GroupAuthorizationFailed, 1, kafka.GroupAuthorizationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				err := fewTries(t.Context(), func() error {
					if asked++; asked <= c.failures {
						return c.err
					}
					return nil
				})
				if !errors.Is(err, c.want) {
					t.Errorf("after %d tries: %v, want %v", asked, err, c.want)
				}
			})
		})
	}
}
