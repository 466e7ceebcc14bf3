package dashboard

import (
	"context"
	"net/http"
	"strings"

	"queuetrack/api"
)

// The addresses of signing in and out.
const (
	LoginPath  = api.SignInPath
	LogoutPath = "/logout"
)

// Sessions lets a person in by an API key, and remembers it by a cookie.
type Sessions interface {
	// SignIn returns the cookie of a live key. An error that is an *[api.Problem] is shown beside the form.
	SignIn(ctx context.Context, r *http.Request, key string) (*http.Cookie, error)
	// SignOut returns the cookie that ends a session.
	SignOut(r *http.Request) *http.Cookie
	// SignedIn reports whether the request comes with the cookie of a session.
	SignedIn(r *http.Request) bool
}

func (d *Dashboard) signedIn(r *http.Request) bool {
	return d.cfg.Sessions != nil && d.cfg.Sessions.SignedIn(r)
}

// loginForm is what the page to sign in shows.
type loginForm struct{ Next, Problem string }

func (d *Dashboard) loginPage(w http.ResponseWriter, r *http.Request) {
	d.showLogin(w, r, loginForm{Next: api.LocalPath(r.URL.Query().Get("next"))}, 0)
}

func (d *Dashboard) showLogin(w http.ResponseWriter, r *http.Request, form loginForm, status int) {
	d.write(w, r, page{layout: "page"}, view{Title: "Sign in", Template: "login", Data: form, Status: status})
}

// signIn takes the form. What is wrong with it is said beside it; the key itself is never shown again.
func (d *Dashboard) signIn(w http.ResponseWriter, r *http.Request) {
	if err := readForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	next := api.LocalPath(r.PostForm.Get("next"))
	cookie, err := d.cfg.Sessions.SignIn(r.Context(), r, strings.TrimSpace(r.PostForm.Get("key")))
	if err != nil {
		problem := api.Describe(r.Context(), err)
		said := problem.Title + ". " + problem.Detail
		if problem.Status == http.StatusUnauthorized { // what the API says to that is for clients
			said = "This key opens nothing: it is mistyped, or was revoked."
		}
		for name, values := range problem.GetHeaders() {
			w.Header()[name] = values
		}
		d.showLogin(w, r, loginForm{Next: next, Problem: said}, problem.Status)
		return
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (d *Dashboard) signOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, d.cfg.Sessions.SignOut(r))
	http.Redirect(w, r, LoginPath, http.StatusSeeOther)
}
