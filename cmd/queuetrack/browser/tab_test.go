//go:build linux

package browser

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// eyes are how somebody looks at a page. The zero value is a desk's screen, in light.
type eyes struct {
	width, height int64   // in CSS pixels
	scale         float64 // device pixels in one of them
	dark          bool
	still         bool // prefers reduced motion
	plain         bool // runs no scripts
}

func (e eyes) String() string {
	name := fmt.Sprintf("%dx%d", e.width, e.height)
	for word, is := range map[string]bool{"dark": e.dark, "still": e.still, "plain": e.plain} {
		if is {
			name += " " + word
		}
	}
	return name
}

// tab is a page being looked at, with cookies and storage of its own.
type tab struct {
	t    *testing.T
	w    *world
	ctx  context.Context
	eyes eyes

	mu         sync.Mutex
	messages   int      // server-sent events since the last visit
	complaints []string // what went wrong in the page that nobody may see go wrong
	excused    []*regexp.Regexp
}

// open opens a tab. When the test ends, nothing may have gone wrong in it.
func (w *world) open(t *testing.T, e eyes) *tab {
	t.Helper()
	b := w.openUnchecked(t, e)
	t.Cleanup(func() {
		for _, complaint := range b.wrongs() {
			t.Error(complaint)
		}
	})
	return b
}

func (w *world) openUnchecked(t *testing.T, e eyes) *tab {
	t.Helper()
	if e.width == 0 {
		e.width, e.height = 1280, 800
	}
	if e.scale == 0 {
		e.scale = 1
	}
	ctx, closed := chromedp.NewContext(theBrowser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(closed)
	b := &tab{t: t, w: w, ctx: ctx, eyes: e}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, b.notice); err != nil {
		t.Fatal(err)
	}
	b.look(e)
	must(b, audits.Enable, struct{}{})
	return b
}

// look changes how the page is looked at.
func (b *tab) look(e eyes) {
	b.t.Helper()
	scheme, motion := "light", "no-preference"
	if e.dark {
		scheme = "dark"
	}
	if e.still {
		motion = "reduce"
	}
	must(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: e.width, Height: e.height, DeviceScaleFactor: e.scale})
	must(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion},
	}})
	must(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: e.plain})
	b.eyes = e
}

// must runs a command of the browser.
func must[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// visit goes to a path of the server.
func (b *tab) visit(path string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	b.mu.Lock()
	b.messages = 0
	b.mu.Unlock()
	if err := chromedp.Do(ctx, chromedp.Navigate(b.w.base+path)); err != nil {
		b.t.Fatalf("open %s: %v", path, err)
	}
}

// ask evaluates an expression in the page; a promise is waited for.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := tryAsk[T](b, expression)
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	return value
}

func tryAsk[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// await looks until the expression is true. The page may be another one meanwhile.
func (b *tab) await(expression string) {
	b.t.Helper()
	eventually(b.t, expression, patience, func() error {
		holds, err := tryAsk[bool](b, "!!("+expression+")")
		if err == nil && !holds {
			err = errors.New("not so")
		}
		return err
	})
}

// follow opens a live page, and returns when it hears of changes.
func (b *tab) follow(path string) {
	b.t.Helper()
	b.visit(path)
	eventually(b.t, path+" hears of changes", patience, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.messages == 0 {
			return errors.New("no message")
		}
		return nil
	})
}

// press presses keys, as [chromedp.KeyEvent] knows them.
func (b *tab) press(keys string, with ...chromedp.KeyOption) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys, with...)); err != nil {
		b.t.Fatal(err)
	}
}

// picture is a PNG of what is on the screen, or of the whole page.
func (b *tab) picture(whole bool) []byte {
	b.t.Helper()
	return must(b, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole}).Data
}

// notice keeps what an event tells of something wrong. It runs between the browser's messages, and must not ask for more.
func (b *tab) notice(event any) {
	switch e := event.(type) {
	case *network.EventEventSourceMessageReceived:
		b.mu.Lock()
		b.messages++
		b.mu.Unlock()
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.w.base+"/") && !strings.HasPrefix(u, "data:") {
			b.complain("the page asked for " + u)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.complain(fmt.Sprintf("the browser logs: %s %s", e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.complain(fmt.Sprintf("the page logs: %s", words(e.Args)))
		}
	case *runtime.EventExceptionThrown:
		b.complain("the page's script failed: " + e.ExceptionDetails.Text)
	case *audits.EventIssueAdded:
		b.complain("the browser warns of " + string(e.Issue.Code))
	}
}

func words(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		all = append(all, string(a.Value)+a.Description)
	}
	return strings.Join(all, " ")
}

func (b *tab) complain(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, excuse := range b.excused {
		if excuse.MatchString(what) {
			return
		}
	}
	b.complaints = append(b.complaints, fmt.Sprintf("%v: %s", b.eyes, what))
}

// excuse lets pass from now on what this test itself brings about.
func (b *tab) excuse(pattern string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.excused = append(b.excused, regexp.MustCompile(pattern))
}

// wrongs are the complaints so far.
func (b *tab) wrongs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.complaints
}
