package detect

import "context"

// Sabotage breaks one rule of this package on purpose, so that the chaos suite
// can show that it would notice. It is no setting: no configuration reaches it.
type Sabotage string

// Rules that can be broken.
const (
	// CommitFirst commits offsets before the findings and checkpoints that
	// they stand for.
	CommitFirst Sabotage = "commit-first"
	// SkipRestore begins with empty states at the committed offset.
	SkipRestore Sabotage = "skip-restore"
	// CheckpointFirst saves states before the findings that led to them.
	CheckpointFirst Sabotage = "checkpoint-first"
)

// Sabotages lists the closed set.
var Sabotages = []Sabotage{CommitFirst, SkipRestore, CheckpointFirst}

// outOfOrder does too early what a sabotage says, and otherwise nothing. next
// is the offset behind what has been applied.
func (p *partition) outOfOrder(ctx context.Context, next int64) error {
	switch p.s.opts.Sabotage {
	case CommitFirst:
		return p.claim.Commit(ctx, next)
	case CheckpointFirst:
		return p.save(ctx, p.claim.Start, len(p.unsaved)) // commits nothing that was not
	default:
		return nil
	}
}
