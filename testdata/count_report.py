"""The wait report from segments, number by number as metrics.md defines it (for count.py).

Every time key is a function of the local hour, so the window is a list of local hours, and an item is a group of
segments and a set of hours. Times are whole seconds since 1970.
"""

import bisect
import datetime
import functools
import zoneinfo
from collections import defaultdict

UTC = datetime.timezone.utc
OUTCOMES = ("served", "abandoned", "no_show", "cancelled", "returned", "transferred", "expired", "merged", "open")
ABSOLUTE = ("hour", "day", "week", "month")  # the finer ones first
RECURRING = ("weekday", "hour_of_day")
PLACES = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, None))
LOW_N = 10


# ---- Local time, by Python's own zoneinfo. A date has 23, 24 or 25 hours.


class Hour:
    """From one full hour of the local clock to the next. The hour that comes twice is two of them."""

    def __init__(self, start, zone):
        self.start, self.local = start, datetime.datetime.fromtimestamp(start, zone)
        later = datetime.datetime.fromtimestamp(start + 3600, zone)
        self.end = start + 3600 + -(later.minute * 60 + later.second) % 3600
        date = self.local.date()
        self.key = {  # comparable; what it is called is for label
            "hour": start, "day": date, "week": tuple(date.isocalendar())[:2], "month": (date.year, date.month),
            "weekday": date.isoweekday(), "hour_of_day": self.local.hour,
        }

    def label(self, name):
        year, week, weekday = self.local.isocalendar()
        return {
            "hour": self.local.strftime("%Y-%m-%dT%H:%M"), "day": self.local.strftime("%Y-%m-%d"), "week": f"{year}-W{week:02}",
            "month": self.local.strftime("%Y-%m"), "weekday": weekday, "hour_of_day": self.local.hour,
        }[name]

    def bounds(self, name):
        """The whole bucket of an absolute key."""
        zone, date = self.local.tzinfo, self.local.date()
        if name == "hour":
            return self.local, datetime.datetime.fromtimestamp(self.end, zone)
        if name == "day":
            return midnight(date, zone), midnight(date + datetime.timedelta(1), zone)
        if name == "week":
            monday = date - datetime.timedelta(date.weekday())
            return midnight(monday, zone), midnight(monday + datetime.timedelta(7), zone)
        return midnight(date.replace(day=1), zone), midnight((date.replace(day=28) + datetime.timedelta(4)).replace(day=1), zone)


hour_from = functools.cache(Hour)


def midnight(date, zone):
    return datetime.datetime(date.year, date.month, date.day, tzinfo=zone)


class Window:
    """[start, stop), the hours that it touches, and how far time has come."""

    def __init__(self, start, stop, now, zone):
        self.start, self.stop, self.reached, self.hours = start, stop, min(stop, now), []
        local = datetime.datetime.fromtimestamp(start, zone)
        at = start - local.minute * 60 - local.second
        while at < stop:
            self.hours.append(hour_from(at, zone))
            at = self.hours[-1].end
        self.starts = [h.start for h in self.hours]

    def hour_of(self, at):
        return self.hours[bisect.bisect_right(self.starts, at) - 1]

    def holds(self, at):
        return at is not None and self.start <= at < self.stop

    def cut(self, hour):
        """What of the hour is in the window and not in the future."""
        return max(hour.start, self.start), min(hour.end, self.reached)


# ---- What was asked.


