// Keeps a page as the server has it: the same address, asked for as server-sent events. Messages are
//   page   the whole content, first and whenever its structure changes
//   parts  the elements that came out differently, each with its id
//   beat   all is well, nothing changed
//   trouble  the server can't look just now
// Elements stay and get new children, so that a screen reader hears changes of a status, and nobody loses the place.
"use strict";

const silence = 15000; // milliseconds without a message: what is shown may be old
const again = 3000; // until a refused connection is tried anew
let heard = Date.now();

function clock(at) {
  return new Date(at).toLocaleTimeString();
}

function fresh() {
  heard = Date.now();
  const banner = document.getElementById("stale");
  if (!banner.hidden) {
    banner.hidden = true;
    banner.textContent = "";
  }
}

function stale(why) {
  const banner = document.getElementById("stale");
  const text = why + " What you see is as of " + clock(heard) + ".";
  if (banner.textContent !== text) {
    banner.textContent = text;
  }
  banner.hidden = false;
}

// elementOf reads the HTML of one element, also of a table's row.
function elementOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

// keepingFocus does something that may replace the focused element, and focuses the one that took its place.
function keepingFocus(within, change) {
  const focused = document.activeElement;
  if (focused === document.body || !within.contains(focused)) {
    change();
    return;
  }
  const id = focused.id;
  const link = focused.getAttribute("href");
  change();
  if (document.contains(focused)) {
    return;
  }
  const heir = id ? document.getElementById(id) : [...within.querySelectorAll("a")].find((a) => a.getAttribute("href") === link);
  if (heir) {
    heir.focus({ preventScroll: true });
  }
}

function replacePart(part) {
  const old = document.getElementById(part.id);
  const now = elementOf(part.html);
  if (!old || !now) {
    return;
  }
  keepingFocus(old, () => {
    for (const { name, value } of now.attributes) {
      if (old.getAttribute(name) !== value) {
        old.setAttribute(name, value);
      }
    }
    const call = callOf(old);
    old.replaceChildren(...now.childNodes);
    if (callOf(old) && callOf(old) !== call) {
      old.classList.remove("new");
      void old.offsetWidth; // begins the animation anew
      old.classList.add("new");
    }
  });
}

// callOf names the call that an element is about, if it is about one.
function callOf(element) {
  return element.querySelector("[data-call]")?.dataset.call;
}

function replacePage(page) {
  const build = document.body.dataset.build;
  if (page.build !== build) {
    location.reload();
    return;
  }
  const main = document.getElementById("main");
  const next = document.createElement("template");
  next.innerHTML = page.html;
  if (next.innerHTML === main.innerHTML) {
    return;
  }
  keepingFocus(main, () => {
    // A status that stays in its place is heard when it changes.
    main.replaceChildren(...next.content.childNodes);
  });
}

// signInAgain loads the page anew where the server would send it elsewhere: to sign in, when the session has ended.
function signInAgain() {
  fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" })
    .then((answer) => {
      if (answer.type === "opaqueredirect") {
        location.reload();
      }
    })
    .catch(() => {}); // the server is away
}

let source = null; // null: the page is not on the screen

// A browser has six connections to a server, and a page that nobody looks at must not hold one: the seventh tab would
// stay blank.
function follow() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (!source) {
    connect();
  }
}

function connect() {
  source = new EventSource(location.pathname + location.search);
  source.addEventListener("page", (event) => {
    fresh();
    replacePage(JSON.parse(event.data));
  });
  source.addEventListener("parts", (event) => {
    fresh();
    JSON.parse(event.data).forEach(replacePart);
  });
  source.addEventListener("beat", fresh);
  source.addEventListener("trouble", (event) => stale(JSON.parse(event.data) + "."));
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      // The browser itself comes back only from broken connections. Not at once: a page that is being left hears this, too.
      setTimeout(() => {
        signInAgain();
        follow();
      }, again);
    }
  });
}

setInterval(() => {
  if (!document.hidden && Date.now() - heard > silence) {
    stale("Updates have stopped.");
  }
}, 1000);
document.addEventListener("visibilitychange", follow);
follow();
