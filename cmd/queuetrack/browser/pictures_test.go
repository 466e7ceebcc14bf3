//go:build linux

package browser

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	xdraw "golang.org/x/image/draw"
)

var (
	picturesDir = flag.String("pictures", "", "the folder to put pictures of every page into, for looking at")
	readme      = flag.Bool("update", false, "draw the README's pictures again")
)

const (
	// readmeDir is where the README's pictures are.
	readmeDir = "../../../testdata/pictures"
	// mostBytes is what one of them may have.
	mostBytes = 300_000
	// daySeed and dayLived are the day that pictures are of.
	daySeed  = 7
	dayLived = 4 * time.Hour
)

// The README's pictures are made by
//
//	go test ./cmd/queuetrack/browser -run TestPictures -update
//
// and with -pictures DIR those of every page on every screen, in light and dark.
func TestPictures(t *testing.T) {
	if *picturesDir == "" && !*readme {
		t.Skip("draws pictures when asked: -update for the README's, -pictures DIR for all")
	}
	w := newWorld(t)
	w.live(daySeed, dayLived)
	b := w.open(t, eyes{})
	must(b, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true})
	if *readme {
		b.draw(eyes{width: 1440, height: 900, scale: 1, still: true}, "/", 1440, true, filepath.Join(readmeDir, "dashboard.png"))
		b.draw(eyes{width: 1920, height: 1080, scale: 1, still: true}, "/board/city", 1280, false, filepath.Join(readmeDir, "board.png"))
	}
	if *picturesDir == "" {
		return
	}
	for name, screen := range map[string]eyes{"phone": phone, "desk": desk, "wall": wall} {
		screen.still = true
		for _, path := range w.pages() {
			file := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-").Replace(path), "-") + " " + name
			for file, e := range map[string]eyes{file: screen, file + " dark": screen.inTheDark()} {
				b.look(e)
				b.visit(path)
				b.settled()
				save(t, filepath.Join(*picturesDir, strings.TrimSpace(file)+".png"), b.picture(!strings.HasPrefix(path, "/board")))
			}
		}
	}
}

// draw takes a picture of what is on the screen, or of the whole page, and saves it scaled to a width.
func (b *tab) draw(e eyes, path string, width int, whole bool, file string) {
	b.t.Helper()
	b.look(e)
	b.follow(path)
	b.settled()
	full, err := png.Decode(bytes.NewReader(b.picture(whole)))
	if err != nil {
		b.t.Fatal(err)
	}
	small := image.NewRGBA(image.Rect(0, 0, width, full.Bounds().Dy()*width/full.Bounds().Dx()))
	xdraw.CatmullRom.Scale(small, small.Bounds(), full, full.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, fewColours(small)); err != nil {
		b.t.Fatal(err)
	}
	if out.Len() > mostBytes {
		b.t.Errorf("%s has %d bytes, want at most %d", file, out.Len(), mostBytes)
	}
	save(b.t, file, out.Bytes())
}

// fewColours draws a picture with at most 256 colours: the most frequent ones, which for a page is nearly all of it.
func fewColours(from *image.RGBA) image.Image {
	counts := map[color.RGBA]int{}
	for y := range from.Bounds().Dy() {
		for x := range from.Bounds().Dx() {
			counts[from.RGBAAt(x, y)]++
		}
	}
	palette := color.Palette{}
	for _, c := range byCount(counts) {
		if palette = append(palette, c); len(palette) == 256 {
			break
		}
	}
	to := image.NewPaletted(from.Bounds(), palette)
	draw.Draw(to, to.Bounds(), from, image.Point{}, draw.Src)
	return to
}

func byCount(counts map[color.RGBA]int) []color.RGBA {
	return slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int { return cmp.Compare(counts[b], counts[a]) })
}

func save(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o644)); err != nil { //nolint:gosec // pictures for everybody
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", file, len(content))
}