class Question:
    def __init__(self, q, sources):
        self.now = unix(q["now"], UTC)
        self.sources = [s for s in sources.values() if q.get("source") in (None, s.name)]
        self.zone = zoneinfo.ZoneInfo(q.get("tz") or self.sources[0].settings["timezone"])
        self.tz, self.queue, self.location = str(self.zone), q.get("queue"), q.get("location")
        today = datetime.datetime.fromtimestamp(self.now, self.zone).date()
        stop = q.get("to") or (today + datetime.timedelta(1)).isoformat()
        self.stop = unix(stop, self.zone)
        last = datetime.datetime.fromtimestamp(self.stop, self.zone)  # by default the last 7 local days
        self.start = unix(q["from"], self.zone) if q.get("from") else int((last - datetime.timedelta(7)).timestamp())
        self.group_by = [k for k in q.get("group_by", "").split(",") if k]
        self.attributed_by = q.get("attributed_by", "arrival")
        self.percentiles = sorted({int(p) for p in q.get("percentiles", "50,80,90,95").split(",")})
        self.threshold, self.formula = int(q.get("service_level", "300")), q.get("formula", "F4")
        self.include, self.compare = q.get("include", "").split(","), q.get("compare") == "previous"
        self.times = [k for k in self.group_by if k in ABSOLUTE + RECURRING]

    def local(self, at):
        return datetime.datetime.fromtimestamp(at, self.zone).isoformat()

    def group_of(self, segment):
        """The group that is not of time. A queue, desk or agent is one of its source."""
        s, keys = segment, []
        for k in self.group_by:
            if k == "source":
                keys.append(s.source)
            elif k == "location":
                keys.append(s.location)
            elif k in ("queue", "desk", "agent"):
                keys.append((s.source, getattr(s, k)))
        return tuple(keys)

    def time_of(self, hour):
        return tuple([hour.key[k] for k in self.times])

    def instant_of(self, segment):
        return getattr(segment, {"arrival": "entered", "call": "called", "end": "left"}[self.attributed_by])


def unix(text, zone):
    """A date is its local midnight."""
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp())


# ---- The numbers of one item.


