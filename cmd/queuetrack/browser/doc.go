// Package browser looks at queuetrack as people do: Chromium opens the pages of the real binary, presses keys, and reads
// what is shown. It holds tests only, and runs on Linux.
//
// Each test has a world of its own, so that what there is to see is known: a queuetrack process on an address of the
// loopback network, with one source of each vendor, on a database of package dbtest; and webhooks that the test signs
// and posts as the vendors would. All tests share one browser, in which each opens tabs that share nothing. Whatever a
// tab does, it must ask no other host, break no rule of its Content-Security-Policy and put no error on the console.
//
//	board_test.go     a call is on the board within a second, is told to those who listen, and tells nobody who it is
//	restart_test.go   pages survive the server's death, say so meanwhile, and catch up
//	form_test.go      the report's form gives the numbers of REST
//	keyboard_test.go  all can be done by keyboard, and live updates don't take the place away
//	narrow_test.go    320 px, and 200 % of zoom: nothing to scroll sideways, nothing on top of another
//	axe_test.go       axe-core finds no violation, in light and dark, on a desk and on a phone
//	quiet_test.go     no other host, no errors, no motion for those who want none; and that the tests would see them
//	plain_test.go     without JavaScript the same numbers, new ones by themselves, and forms that work
//	tabs_test.go      more tabs than a browser has connections
//	login_test.go     signing in and out, and the board that needs neither
//	pictures_test.go  the README's pictures, and of every page on every screen
//
// all_test.go lists the pages: a new one belongs there, and is then looked at by all that looks at every page.
//
// It needs Chromium, and for axe_test.go the file axe.min.js of axe-core, named by QUEUETRACK_AXE. Where they are missing
// the tests say how to get them, and are skipped; with CI=true they fail instead.
package browser
