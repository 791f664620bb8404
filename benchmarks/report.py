"""From figures to the table of docs/price.rst: what was measured, what was bound, and whether it is met. Pure."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HEADINGS = ("What", "Floor", "Ours", "Ratio", "Bound", "Met")

YES, NO, STATED, NOT_MEASURED = "yes", "NO", "stated", "not measured"

VERIFICATION_BOUND = 5.0  # ms of CPU

#: Milliseconds, for 1,000 signals with 5,000 routes.
MAP_BOUND = 2000.0

#: Milliseconds of CPU per page of the admin, of web process and database together.
PAGE_BOUND = 300.0

RELAY_INTERVAL = 1.0  # seconds, the default of CC_RELAY_INTERVAL


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of the table. `ratio` is ours to the floor's (or to what `floor` names)."""

    what: str
    floor: str = ""
    ours: str = ""
    ratio: float | None = None
    bound: str = ""
    met: str = STATED
    #: What the ratio may be: the plot's mark.
    limit: float | None = None

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.what, self.floor, self.ours, ratio, self.bound, self.met)


def at_most(limit: float, ratio: float) -> dict[str, Any]:
    """As printed: 1.304 is 1.30."""
    return {"ratio": ratio, "limit": limit, "bound": f"≤ {limit:g}", "met": _met(round(ratio, 2) <= limit)}


def at_least(limit: float, ratio: float) -> dict[str, Any]:
    return {"ratio": ratio, "limit": limit, "bound": f"≥ {limit:.2f}", "met": _met(round(ratio, 2) >= round(limit, 2))}


def lines(figures: Mapping[str, Any]) -> list[Line]:
    """The whole table. What was not measured has a line that says so."""
    found: list[Line] = []
    for name, (what, of) in PARTS.items():
        if figures.get(name):
            found += of(figures[name])
        else:
            found.append(Line(what=what, met=NOT_MEASURED))
    return found


def as_csv(table: list[Line]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADINGS, *(line.cells() for line in table)])
    return text.getvalue()


