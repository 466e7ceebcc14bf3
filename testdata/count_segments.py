"""What became of each ticket: from its deliveries to its segments, one stay in one queue each (for count.py).

Written from vendors/facts.md (section 3 to 5), design.md (section 3) and metrics.md; the letters in comments are the
facts' numbered quirks. Each vendor has a function of its own, and takes all that was told of one ticket at once.
"""

import datetime
import zoneinfo
from collections import defaultdict

UTC = datetime.timezone.utc
MICRO = 1_000_000


# ---- Instants: whole microseconds since 1970, until they are cut to the second.


def instant(text, zone=UTC):
    """A vendor's time: any precision down from the minute, with an offset or in the zone. None for what is no time (S-5)."""
    if not text or text.startswith("0001"):
        return None
    clock, fraction = text.replace(" ", "T"), 0
    if "." in clock:  # 1 to 7 digits, of which the last is lost
        clock, rest = clock.split(".")
        digits = rest.rstrip("Z").split("+")[0].split("-")[0]
        fraction, clock = int(digits[:6].ljust(6, "0")), clock + rest[len(digits):]
    at = datetime.datetime.fromisoformat(clock.replace("Z", "+00:00"))
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return round(at.timestamp()) * MICRO + fraction


def second(at):
    """Every instant is cut to the whole second before it is subtracted (metrics.md)."""
    return None if at is None else at // MICRO


# ---- Segments: one stay of a ticket in one queue. Their times are whole seconds.


class Segment:
    def __init__(self, queue, entered):
        self.queue, self.desk, self.agent = queue, "", ""
        self.entered, self.called, self.serving, self.left = second(entered), None, None, None
        self.outcome, self.recalls, self.held, self.self_registered = "open", 0, [], False

    def end(self, at, outcome):
        """Abandoned: left WAITING without a call; cancelled: the same after a call (metrics.md)."""
        if outcome == "gone":
            outcome = "abandoned" if self.called is None else "cancelled"
        if outcome in ("served", "no_show") and self.called is None:
            self.called = second(at)  # a missing predecessor is implied (design.md)
        self.left, self.outcome = second(at), outcome

    def complete(self, source, ticket, n):
        """What follows from the times, once they are all known."""
        self.source, self.ticket, self.n = source, ticket, n
        self.key = (ticket.encode(), n)
        stop = self.called if self.called is not None else self.left
        self.wait = None if stop is None else stop - self.entered - held_within(self.held, self.entered, stop)
        begun = self.serving if self.serving is not None else self.called
        self.service = None
        if self.outcome == "served":
            self.service = self.left - begun - held_within(self.held, begun, self.left)
        # What is excluded from statistics stays in the counts (metrics.md).
        self.counts_wait = self.wait is not None and self.wait >= 0 and not self.self_registered
        self.counts_service = self.service is not None and self.service >= 0 and not self.self_registered
        # It waits from its entry to the first call, or to leaving without one, but for the holds: [from, to) pieces.
        self.waits, at = [], self.entered
        for start, resumed in self.held + [(stop, None)]:
            if start is None or stop is not None and start > stop:
                start = stop
            if start is None or start > at:
                self.waits.append((at, start))
            if resumed is None or stop is not None and resumed >= stop:
                break
            at = max(at, resumed)


def held_within(holds, start, stop):
    return sum(max(0, min(stop, stop if b is None else b) - max(start, a)) for a, b in holds)


# ---- Qminder and Ombori repeat in each delivery the times of the steps so far (facts.md, section 3).


def stays(turns, calls, end):
    """Segments of a ticket: turns are (instant, queue, outcome of the stay before), calls {instant: (desk, agent)}.

    A call belongs to the stay that had begun by then; one before the first entry is a bad clock's, and its wait negative.
    """
    segments = []
    for i, (entered, queue, _) in enumerate(turns):
        left = turns[i + 1][0] if i + 1 < len(turns) else None
        s = Segment(queue, entered)
        within = [c for c in sorted(calls) if (i == 0 or c >= entered) and (left is None or c < left)]
        if within:
            s.called, s.recalls = second(within[0]), len(within) - 1  # the first call ends the wait; a re-call adds nothing
        for c in within:
            s.desk, s.agent = calls[c][0] or s.desk, calls[c][1] or s.agent
        if left is not None:
            s.end(left, turns[i + 1][2])
        segments.append(s)
    if end and segments:
        segments[-1].end(*end)
    return segments


def by_next_call(received, undone, calls):
    """A turn without a time of its own happened when it was received, but before the next call that we were told of."""
    return min([received] + [c for c in calls if undone is None or c > undone])


def qminder(told, settings):
    """facts.md, section 5, Qminder: the status first, the state before second, the type of the event third."""
    calls, told_by = {}, defaultdict(list)
    for i, (_, body) in enumerate(told):
        called = body.get("data", {}).get("called")
        if called:
            at = instant(called["date"])
            calls[at] = (text(called.get("desk")), text(called.get("caller")))
            if body["data"]["status"] in ("CALLED", "SERVED", "NOSHOW"):
                told_by[at].append(i)
    turns, end, known, created, booked = [], None, set(), False, False
    for i, (received, body) in enumerate(told):
        if "expired" in body:
            end = end or (received, "expired")
            continue
        data, first = body["data"], body["type"] == "ticket_created" and not created
        status, line = data["status"], text(data.get("line"))
        created = created or first
        booked = booked or status.startswith("SCHEDUL")
        if not turns and not status.startswith("SCHEDUL"):
            if not booked:
                turns.append((instant(data["created"]["date"]), line, None))
            elif status == "NEW":  # a booking's wait begins when it is activated, never when it was made
                turns.append((by_next_call(received, None, calls), line, None))
        elif status == "NEW" and turns and not end and not first:
            undone = max(known, default=None)
            before = turns[-1]
            if line != before[1]:
                turns.append((by_next_call(received, undone, calls), line, "transferred"))
            elif undone is not None and undone >= before[0] or len(turns) == 1 and known:
                # A return, unless a later delivery past a call still carries the old call's date (design.md)
                if not any(later > i for later in told_by[undone]):
                    turns.append((by_next_call(received, undone, calls), line, "returned"))
        if data.get("called"):
            known.add(instant(data["called"]["date"]))
        if not end and status == "SERVED":
            end = (instant(data["served"]["date"]), "served")
        elif not end and status == "NOSHOW":
            end = (received, "no_show")
        elif not end and status.startswith("CANCELLED"):
            end = (instant((data.get("cancelled") or {}).get("date")) or received, "gone")
    return stays(turns, calls, end)


