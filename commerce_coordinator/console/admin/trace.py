"""The page of a trace: one search for all references, and the whole way of an event, drawn on a line of time."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from commerce_coordinator.core import references
from commerce_coordinator.core import trace as traces
from commerce_coordinator.core.ids import time_of
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.trace import MOST_DELIVERIES, MOST_STORIES, Trace

from . import stories
from .pages import page, render
from .rights import may_replay, sees_private
from .showing import badge, link, page_of, utc
from .timeline import Axis, axis, spell
from .tries import Piece
from .waterfall import Row, Waterfall

#: Lines that the page draws unless all are asked for.
MOST_ROWS = 500

#: Seconds after which a story that is followed is loaded again.
FOLLOW_SECONDS = 5


LEGEND = {
    "wait": "waited",
    "succeeded": "went well",
    "retry": "runs, or failed and is tried again",
    "dead": "failed",
    "call": "a call or a step",
}.items()


@page(path="trace/", title="Trace", place=2)
def trace(request: HttpRequest) -> HttpResponse:
    """`?q=`: one story as a waterfall, several as a list. `&rows=all`: all lines. `&follow=1`: loaded now and again."""
    reference = request.GET.get("q", "").strip()
    private = sees_private(request)
    found = traces.begun(reference, most=MOST_STORIES + 1, private=private)
    if len(found) == 1:
        return _waterfall(request, reference, found[0], private=private)
    shown = found[:MOST_STORIES]
    traces.fill(shown, most=MOST_DELIVERIES, lean=True)
    return render(
        request,
        "console/admin/traces.html",
        title="Trace",
        reference=reference,
        stories=[_line(each) for each in shown],
        more=len(found) > MOST_STORIES,
        by=["the provider's event id", "trace id", "order number", "LMS user id", *references.known(private=private)],
    )


def _line(each: Trace) -> dict[str, Any]:
    """A story in the list of several."""
    word, text = stories.tally(each)
    return {
        "at": utc(time_of(each.key)),
        "what": link(_address(q=str(each.key)), stories.what(each)),
        "about": stories.about(each),
        "state": badge(word),
        "text": text,
    }


def _waterfall(request: HttpRequest, reference: str, found: Trace, *, private: bool) -> HttpResponse:
    traces.fill([found], most=MOST_DELIVERIES)
    about = stories.about(found)
    fall = Waterfall(
        trace=found,
        acts=traces.acts(found),
        now=timezone.now(),
        private=private,
        body=_body(found) if private else None,
        about=about,
    )
    every = request.GET.get("rows") == "all"
    rows = list(islice(fall.rows(), None if every else MOST_ROWS + 1))
    shown = rows if every else rows[:MOST_ROWS]
    line = axis(fall.moments(), fall.running())
    word, text = stories.tally(found)
    in_flight = not found.is_settled
    follows = in_flight and request.GET.get("follow") == "1"
    return render(
        request,
        "console/admin/trace.html",
        title=f"Trace of {about or stories.what(found)}",
        is_nav_sidebar_enabled=False,  # the line of time needs the room
        reference=reference,
        state=badge(word),
        what=stories.what(found),
        about=about,
        text=text,
        lasts=spell(line.seconds),
        line=line,
        cut=spell(line.seconds_cut) if line.cuts else "",
        marks=[(f"{mark.place:.2f}", f"+{spell(mark.seconds)}" if mark.seconds else "0") for mark in line.marks()],
        bands=[(f"{each.start:.2f}", f"{each.end:.2f}") for each in line.cuts],
        levels=sorted({row.level for row in shown}),
        rows=[_drawn(each, line, may_replay=may_replay(request)) for each in shown],
        all_rows=_address(q=reference, rows="all") if len(rows) > len(shown) else "",
        all_stories=_address(q=about) if about not in ("", reference) else "",
        is_cut=found.cut,
        begins=utc(line.begins),
        legend=LEGEND,
        in_flight=in_flight,
        follows=follows,
        follow_seconds=FOLLOW_SECONDS,
        follow=_address(q=reference, follow="1"),
        stay=_address(q=reference),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bar:
    """A piece at its place: x and width of 100, as SVG writes them."""

    kind: str
    x: str
    width: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawn:
    """A row with its bar, as the template has it."""

    row: Row
    after: str
    took: str
    error: str
    state: SafeString | str
    bars: Sequence[Bar]
    words: str
    page: str
    replay: str


#: Of the others the word is enough: a page full of colours tells nothing.
_WITH_BADGE = ("event", "signal", "delivery")


def _drawn(row: Row, line: Axis, *, may_replay: bool) -> Drawn:
    replay = f"{reverse('console:replay')}?{urlencode({'id': str(row.page.pk)})}" if row.page and row.replay else ""
    return Drawn(
        row=row,
        after=_after(row.start, line),
        took=spell(row.seconds) if row.seconds is not None else "",
        state=badge(row.state) if row.state and row.kind in _WITH_BADGE else row.state,
        error=row.error.partition(". ")[0],
        bars=[_bar(piece, line) for piece in row.pieces],
        words="; ".join(piece.words for piece in row.pieces),
        page=page_of(type(row.page), row.page.pk) if row.page else "",
        replay=replay if may_replay else "",
    )


def _after(start: datetime | None, line: Axis) -> str:
    if start is None:
        return ""
    seconds = (start - line.begins).total_seconds()
    return f"+{spell(seconds)}" if seconds else "0"


def _bar(piece: Piece, line: Axis) -> Bar:
    start, end = line.at(piece.start), line.at(piece.end)
    return Bar(kind=piece.kind, x=f"{start:.3f}", width=f"{max(0.0, end - start):.3f}")


def _body(found: Trace) -> bytes | None:
    """The event's, which is left out wherever events are read for other ends."""
    if found.event is None:
        return None
    body = InboxEvent.objects.filter(pk=found.event.pk).values_list("raw_body", flat=True).first()
    return None if body is None else bytes(body)


def _address(**query: str) -> str:
    return f"{reverse('console:trace')}?{urlencode(query)}"