def as_text(table: list[Line]) -> str:
    """In columns, for a terminal."""
    rows = [HEADINGS, *(line.cells() for line in table)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _met(good: bool) -> str:
    return YES if good else NO


def _event(figures: Mapping[str, Any]) -> Iterator[Line]:
    for receivers, limit in (("1", 1.3), ("3", 1.6)):
        each = figures.get(receivers)
        what = "CPU ms per accepted event, " + ("one delivery task" if receivers == "1" else "three delivery tasks")
        if not each:
            yield Line(what=what, met=NOT_MEASURED)
            continue
        ours = _clocks(each["ours"])
        yield Line(what=what, floor=_clocks(each["floor"]), ours=ours, **at_most(limit, each["ratio"]))
        yield Line(
            what=f"{what}; floor without middleware", floor=_clocks(each["bare"]), ours=ours,
            **at_most(limit, each["ratio_bare"]),
        )  # fmt: skip
        yield Line(
            what=f"Statements per accepted event, {receivers} delivery task(s)",
            floor=_statements(each["statements"]["floor"]),
            ours=_statements(each["statements"]["ours"]),
        )


def _throughput(figures: Mapping[str, Any]) -> Iterator[Line]:
    for connections, sides in figures.items():
        floor, ours = sides["floor"], sides["ours"]
        what = f"{connections} connection" + ("" if connections == "1" else "s")
        yield Line(
            what=f"Throughput, {what}: events/s",
            floor=f"{floor['per_second']:.0f}",
            ours=f"{ours['per_second']:.0f}",
            **at_least(1 / 1.3, ours["per_second"] / floor["per_second"]),
        )
        for name in ("p50", "p99"):
            yield Line(
                what=f"{name}, {what}: ms",
                floor=f"{floor[name]:.1f}",
                ours=f"{ours[name]:.1f}",
                **at_most(1.3, ours[name] / floor[name]),
            )


def _stream(figures: Mapping[str, Any]) -> Iterator[Line]:
    name = f"{figures['asked_per_second']} events/s for {figures['seconds']} s"
    good = figures["accepted"] == figures["events"] and not figures["missing"] and not figures["twice"]
    yield Line(
        what=f"{name}: every id matched at the LMS",
        ours=f"{figures['accepted']} of {figures['events']} accepted, {figures['missing']} missing, "
        f"{figures['twice']} twice",
        bound="all matched",
        met=_met(good),
    )
    yield Line(
        what=f"{name}: sent per second; seconds of backlog after the last",
        ours=f"{figures['sent_per_second']:.0f}; {figures['backlog_seconds']:.1f}",
    )
    for key, what in (("to_call", "webhook to enrolled"), ("to_answer", "webhook to answer")):
        spread = ", ".join(f"{kind} {value:.0f}" for kind, value in figures[key].items())
        yield Line(what=f"{name}: {what}, ms", ours=spread, bound="p99 stated")


def _broker_dead(figures: list[Mapping[str, Any]]) -> Iterator[Line]:
    for each in figures:
        limit = RELAY_INTERVAL + 1
        yield Line(
            what=f"Webhook to enrolled, Redis dead for {each['away']:g} s: seconds after it is back",
            ours=f"{each['called']:.1f} (published {each['published']:.1f}, worker connected {each['connected']:.1f})",
            bound=f"aim ≤ {limit:g} s",
            met=_met(round(each["called"], 1) <= limit),
        )
        yield Line(what=f"Answer while Redis is dead, {each['away']:g} s: ms", ours=f"{each['answered']:.0f}")


def _deliveries(figures: Mapping[str, Any]) -> Iterator[Line]:
    for delay, sides in figures["rates"].items():
        floor, ours = sides["floor"], sides["ours"]
        yield Line(
            what=f"Deliveries/s per worker, the far side takes {float(delay) * 1000:.0f} ms",
            floor=f"{floor['per_second']:.0f} ({floor['cpu']:.2f} ms CPU)",
            ours=f"{ours['per_second']:.0f} ({ours['cpu']:.2f} ms CPU)",
            **at_least(0.8, ours["per_second"] / floor["per_second"]),
        )
    counted = figures["statements"]
    number = rows_of(counted)
    yield Line(what="Statements per delivery", ours=_statements(counted), bound="≤ 4", met=_met(number <= 4))


def _sending(figures: Mapping[str, Any]) -> Iterator[Line]:
    for receivers, parts in figures.items():
        to = f"send_robust to {receivers} inline receiver" + ("" if receivers == "1" else "s")
        calling, djangos = parts["calling"]["cpu"], parts["django"]["cpu"]
        yield Line(
            what=f"{to}: calling, µs (floor: Django's own)",
            floor=f"{djangos * 1000:.0f}",
            ours=f"{calling * 1000:.0f}",
            **at_most(2, calling / djangos),
        )
        yield Line(what=f"{to}: validating, µs", ours=f"{parts['validating']['cpu'] * 1000:.0f}")
        for part, limit in (("recording", 2), ("settling", 1)):
            counted = parts[part]["statements"]
            yield Line(
                what=f"{to}: {part}",
                ours=f"{_statements(counted)}; {_clocks(parts[part])}",
                bound=f"{limit} statement" + ("s" if limit > 1 else ""),
                met=_met(rows_of(counted) <= limit),
            )


def _old_rows(figures: Mapping[str, Any]) -> Iterator[Line]:
    names = {
        "event": "an accepted event",
        "delivery": "a delivery",
        "relay": "a round of the relay, nothing due",
        "due": "a due delivery in the relay",
        "trace": "a trace looked up",
    }
    made = figures["made"]
    for name, what in names.items():
        each = figures[name]
        yield Line(
            what=f"With {made['rows']:,.0f} old rows (floor: with none): {what}",
            floor=_clocks(each["none"]),
            ours=_clocks(each["old"]),
            **at_most(1.1, each["ratio"]),
        )
    yield Line(what="Making the old rows", ours=f"{made['seconds']:.0f} s, {made['megabytes']:.0f} MB")


def _processes(figures: Mapping[str, Any]) -> Iterator[Line]:
    for name, each in figures.items():
        until = {
            "supervisor": "until web answers",
            "web": "until it answers",
            "worker": "until ready",
            "relay": "until its first heartbeat",
        }[name]
        yield Line(
            what=f"make run, {name}: memory; start-up time",
            ours=f"{each['pss']:.0f} MB PSS, {each['rss']:.0f} MB RSS; {each['start']:.1f} s {until}",
        )


def _endpoints(figures: Mapping[str, Any]) -> Iterator[Line]:
    for name, each in figures.items():
        yield Line(what=name, ours=_clocks(each))


def _verification(figures: Mapping[str, Any]) -> Iterator[Line]:
    for provider, each in figures.items():
        yield Line(
            what=f"Verifying a signature, caches warm: {provider}",
            ours=_clocks(each),
            bound=f"< {VERIFICATION_BOUND:.0f} ms CPU",
            met=_met(each["cpu"] < VERIFICATION_BOUND),
        )


def _map(figures: Mapping[str, Any]) -> Iterator[Line]:
    yield Line(
        what="Reading and checking a map of 1,000 signals and 5,000 routes",
        ours=_clocks(figures),
        bound=f"< {MAP_BOUND:.0f} ms CPU",
        met=_met(figures["cpu"] < MAP_BOUND),
    )


def _pages(figures: Mapping[str, Any]) -> Iterator[Line]:
    for name, each in figures["pages"].items():
        what = f"With {figures['deliveries']:,.0f} deliveries: {name}"
        cpu = each["cpu"] + each["database"]
        yield Line(
            what=f"{what}: CPU of web and database",
            ours=f"{each['cpu']:.0f} + {each['database']:.0f} ms ({each['wall']:.0f} ms)",
            bound=f"< {PAGE_BOUND:.0f} ms",
            met=_met(cpu < PAGE_BOUND),
        )
        yield Line(
            what=f"{what}: statements (floor: with few rows)",
            floor=str(each["statements"]["few"]),
            ours=str(each["statements"]["many"]),
            bound="as many",
            met=_met(each["statements"]["few"] == each["statements"]["many"]),
        )


def rows_of(counted: Mapping[str, int]) -> int:
    """Statements that read or write rows; what begins and ends a transaction is told beside."""
    return sum(count for kind, count in counted.items() if kind not in ("commit", "set"))


def _statements(counted: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {kind}" for kind, count in counted.items())
    return f"{rows_of(counted)} ({told})"


def _clocks(figures: Mapping[str, float]) -> str:
    return f"{figures['cpu']:.2f} ms CPU ({figures['wall']:.2f} ms)"


#: By the name of the figures: what its line says when it was not measured, and what makes its lines.
PARTS: dict[str, tuple[str, Callable[[Any], Iterator[Line]]]] = {
    "event": ("CPU ms per accepted event, one and three delivery tasks", _event),
    "throughput": ("Throughput, p50, p99 at 1, 8, 32 connections", _throughput),
    "stream": ("200 events/s for 300 s: every id matched at the LMS", _stream),
    "broker_dead": ("Webhook to enrolled, Redis dead", _broker_dead),
    "deliveries": ("Deliveries/s per worker; statements per delivery", _deliveries),
    "sending": ("send_robust to 1, 3, 10 inline receivers", _sending),
    "old_rows": ("All of it with 5,000,000 old rows", _old_rows),
    "pages": ("The admin's pages with a million deliveries", _pages),
    "endpoints": ("CPU ms per call of each REST endpoint", _endpoints),
    "verification": ("Verifying a provider's signature, caches warm", _verification),
    "map": ("Reading and checking a large map", _map),
    "processes": ("make run, memory and start-up time of each process", _processes),
}
