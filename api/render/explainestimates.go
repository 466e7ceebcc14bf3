package render

import "strconv"

// EstimatesExplained are the definitions of the report on estimates, under the names that its answers use.
func EstimatesExplained() Definitions {
	return Definitions{
		{
			Title: "The estimate",
			Intro: "How long somebody who comes now has to wait for a call: computed from what the log had told until then, in the order of its positions, " +
				"and from nothing that came later.",
			Terms: []Term{
				{"busy clock", "runs only while somebody waits in the queue"},
				{"departure", "any leaving of the line: called, cancelled, removed, transferred, expired"},
				{"pace", "busy time of a departure: over the last 20 intervals between departures, to which the pace of the queue's whole past is added like 5 more (once it has seen 20)"},
				{"QL", "(tickets before it + 1) · pace"},
				{"HOL", "how long the first in line has waited; with nobody waiting the last wait that ended with a call, but not more than QL"},
				{"estimate", "(QL + HOL) / 2, then moved into the range. For somebody who waits already: QL from now on"},
				{"range", "QL times what became of the queue's last 200 predictions (wait ÷ QL), from the 20th to the 80th of a hundred; 30 s are added to both sides of each ratio, " +
					"and taken off again. Where the queue has fewer than 30: those of the source's queues together"},
				{"none", "when fewer than 3 have left the line today, and fewer than 30 ever"},
			},
		},
		{
			Title: "What it is set beside",
			Intro: "Two plain predictions, made at the same arrivals from the same past.",
			Terms: []Term{
				{"rolling_60_minutes", "mean of the queue's waits that had ended with a call within 60 minutes before, the last 200 at most"},
				{"last_wait", "the queue's last wait that had ended with a call"},
			},
		},
		{
			Title: "Whom it is judged by",
			Terms: []Term{
				{"n", "arrivals in the window that waited until they were called, and for which there were an estimate and both baselines: the same ones for all three. " +
					"In range: of these, those that were told one"},
				{"low_n", "fewer than 10 arrivals: the figures are told, and say little"},
				{"ahead_from", "and ahead_to: items are by how many stood before the arrival in the queue's order: 0, 1–2, 3–5, 6–10, 11–20, 21 and more (ahead_to: null). Empty ones are told, too"},
				{"total", "all of them together. In CSV the last row, without ahead_from and ahead_to"},
				{"from, to", "the window is half-open: from is inside, to is not. An arrival belongs to it by its entry to the queue. Dates are local midnights of tz"},
				{"tz", "the time zone of the window"},
				{"positions", "the last event of each source that the answer knows"},
			},
		},
		{
			Title: "What it was worth",
			Intro: "Told is what was predicted at the arrival, waited is the time from entry to call, without the time on hold; both in whole seconds.",
			Terms: []Term{
				{"mae_seconds", "MAE, the mean absolute error: mean of |told − waited|"},
				{"rmse_seconds", "RMSE: root of the mean of (told − waited)². Large errors weigh more"},
				{"bias_seconds", "mean of told − waited: above 0, people are told too long"},
				{"within_5_minutes", "share of arrivals with |told − waited| ≤ 300 s"},
				{"below_high", "share of those told a range that waited no longer than its upper end: " + promisedText() + " is what it promises"},
				{"within", "share of those told a range that waited within it, its ends included: 60 % is what it promises"},
			},
		},
		{
			Title: "Signs and words of tables and pages",
			Terms: []Term{
				{"min:s", "minutes and seconds: 62:05 is an hour, two minutes and five seconds"},
				{"arrivals", "n"},
				{"ahead", "from ahead_from to ahead_to"},
				{"better than …", "1 − the estimate's MAE / the baseline's; below 0, it is worse"},
				{"rolling, last", "of the baselines rolling_60_minutes and last_wait; without either word: of the estimate"},
				{"told a range", "n of range"},
				{lowMark, "low_n, or fewer than 10 that were told a range"},
				{absent, "nothing to tell: no arrivals, nothing to divide by"},
			},
		},
	}
}

func promisedText() string { return strconv.Itoa(int(100*promisedBelow)) + " %" }
