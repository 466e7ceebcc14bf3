package render

// WaitsExplained are the definitions of the wait report, under the names that its answers use.
func WaitsExplained() Definitions {
	return Definitions{
		{
			Title: "Segments",
			Intro: "A segment is one stay of a ticket in one queue: it enters, waits, is called, is served, and ends with exactly one outcome. " +
				"Every instant is cut to the whole second before it is subtracted, so that times add up exactly.",
			Terms: []Term{
				{"offered", "segments that entered the queue and belong to the window"},
				{"served", "called, and done"},
				{"abandoned", "left without a call: given up by the visitor, or removed by staff"},
				{"no_show", "called, never came"},
				{"cancelled", "given up or removed after a call"},
				{"returned", "called, then sent back to wait; the next stay is a segment of its own"},
				{"transferred", "moved to another queue, where the next segment begins"},
				{"expired", "ended by queuetrack: no webhook for too long, or closed by an operator"},
				{"merged", "joined to another ticket"},
				{"open", "not ended yet. The nine outcomes from served to open add up to offered"},
			},
		},
		{
			Title: "Times, in seconds",
			Terms: []Term{
				{"wait", "from entry to the first call of the segment, without the time on hold; n counts the waits that ended with a call. A re-call adds nothing; " +
					"after a return the next segment waits for itself"},
				{"entry", "creation; for a booking its activation, never its creation; a return; a transfer in; a reopening"},
				{"abandoned_wait", "the same until leaving, of the segments that left without a call"},
				{"service", "at the desk: from arriving there, or from the call where the vendor doesn't tell the arrival, to the end, " +
					"without the time on hold; served segments only"},
				{"mean", "sum / n, unrounded"},
				{"p50, p90, …", "percentiles by nearest rank: a time that somebody had, never interpolated, averaged or merged"},
				{"max", "the longest"},
				{"low_n", "fewer than 10 samples: the values are told, and say little"},
				{"excluded", "counted in offered and the outcomes, but not timed. negative_wait (a vendor's clock): not in wait, nor among served within X; " +
					"negative_service: not in service; self_registered (a request that had an owner from the start): in neither"},
			},
		},
		{
			Title: "Service level at X seconds",
			Intro: "service_level tells X as threshold_seconds, the formula, its value and its parts. Of four formulas it is F4, the default, unless another one was asked for.",
			Terms: []Term{
				{"served_within", "served, after a wait of at most X"},
				{"abandoned_within", "abandoned, after at most X"},
				{"F1", "(served_within + abandoned_within) / (served + abandoned)"},
				{"F2", "served_within / served"},
				{"F3", "served_within / (served + abandoned)"},
				{"F4", "served_within / (served + abandoned after more than X)"},
			},
		},
		{
			Title: "Calls",
			Terms: []Term{
				{"called", "segments that were called at least once"},
				{"recalled", "of these, called again at least once within the segment"},
				{"recalls", "calls after the first, which is the one that ends the wait"},
				{"recall_rate", "recalled / called"},
				{"return_rate", "returned / called"},
			},
		},
		{
			Title: "Queue length (include=queue_length)",
			Intro: "A segment waits from its entry to its first call, or to leaving without one, minus the times on hold before that. All segments count that wait " +
				"inside the window, whenever they entered and whatever attributed_by says. Not by desk or agent: who waits has none yet.",
			Terms: []Term{
				{"waiting_seconds", "all the time that segments waited inside the bucket: the exact integral of the queue's length"},
				{"elapsed_seconds", "of the bucket, up to now"},
				{"mean", "waiting_seconds / elapsed_seconds"},
				{"max", "the most that waited at the same time, over the item's queues together. By weekday or hour_of_day: sums over all their buckets, and the greatest max"},
			},
		},
		{
			Title: "Drop-off (include=drop_off)",
			Terms: []Term{
				{"place", "at entry: 1 + the segments that wait in the same queue at that second and came before (earlier; in the same second, those of the smaller ticket id)"},
				{"offered", "segments that entered at a place from place_from to place_to: 1, 2, 3, 4–5, 6–10, 11–20, 21 and later"},
				{"abandoned", "of these, left without a call"},
				{"rate", "abandoned / offered"},
			},
		},
		{
			Title: "Windows, groups and comparison",
			Terms: []Term{
				{"from, to", "the window is half-open: from is inside, to is not. Dates are local midnights of tz"},
				{"attributed_by", "the instant that places a segment in the window and in a bucket: arrival (entry, the default), call (the first), " +
					"end (leaving the queue). Segments without it are not in the report"},
				{"hour … month", "hour, day, week and month are half-open buckets of local time; a day has 23, 24 or 25 hours; weeks are ISO 8601, by ISO year. start and end are the whole " +
					"bucket's; what lies outside of the window doesn't count"},
				{"weekday", "1 is Monday, 7 is Sunday: every Monday of the window together"},
				{"hour_of_day", "0 to 23 by the local clock: that hour of every day of the window together; one that comes twice where clocks go back is one"},
				{"group_by", "the one or two of these, or of source, location and queue (name: what it is called), that items are for"},
				{"desk, agent", "the last that was told of the segment; empty: never called, or none was told"},
				{"empty items", "grouped by time, every bucket that the window touches is there, for each source, location, queue, desk or agent with any segment in the window"},
				{"previous", "with compare=previous: the same of the window right before, of as many local days; where the window doesn't " +
					"begin and end at local midnights, of the same duration. What the window before doesn't have is zero in it. The difference is the window minus the one before"},
				{"tz", "the time zone of all of this"},
				{"positions", "the last event of each source that the answer knows"},
			},
		},
		{
			Title: "Signs and words of tables and pages",
			Terms: []Term{
				{"min:s", "minutes and seconds: 62:05 is an hour, two minutes and five seconds"},
				{"waits, services", "n of wait and of service"},
				{"gave up", "n of abandoned_wait"},
				{"SL", "the service level"},
				{"most at once", "max of the queue's length"},
				{"time waited", "its waiting_seconds"},
				{"at 4–5", "the drop-off rate at these places"},
				{"pp", "percentage points, of the difference between two shares"},
				{lowMark, "low_n"},
				{absent, "nothing to tell: no samples, nothing to divide by; of a key: none was told"},
			},
		},
		{
			Title: "Limits",
			Terms: []Term{
				{"items", "at most 10,000 in JSON, tables and pages; at most 1,000,000 in CSV, which is streamed"},
				{"window", "at most 100,000 hours or days, when grouped by them"},
			},
		},
	}
}
