package dashboard

import "net/url"

// done is the address of a page that says what was done. The key names one of the notices: an address can't put any other
// words into a page.
func done(page, key string) string { return page + "?" + url.Values{"done": {key}}.Encode() }

// noticeOf is what a page says that was asked for by [done].
func noticeOf(query url.Values) string {
	switch query.Get("done") {
	case "closed":
		return "The ticket was ended by hand. Should the vendor tell of it again, it goes on by that."
	case "rebuild":
		return "The rebuild has begun. What serves goes on serving until the new generation is as far."
	case "rollback":
		return "Going back to the generation before has begun."
	case "discard":
		return "What the interrupted rebuild had filled was dropped."
	case "folded":
		return "The dead letter was folded, and what waited behind it too."
	case "stands":
		return "The dead letter was folded, but an event behind it can't be, and is a dead letter now."
	case "dismissed":
		return "The dead letter was dismissed, and its ticket goes on without it."
	case "dismissed-stands":
		return "The dead letter was dismissed, but an event behind it can't be folded, and is a dead letter now."
	case "retried":
		return "The delivery was appended to the log anew."
	}
	return ""
}
