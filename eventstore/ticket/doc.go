// Package ticket is the language of the log: what a delivery says ([Observation]), what a ticket is ([State]), and the
// fold from the one to the other ([Apply]).
//
// It is pure: the standard library, no clock, no I/O. The same observations in the same order give the same ticket,
// so a rebuild gives the rows that following the log live gave.
//
// # From an observation to a state
//
//	Observation ──► facts ──► in the order of their times ──► state machine ──► State
//	             (fact.go)          (order.go)                  (step.go)
//
// A ticket keeps its facts: "called at 10:43", "served at 10:53", each with its time. An observation yields one fact
// of its own and, from a milestone sender, one for each step that its payload mentions in passing. Apply adds the facts
// that are new and derives the whole state again. So, as long as deliveries carry their own times, neither the order
// nor the repetition of deliveries matters: the same set of facts gives the same state.
//
// What is decided from the payload's status and the state before comes first, what the vendor called the event
// second: a `ticket_created` with status CALLED is a call.
//
// # What can't be known
//
//   - A delivery without a time of its own takes its receipt's, and the ticket is flagged [FlagTimeAssumed] if
//     anything moved by it. Such facts can't converge: they are when we heard of them.
//   - A lost predecessor is implied, and flagged: whoever was served had been called.
//   - A repeated creation after a call is a return to the queue or a late retry. It is taken as a return
//     ([FlagReturnAssumed]), and withdrawn when a later delivery past a call still carries the old call's time: a real
//     return would have been followed by a new call.
//   - A return that carries the time of the call it undid happened before the next call, whenever it arrives.
//   - An expiry is our guess: any later word of the vendor about the ticket's status withdraws it.
//   - Bad clocks stay visible. A negative wait or service is kept and flagged; the creation comes first and the end
//     of a visit stays its end, whatever their times.
package ticket
