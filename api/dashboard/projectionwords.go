package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// shardVerdict says the worst of a shard, and what to do about it.
func shardVerdict(s shardState) verdict {
	switch {
	case s.Halted != nil:
		return verdict{"bad", "stopped, and needs a person: " + *s.Halted}
	case s.State == "building":
		return verdict{"good", "filled by a rebuild"}
	case s.State == "previous":
		return verdict{"good", "kept for a rollback"}
	case s.DeadLetters > 0:
		return verdict{"bad", "has dead letters: see below"}
	case len(s.Drift) > 0:
		return verdict{"warn", driftText(s.Drift) + ": a rebuild is due"}
	case s.Owner == nil && s.LagEvents > 0:
		return verdict{"bad", "nobody folds it: is a queuetrack serve running?"}
	case s.LagSeconds > lagNoted:
		return verdict{"warn", "catching up"}
	}
	return verdict{"good", "well"}
}

// driftText says what a shard was folded with that this server does not fold with.
func driftText(drift []string) string {
	var with []string
	if slices.Contains(drift, "code") {
		with = append(with, "by another version of queuetrack")
	}
	if slices.Contains(drift, "settings") {
		with = append(with, "with other settings of the source")
	}
	return "folded " + strings.Join(with, " and ")
}

// Standing is what a rebuild is at, in words.
func (v rebuildView) Standing() string {
	if v.State == "none" || v.Generation == nil {
		return "The read models were never rebuilt."
	}
	name := map[string]string{"rebuild": "The rebuild as generation", "rollback": "The rollback to generation", "discard": "The discard of generation"}[v.Action]
	what := fmt.Sprintf("%s %d", name, *v.Generation)
	switch v.State {
	case "running":
		return what + " is under way."
	case "interrupted":
		return what + " was interrupted. Begun again, it goes on where it stopped."
	case "failed":
		return what + " failed. Begun again, it goes on where it stopped."
	case "done":
		return what + " is done."
	}
	return what + ": " + spaced(v.State)
}

// PhaseText is the phase in words.
func (v rebuildView) PhaseText() string {
	switch v.Phase {
	case "clearing":
		return "making room"
	case "filling":
		return "folding the log"
	case "following":
		return "folding what came in meanwhile"
	case "comparing":
		return "comparing with what serves"
	case "switching":
		return "switching over"
	}
	return v.Phase
}

// LeftText is about how long it still takes; empty: not known.
func (v rebuildView) LeftText() string {
	if v.LeftSeconds == nil {
		return ""
	}
	left := time.Duration(*v.LeftSeconds * float64(time.Second)).Round(time.Second)
	return left.String()
}

// RateText is how fast it goes; empty: nobody is at it.
func (v rebuildView) RateText() string {
	if v.Rate == nil {
		return ""
	}
	return fmt.Sprintf("%.0f events a second", *v.Rate)
}

// Begin is what a button to begin says.
func (v rebuildView) Begin() string {
	if v.CanDrop {
		return "Go on with the rebuild"
	}
	return "Rebuild"
}
