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
// A ticket keeps its facts: "called at 10:43", "served at 10:53", each with its time. An observation yields the ticket's
// birth, a step of its own, or both (feedback yields neither), and, from a milestone sender, one more for each step that
// its payload mentions in passing. Apply adds the facts that are new and derives the whole state again. So, as long as
// deliveries carry their own times, neither their order nor their repetition matters, unless two of them disagree about
// one instant (then the earlier delivery is believed about a step, the later one about the end). A milestone sender's
// edit carries no time of its own: it is dated by its receipt.
//
// A status outranks the name of the event: a `ticket_created` with status CALLED is a call.
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
//   - An expiry, and an operator's close, is our guess: any later word of the vendor about the ticket's status withdraws
//     it, and one that was on its way when we decided voids it ([Observation.Seen]).
//   - Bad clocks stay visible. A negative wait or service is kept and flagged; the creation comes first and the end
//     of a visit stays its end, whatever their times.
package ticket
