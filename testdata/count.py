"""An independent count for the wait report: from raw deliveries to the same numbers, with nothing of the product in it.

It is written from the documents (metrics.md, design.md section 3, vendors/facts.md section 3 to 5, and the definitions
of the report's contract), and shares no code with the product. Its author had read the product, though, and where the
documents are silent it counts as the product does, so there it checks only that both mean the same: a turn back without
a time of its own comes before the next call; a segment's desk and agent are the last ones told; Ombori's desk is the
station's label and its agent servedBy.id; abandoned≤X has the negative and self-registered waits too; of a self-registered
request only the first stay is left out; a queue that the creation didn't name was the first one named; the counterpart
of a bucket in the period before.

It is slow and plain where the product is fast: every segment is a Python object, every hour of the window a list entry,
and each number is counted again for each question.

It reads JSON lines, in this order, and answers each question with one line:

    {"source": {"name", "kind", "timezone", "serving_tab", "unassigned_owner", "context", "expire_after", "replay_window",
                "queues": {id: {"name", "location"}}}}                      a source (times in seconds)
    {"delivery": {"source", "received_at", "body"}}                         in the order of receipt
    {"sweep": time}                                                         when silent tickets were expired
    {"door": {}}                                                        what became of the deliveries, by source
    {"waited": {"from", "to", "now"}}                                       for how many seconds segments waited in a window
    {"waiting": time}                                                       how many wait in each queue
    {"report": {"now", and the parameters of GET /v1/reports/waits}}        its answer, but for the positions
"""

import json
import sys
from collections import Counter, defaultdict

from count_report import find_places, report, waited, waiting
from count_segments import MICRO, READERS, instant, text


# ---- The door: what is a duplicate, what a replay (design.md, section 2), and what expires (section 3).


class Source:
    def __init__(self, settings):
        self.settings, self.name = settings, settings["name"]
        self.tickets = defaultdict(list)  # [(received, body)] in order of receipt
        self.latest, self.keys, self.bodies, self.closed = {}, set(), defaultdict(list), {}
        self.kept, self.names, self.locations, self.places = Counter(), {}, {}, {}

    def receive(self, received, raw):
        self.kept[self.judge(received, raw)] += 1

    def judge(self, received, raw):
        try:
            body = json.loads(raw)
            ticket, key = self.identify(body)
        except (ValueError, KeyError):
            return "quarantined"  # authentic, but unreadable
        if body.get("Event") == "test":
            return "ping"
        window, before = self.settings["replay_window"] * MICRO, self.bodies[ticket, raw]
        if key:
            duplicate, replay = key in self.keys, False  # for ever
        elif ticket:
            duplicate, replay = self.latest.get(ticket) == raw, any(received - earlier > window for earlier in before)
        else:
            duplicate, replay = any(received - earlier <= window for earlier in before), False
        if duplicate:
            return "duplicate"
        if replay:
            return "quarantined"
        before.append(received)
        self.keys.add(key)
        if body.get("ContextIdentifier", self.settings["context"]) != self.settings["context"]:
            return "quarantined"  # another tenant's
        if ticket:
            self.latest[ticket] = raw
            self.tickets[ticket].append((received, body))
        self.learn(body)
        return "accepted"

    def identify(self, body):
        """The ticket (empty: about none), and the event's key where the vendor gives one."""
        if self.settings["kind"] == "superoffice":
            ticket = text(body["PrimaryKey"]) if body["Event"].startswith("ticket.") else ""
            return ticket, (body["ContextIdentifier"], body["Event"], body["PrimaryKey"], body["EventId"])
        if self.settings["kind"] == "ombori":
            return body["data"]["position"]["id"], None
        return (text(body["data"]["id"]) if body["type"].startswith("ticket_") else ""), None

    def learn(self, body):
        """Names and places: the configuration's, else the vendor's latest, else the id (api.md)."""
        if body.get("type") == "line_changed":
            self.names[text(body["data"]["id"])] = body["data"]["name"]
        elif body.get("type") in ("location_created", "location_changed"):
            self.places[text(body["data"]["id"])] = body["data"]["name"]
        elif self.settings["kind"] == "ombori" and body["data"]["position"].get("location"):
            where = body["data"]["position"]["location"]
            self.locations[body["data"]["position"]["queue"]] = where if isinstance(where, str) else where["locationName"]

    def queue_name(self, queue):
        return self.settings["queues"].get(queue, {}).get("name") or self.names.get(queue) or queue

    def location(self, queue):
        where = self.settings["queues"].get(queue, {}).get("location") or self.locations.get(queue, "")
        return self.places.get(where, where)

    def sweep(self, at):
        """Nothing waits for ever: silent for longer than expire_after, a ticket that waits or is served is expired."""
        silence = self.settings["expire_after"] * MICRO
        for ticket, told in self.tickets.items():
            if not silence or self.closed.get(ticket) == len(told) or told[-1][0] >= at - silence:
                continue
            segments = self.segments_of(ticket)
            if segments and segments[-1].outcome == "open":
                told.append((at, {"expired": True}))
                self.latest[ticket] = None
            self.closed[ticket] = len(told)

    def segments_of(self, ticket):
        return READERS[self.settings["kind"]](self.tickets[ticket], self.settings)

    def segments(self):
        for ticket in self.tickets:
            for n, s in enumerate(self.segments_of(ticket), 1):
                s.complete(self.name, ticket, n)
                s.location = self.location(s.queue)
                yield s


def main():
    sources, segments = {}, None
    for line in sys.stdin:
        (kind, given), = json.loads(line).items()
        if kind == "source":
            sources[given["name"]] = Source(given)
        elif kind == "delivery":
            sources[given["source"]].receive(instant(given["received_at"]), given["body"])
        elif kind == "sweep":
            for s in sources.values():
                s.sweep(instant(given))
        else:  # a question: all deliveries have come
            if segments is None:
                segments = [s for source in sources.values() for s in source.segments()]
                find_places(segments)
            print(json.dumps(answer(kind, given, sources, segments), ensure_ascii=False), flush=True)


def answer(kind, given, sources, segments):
    if kind == "report":
        return report(sources, segments, given)
    if kind == "waited":
        return waited(segments, *(instant(given[name]) // MICRO for name in ("from", "to", "now")))
    if kind == "waiting":
        return waiting(segments, instant(given) // MICRO)
    return {name: s.kept for name, s in sources.items()}


if __name__ == "__main__":
    main()
