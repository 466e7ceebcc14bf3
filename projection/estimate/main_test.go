package estimate

import (
	"testing"

	"queuetrack/migrations/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }
