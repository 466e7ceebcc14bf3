package source_test

import (
	"path/filepath"
	"testing"
)

// Decoding is most of what a rebuild does to an event before it folds it.
func BenchmarkDecode(b *testing.B) {
	for _, v := range vendors {
		b.Run(v.name, func(b *testing.B) {
			s := v.source(b, newSecret)
			files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "deliveries", v.name, "*.json"))
			if err != nil {
				b.Fatal(err)
			}
			var bodies [][]byte
			total := 0
			for _, file := range files {
				bodies = append(bodies, readFile(b, file))
				total += len(bodies[len(bodies)-1])
			}
			b.SetBytes(int64(total / len(bodies)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.Decode(bodies[i%len(bodies)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyIdentify(b *testing.B) {
	for _, v := range vendors {
		b.Run(v.name, func(b *testing.B) {
			s := v.source(b, newSecret, oldSecret)
			body := []byte(v.body(v.typ, `"1"`))
			h := s.Sign(body)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Verify(h, body); err != nil {
					b.Fatal(err)
				}
				s.Identify(body)
			}
		})
	}
}
