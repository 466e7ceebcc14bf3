package api

// Kinds are all kinds of problems, in the order of their statuses.
func Kinds() []Kind {
	return []Kind{
		KindInvalidRequest, KindIncompleteBody, KindBadSignature, KindUnauthorized, KindForbidden, KindCrossOrigin, KindForeignHost,
		KindNotFound, KindUnknownSource, KindUnknownQueue, KindUnknownTicket, KindUnknownEvent,
		KindMethodNotAllowed, KindSlowBody,
		KindTicketEnded, KindNotQuarantined, KindAlreadyRetried, KindStillUnusable, KindNotDeadLetter, KindWaitsBehind,
		KindDismissed, KindNotNow, KindPositionAhead, KindRebuilding, KindCannotRebuild, KindNoGeneration,
		KindTooLarge, KindUnsupportedMediaType,
		KindTooManyRequests, KindBusy, KindNotFolded, KindOvertaken, KindTimeout, KindUnavailable, KindInternal,
	}
}

// explain says to a person what a kind of problem means, and how to mend the request.
func (k Kind) explain() (means, mend string) {
	switch k {
	case KindInvalidRequest:
		return "A parameter, a part of the path or the body is not what this request takes. Nothing was done.",
			"Read errors: each entry has a pointer to what is wrong (/query/limit is the parameter limit) and says what is allowed, with a right value. All mistakes are told at once. /docs has every parameter with an example."
	case KindIncompleteBody:
		return "The connection ended before the body did. Nothing was kept.", "Send the whole body again. If it happens often, look at the proxy in between."
	case KindBadSignature:
		return "A webhook's signature, or Ombori's static header, is missing or not the one that the source's secrets make. Nothing was kept. The answer says no more on purpose: strangers read it, too.",
			"Compare the source's secrets and, for Qminder, its public_url with what stands at the vendor, to the letter. 'queuetrack config check --signature FILE' says what a captured delivery lacks; GET /v1/sources/{source}/rejections lists the latest refused ones."
	case KindUnauthorized:
		return "Reading wants an API key here, and this request had none that is good: it is missing, mistyped, or was revoked. The answer says no more on purpose.",
			"Send Authorization: Bearer qt_… with the key. Whoever runs the server makes one with 'queuetrack apikey create NAME --scope read'. A person signs in at /login."
	case KindForbidden:
		return "The key is good, and lacks a scope: read allows every GET, admin also what changes something, and the bodies of deliveries.",
			"Use a key with the scope that detail names: 'queuetrack apikey create NAME --scope admin' makes one."
	case KindCrossOrigin:
		return "A browser sent this for a page of another site, which may change nothing here.", "Send it from a page of this very server, or without a browser: with curl, or with the queuetrack command."
	case KindForeignHost:
		return "The server listens on a loopback address and was asked under another name than this machine's, as a page could do that points its own name at 127.0.0.1.",
			"Ask for http://127.0.0.1 or http://localhost with the port, or let the proxy in front set the Host header to localhost."
	case KindNotFound:
		return "The server has nothing at this path.", "Compare the path with /docs: the API's paths begin with /v1/, and a slash within an id is written %2F."
	case KindUnknownSource:
		return "The path names a source that is not in the server's configuration.", "GET /v1/sources lists the configured ones."
	case KindUnknownQueue:
		return "The path names a queue that is neither configured nor was ever entered by a ticket of the source.",
			"GET /v1/queues?source=… lists the queues. The path takes the vendor's id (the field queue), not the name."
	case KindUnknownTicket:
		return "No event that is folded has told of this ticket, or none had at the time asked about.",
			"GET /v1/tickets?source=… lists the tickets. If its webhook was only just answered, add min_position=SOURCE:POSITION with the position of that answer."
	case KindUnknownEvent:
		return "The source's log has no event at this position.", "Positions run from 1 to tail, which GET /v1/sources tells; GET /v1/events?source=… lists the events."
	case KindMethodNotAllowed:
		return "The path exists, and does not take this method.", "The header Allow lists those that it takes."
	case KindSlowBody:
		return "The body did not arrive in time. Nothing was kept.", "Send the whole body at once."
	case KindTicketEnded:
		return "Only an open ticket can be closed, and this one has ended.", "Nothing is left to do: GET /v1/tickets/{source}/{ticket} tells how it ended."
	case KindNotQuarantined:
		return "The event is folded like any other: there is nothing to retry.", "GET /v1/quarantine lists the quarantined ones."
	case KindAlreadyRetried:
		return "A quarantined event is appended anew once, and this one was.", "detail names the position that it was appended at."
	case KindStillUnusable:
		return "What kept the event from being used still does. Nothing was changed.", "Mend the adapter or the configuration first (detail has the cause), then retry."
	case KindNotDeadLetter:
		return "The event could be folded, or was not reached yet.", "GET /v1/dead-letters lists those that could not."
	case KindWaitsBehind:
		return "An earlier event of the same ticket can't be folded, and this one waits behind it.", "Retry or dismiss the one that detail names."
	case KindDismissed:
		return "The event was dismissed, which is final: no fold takes it any more.", "Nothing can be done to it. A correction has to come as a new event from the vendor."
	case KindNotNow:
		return "Something else that is under way has to end first. Nothing was changed.", "detail says what. Ask again when it has ended; GET /v1/projections/rebuild tells of rebuilds."
	case KindPositionAhead:
		return "The id that the stream was to go on from is ahead of what this server has: it is of another database, or a backup was restored.",
			"Connect without Last-Event-ID, and read again what you show."
	case KindRebuilding:
		return "One rebuild, rollback or discard runs at a time, in all processes on the database. Nothing was begun.", "GET /v1/projections/rebuild tells how far it is; ask again when its state is done."
	case KindCannotRebuild:
		return "A rebuild was interrupted and can't go on, or a source of the log is not configured here. Nothing was begun.", "detail says what to do first."
	case KindNoGeneration:
		return "There is nothing to go back to, or nothing to drop.", "GET /v1/projections shows which generations there are: previous can be gone back to, building can be dropped."
	case KindTooLarge:
		return "The body is larger than is read here. Nothing was kept.", "A webhook has at most 1 MiB, the body of any other POST at most 4 KiB."
	case KindUnsupportedMediaType:
		return "The body is not declared as JSON, or is compressed.", "Send it with Content-Type: application/json and without Content-Encoding."
	case KindTooManyRequests:
		return "A key has sent more requests than it may (rate_limit, 50 a second unless configured), or too many wrong keys came from one address.",
			"Wait for as many seconds as Retry-After says. To be told of changes, read /v1/stream instead of asking again and again. Behind a proxy all clients share its address, unless the server knows it by trusted_proxies."
	case KindBusy:
		return "Too much is in flight just now. Nothing was kept.", "Send it again after the seconds of the header Retry-After. Vendors do so by themselves."
	case KindNotFolded:
		return "The answer was to know of a position (min_position, as_of_position) that is not folded yet after two seconds.",
			"Ask again after Retry-After. If the position is beyond the log's tail (GET /v1/sources), it will never come: check the number. GET /v1/projections shows a source that stands still."
	case KindOvertaken:
		return "A rebuild dropped the generation that the answer was being read from.", "Ask again at once: another one serves."
	case KindTimeout:
		return "The answer took longer than an answer may.", "Ask for less: a shorter window, one source, fewer items; or try again later."
	case KindUnavailable:
		return "The server can't reach its database.", "Try again after Retry-After. GET /readyz?verbose says what is amiss."
	case KindInternal:
	}
	return "A fault of queuetrack's own; what caused it is not told here.", "Whoever runs the server finds the cause in its log, under the request id that stands in instance and in the header X-Request-Id."
}