OMBORI_PAST_CALL = {"notified": 1, "fulfilled": 2, "completed": 3, "rejected": 3}


def ombori(told, settings):
    """facts.md, section 5, Ombori. Waiting starts at the activation of a booking (O-6), a retry undoes the call that it
    names (O-5), a check-in ends the visit where there is no serving tab (O-7), feedback never moves anything (O-9)."""
    calls, retries, desks = {}, {}, []
    entered = serving = end = expired = None
    for i, (received, body) in enumerate(told):
        if "expired" in body:
            expired = expired or (received, "expired")
            continue
        p, typ = body["data"]["position"], body["type"]
        status = p["status"]
        if typ == "feedbackReceived":
            continue
        queue = p["queue"]
        if p["type"] == "booking":
            entered = entered or instant(p.get("activatedAt"))
        else:
            entered = entered or instant(p["createdAt"])
        called = instant(p.get("calledAt"))
        if called is not None:
            calls.setdefault(called, ("", ""))
        if typ == "positionRetry" and called is not None:
            retries.setdefault(called, received)
        if typ == "positionCalled":
            status = "notified"  # whatever notification the status names
        if status in OMBORI_PAST_CALL and called is not None:
            station, by = p.get("station") or {}, p.get("servedBy") or {}
            desks.append((OMBORI_PAST_CALL[status], i, called, text(station.get("label")), text(by.get("id"))))
        if settings["serving_tab"]:
            serving = serving or instant(p.get("fulfilledAt"))
        if status == "completed" or status == "fulfilled" and not settings["serving_tab"]:
            end = end or (instant(p["completedAt" if settings["serving_tab"] else "fulfilledAt"]), "served")
        elif status == "rejected":
            end = end or (instant(p.get("rejectedAt")) or received, "gone")
    if entered is None:
        return []
    for _, _, called, desk, agent in sorted(desks):
        calls[called] = (desk or calls[called][0], agent or calls[called][1])
    turns = [(entered, queue, None)]
    for undone in sorted(retries):
        turns.append((by_next_call(retries[undone], undone, calls), queue, "returned"))
    segments = stays(turns, calls, end or expired)
    if serving is not None:
        segments[-1].serving = second(serving)
    return segments


# ---- SuperOffice describes the whole ticket at its Timestamp: what happened is the difference (facts.md, section 5).


def superoffice(told, settings):
    """The creation comes first, then the snapshots by their own time."""
    zone = zoneinfo.ZoneInfo(settings["timezone"])
    snapshots = sorted(
        (b["Event"] != "ticket.created", instant(b["Timestamp"]), i, b) for i, (_, b) in enumerate(told) if "Event" in b)
    segments, status, owner = [], 1, ""
    for changed, at, _, body in snapshots:
        fields = body.get("FieldValues")
        if fields is None:  # S-2: a creation is one; a change tells nothing that we can place
            if not changed:
                segments.append(Segment("", at))
            continue
        now, category = fields["status"], text(fields.get("category"))
        owned = fields.get("owned_by")
        owned = "" if owned in (0, -1, None, settings["unassigned_owner"]) else text(owned)
        if not segments:  # the creation, or a lost one, which created_at tells
            segments.append(Segment(category, instant(fields["created_at"], zone) if changed else at))
            segments[-1].self_registered = not changed and owned != ""
        s = segments[-1]
        s.queue = s.queue or category
        if s.outcome != "open":  # 2 → 1: a new episode
            if now in (2, 4, 5):
                continue
            s, status, owner = Segment(category, at), 1, ""
            segments.append(s)
        if category != s.queue:  # to another queue; where it keeps its owner, it is called at once
            s.end(at, "transferred")
            s = Segment(category, at)
            segments.append(s)
        elif owner and not owned and now == 1:  # X → unassigned
            s.end(at, "returned")
            s = Segment(category, at)
            segments.append(s)
        if owned and s.called is None:  # unassigned → X
            s.called = second(at)
        s.agent = owned or s.agent
        # A marker: only the names of the columns tell that the owner has begun
        began = {"replied_at", "first_read_by_owner"} & set(body["Changes"]) and not {"owned_by", "status"} & set(body["Changes"])
        if began and changed and now == 1 and owned and s.serving is None:
            s.serving = second(at)
        if now == 3 and status != 3:
            s.held.append((second(at), None))
        if now != 3 and s.held and s.held[-1][1] is None:
            s.held[-1] = (s.held[-1][0], second(at))
        if now in (2, 4, 5):
            s.end(at, {2: "served", 4: "gone", 5: "merged"}[now])
        status, owner = now, owned
    return segments


def text(scalar):
    return "" if scalar is None else str(scalar)


READERS = {"qminder": qminder, "ombori": ombori, "superoffice": superoffice}
