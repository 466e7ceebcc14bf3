package projection

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestYieldWhileTheDoorIsCrowded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ crowd, page, want time.Duration }{
		"nobody there":    {0, 100 * time.Millisecond, 0},
		"a short crowd":   {50 * time.Millisecond, 100 * time.Millisecond, 50 * time.Millisecond},
		"a crowd":         {time.Minute, 100 * time.Millisecond, 900 * time.Millisecond},
		"a page too long": {time.Minute, 5 * time.Second, yieldMost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				yield(t.Context(), c.page, func() bool { return time.Since(began) < c.crowd })
				if got := time.Since(began); got < c.want || got > c.want+breath {
					t.Errorf("rested %s, want %s", got, c.want)
				}
			})
		})
	}
}