def stats(seconds, percentiles):
    """Percentiles by nearest rank: a wait that somebody had."""
    seconds, n = sorted(seconds), len(seconds)
    answer = {"n": n, "mean_seconds": sum(seconds) / n if n else None}
    for p in percentiles:
        answer[f"p{p}_seconds"] = seconds[-(-p * n // 100) - 1] if n else None
    answer["max_seconds"] = seconds[-1] if n else None
    if n < LOW_N:
        answer["low_n"] = True
    return answer


def ratio(part, whole):
    return part / whole if whole else None


def service_level(q, segments):
    """F1 to F4: "served≤X" is by the wait, and leaves out the excluded; served and abandoned are all of them."""
    served = sum(s.outcome == "served" for s in segments)
    abandoned = sum(s.outcome == "abandoned" for s in segments)
    served_within = sum(s.outcome == "served" and s.counts_wait and s.wait <= q.threshold for s in segments)
    abandoned_within = sum(s.outcome == "abandoned" and s.wait <= q.threshold for s in segments)
    value = {
        "F1": ratio(served_within + abandoned_within, served + abandoned),
        "F2": ratio(served_within, served),
        "F3": ratio(served_within, served + abandoned),
        "F4": ratio(served_within, served + abandoned - abandoned_within),
    }[q.formula]
    return {
        "threshold_seconds": q.threshold, "formula": q.formula, "value": value, "served_within": served_within,
        "served": served, "abandoned_within": abandoned_within, "abandoned": abandoned,
    }


def measures(q, segments):
    numbers = {"offered": len(segments)}
    for outcome in OUTCOMES:
        numbers[outcome] = sum(s.outcome == outcome for s in segments)
    numbers["wait"] = stats([s.wait for s in segments if s.counts_wait and s.called is not None], q.percentiles)
    numbers["abandoned_wait"] = stats([s.wait for s in segments if s.counts_wait and s.outcome == "abandoned"], q.percentiles)
    numbers["service"] = stats([s.service for s in segments if s.counts_service], q.percentiles)
    numbers["service_level"] = service_level(q, segments)
    called = sum(s.called is not None for s in segments)
    recalls = [s.recalls for s in segments if s.recalls]
    numbers["calls"] = {
        "called": called, "recalled": len(recalls), "recalls": sum(recalls),
        "recall_rate": ratio(len(recalls), called), "return_rate": ratio(numbers["returned"], called),
    }
    excluded = {
        "negative_wait": sum(not s.self_registered and s.wait is not None and s.wait < 0 for s in segments),
        "negative_service": sum(not s.self_registered and s.service is not None and s.service < 0 for s in segments),
        "self_registered": sum(s.self_registered for s in segments),
    }
    numbers["excluded"] = {cause: n for cause, n in excluded.items() if n}
    return numbers


def drop_off(segments):
    bins = []
    for first, last in PLACES:
        there = [s for s in segments if s.place >= first and (last is None or s.place <= last)]
        abandoned = sum(s.outcome == "abandoned" for s in there)
        bins.append({"place_from": first, "place_to": last, "offered": len(there), "abandoned": abandoned,
                     "rate": ratio(abandoned, len(there))})
    return bins


def find_places(segments):
    """place = 1 + those waiting in the queue at the second of entry: entered earlier, or in that second and smaller."""
    queues = defaultdict(list)
    for s in segments:
        queues[s.source, s.queue].append(s)
    for inside in queues.values():
        begun = sorted(a for s in inside for a, _ in s.waits)
        ended = sorted(b for s in inside for _, b in s.waits if b is not None)
        at_once = defaultdict(list)
        for s in inside:
            at_once[s.entered].append(s)
        for s in inside:
            there = bisect.bisect_right(begun, s.entered) - bisect.bisect_right(ended, s.entered)
            behind = sum(o.key >= s.key and any(a == s.entered for a, _ in o.waits) for o in at_once[s.entered])
            s.place = 1 + there - behind


class Lengths:
    """Queue length by group and time: the exact integral, and the greatest number waiting at the same time."""

    def __init__(self, q, segments, window):
        self.waiting, self.most, self.elapsed = defaultdict(int), defaultdict(int), defaultdict(int)
        for hour in window.hours:
            start, stop = window.cut(hour)
            self.elapsed[q.time_of(hour)] += max(0, stop - start)
        steps = defaultdict(lambda: defaultdict(int))
        for s in segments:
            for a, b in s.waits:
                a, b = max(a, window.start), window.reached if b is None else min(b, window.reached)
                if a < b:
                    group = q.group_of(s)
                    steps[group][a] += 1
                    steps[group][b] -= 1
                    self.add(q, group, window, a, b)
        for group, changes in steps.items():
            self.find_most(q, group, window, changes)

    def add(self, q, group, window, a, b):
        for hour in window.hours[bisect.bisect_right(window.starts, a) - 1:]:
            if hour.start >= b:
                break
            self.waiting[group, q.time_of(hour)] += min(b, hour.end) - max(a, hour.start)

    def find_most(self, q, group, window, changes):
        now_waiting, at, i = 0, sorted(changes), 0
        for hour in window.hours:
            start, stop = window.cut(hour)
            if start >= stop:
                continue
            most = 0 if i < len(at) and at[i] == start else now_waiting
            while i < len(at) and at[i] < stop:
                now_waiting += changes[at[i]]
                most, i = max(most, now_waiting), i + 1
            key = group, q.time_of(hour)
            self.most[key] = max(self.most[key], most)

    def of(self, group, time):
        waiting, elapsed = self.waiting[group, time], self.elapsed[time]
        return {"mean": ratio(waiting, elapsed), "max": self.most[group, time], "waiting_seconds": waiting, "elapsed_seconds": elapsed}


# ---- The answer.


class Tally:
    """The numbers of a window, by group and time."""

    def __init__(self, q, segments, window):
        self.q, self.items = q, defaultdict(list)
        self.times = {q.time_of(hour): hour for hour in reversed(window.hours)}  # the first hour of each
        for s in segments:
            at = q.instant_of(s)
            if window.holds(at):
                self.items[q.group_of(s), q.time_of(window.hour_of(at))].append(s)
        self.groups = {group for group, _ in self.items}
        if len(q.times) == len(q.group_by):
            self.groups.add(())
        self.lengths = Lengths(q, segments, window) if "queue_length" in q.include else None
        self.nobody = self.count([])

    def keys(self):
        """Of the groups that have a segment, with every time that the window touches."""
        return [(group, time) for group in self.groups for time in self.times]

    def of(self, group, time):
        there = self.items.get((group, time))
        numbers = self.count(there) if there else dict(self.nobody)
        if self.lengths:
            numbers["queue_length"] = self.lengths.of(group, time)
        return numbers

    def count(self, segments):
        numbers = measures(self.q, segments)
        if "drop_off" in self.q.include:
            numbers["drop_off"] = drop_off(segments)
        return numbers


def report(sources, segments, asked):
    q = Question(asked, sources)
    names = {s.name for s in q.sources}
    chosen = [s for s in segments if s.source in names and q.queue in (None, s.queue) and q.location in (None, s.location)]
    window = Window(q.start, q.stop, q.now, q.zone)
    here = Tally(q, chosen, window)
    answer = {"from": q.local(q.start), "to": q.local(q.stop), "tz": q.tz, "group_by": q.group_by, "attributed_by": q.attributed_by}
    before = None
    if q.compare:
        before = Before(q, chosen, window)
        answer["previous"] = {"from": q.local(before.window.start), "to": q.local(before.window.stop)}
    answer["items"] = []
    for group, time in sorted(here.keys(), key=lambda key: in_order(q, *key)):
        item = keys_of(q, sources, in_order(q, group, time), here.times[time]) | bounds_of(q, here.times[time]) | here.of(group, time)
        if before:
            item["previous"] = before.of(group, time, here.times[time])
        answer["items"].append(item)
    return answer


class Before:
    """The window of as many local days right before, else of the same length."""

    def __init__(self, q, segments, window):
        self.q, self.now = q, window
        first, last = (datetime.datetime.fromtimestamp(at, q.zone) for at in (window.start, window.stop))
        self.days = None
        if first == midnight(first.date(), q.zone) and last == midnight(last.date(), q.zone):
            self.days = (last.date() - first.date()).days
        self.window = Window(self.back(window.start), window.start, q.now, q.zone)
        self.tally = Tally(q, segments, self.window)

    def back(self, at):
        if self.days is None:
            return at - (self.now.stop - self.now.start)
        local = datetime.datetime.fromtimestamp(at, self.q.zone).replace(fold=0)
        return int((local - datetime.timedelta(self.days)).timestamp())

    def of(self, group, time, hour):
        """An absolute key's counterpart holds the item's own start, moved back; any other key is the same one."""
        bounds = bounds_of(self.q, hour)
        if bounds:
            own = max(self.now.start, int(datetime.datetime.fromisoformat(bounds["start"]).timestamp()))
            then = self.window.hour_of(self.back(own))
            bounds = bounds_of(self.q, then)
            time = tuple(then.key[k] if k in ABSOLUTE else value for k, value in zip(self.q.times, time))
        return bounds | self.tally.of(group, time)


def in_order(q, group, time):
    """The values of an item's keys in the order asked for."""
    groups, times = iter(group), iter(time)
    return tuple(next(times) if k in q.times else next(groups) for k in q.group_by)


def keys_of(q, sources, keys, hour):
    """An item's keys by name. Where several sources are asked, a queue's, desk's or agent's source is told first."""
    told = {}
    for k, value in zip(q.group_by, keys):
        if k in q.times:
            told[k] = hour.label(k)
        elif k in ("source", "location"):
            told[k] = value
        else:
            if len(q.sources) > 1:
                told["source"] = value[0]
            told[k] = value[1]
            if k == "queue":
                told["name"] = sources[value[0]].queue_name(value[1])
    return told


def bounds_of(q, hour):
    """Start and end of the absolute key; of two, what they have in common."""
    both = [hour.bounds(k) for k in q.times if k in ABSOLUTE]
    if not both:
        return {}
    return {"start": max(start for start, _ in both).isoformat(), "end": min(end for _, end in both).isoformat()}


def waiting(segments, now):
    """How many wait at an instant, by source and queue."""
    count = defaultdict(lambda: defaultdict(int))
    for s in segments:
        count[s.source][s.queue] += any(a <= now and (b is None or now < b) for a, b in s.waits)
    return count


def waited(segments, start, stop, now):
    """Little's law, its other side: the time that segments waited inside the window, added up segment by segment."""
    stop = min(stop, now)
    return sum(max(0, min(stop, now if b is None else b) - max(start, a)) for s in segments for a, b in s.waits)
