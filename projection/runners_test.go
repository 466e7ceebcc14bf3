package projection_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"queuetrack/projection"
)

func TestRunnersAreThoseWhoseLeaseRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`
		INSERT INTO runner (owner, code, sources, lease_until)
		VALUES ('here', 'v1', '{city,store}', now() + interval '1 hour'), ('gone', 'v0', '{city}', now() - interval '1 second')`)
	got, err := projection.NewReader(w.pool).Runners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []projection.RunnerInfo{{Owner: "here", Code: "v1", Sources: []string{"city", "store"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runners (-want +got):\n%s", diff)
	}
}
