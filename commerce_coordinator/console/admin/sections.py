"""The parts of a row's page below its columns: tables of the rows it is linked to, payloads, error texts."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.telemetry.masking import MASK, mask_text

from .rights import sees_private
from .showing import NOTHING, badge, link, list_of, page_of, printable, short, utc

#: Linked rows that a page shows; the list has the others.
MOST_ROWS = 100

HIDDEN = f"{MASK} (hidden: it takes the permission “May see private values”)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """A titled part of a page: a table, or a text as it is. `more` is the address of the list with all rows.

    groups: words that stand over as many of the headings each, after the first heading, which stands alone.
    """

    title: str
    headings: Sequence[str] = ()
    groups: Sequence[tuple[str, int]] = ()
    rows: Sequence[Sequence[Any]] = ()
    text: str | None = None
    empty: str = "None."
    more: str = ""


def deliveries_of(dispatch: Dispatch) -> Section:
    rows = list(Delivery.objects.filter(dispatch=dispatch).defer("error_text").order_by("pk")[: MOST_ROWS + 1])
    return Section(
        title="Deliveries",
        headings=("Receiver", "State", "Kind", "Tries", "Next attempt (UTC)", "Error", "Settled (UTC)"),
        rows=[
            (
                link(page_of(Delivery, each.pk), short(each.receiver)),
                badge(each.state),
                each.kind,
                tries(each),
                utc(each.next_attempt_at) if each.state == Delivery.State.PENDING else NOTHING,
                each.error_class or NOTHING,
                utc(each.settled_at),
            )
            for each in rows[:MOST_ROWS]
        ],
        empty="None: the map routes this signal to no receiver.",
        more=list_of(Delivery, q=str(dispatch.pk)) if len(rows) > MOST_ROWS else "",
    )


def dispatches_of(found: QuerySet[Dispatch], *, title: str, empty: str, more: str) -> Section:
    """Dispatches with the states of their deliveries: two statements, however many there are."""
    deliveries = Delivery.objects.only("dispatch_id", "receiver", "state").order_by("pk")
    newest_last = found.defer("payload").order_by("pk")
    rows = list(newest_last.prefetch_related(Prefetch("deliveries", deliveries))[: MOST_ROWS + 1])
    return Section(
        title=title,
        headings=("Signal", "About", "Sent (UTC)", "Deliveries"),
        rows=[
            (
                link(page_of(Dispatch, each.pk), short(each.signal)),
                each.subject or NOTHING,
                utc(each.created_at),
                _together([_delivery(delivery) for delivery in each.deliveries.all()] or [badge("unrouted")]),
            )
            for each in rows[:MOST_ROWS]
        ],
        empty=empty,
        more=more if len(rows) > MOST_ROWS else "",
    )


def attempts_of(delivery: Delivery) -> Section:
    rows = list(
        Attempt.objects.filter(delivery=delivery).defer("error_text").order_by("generation", "number")[: MOST_ROWS + 1]
    )
    return Section(
        title="Attempts",
        headings=("Try", "Outcome", "Started (UTC)", "ms", "Error", "Worker", "Calls and steps"),
        rows=[
            (
                link(page_of(Attempt, each.pk), number_of(each)),
                badge(each.outcome),
                utc(each.started_at),
                milliseconds(each),
                each.error_class or NOTHING,
                each.worker or NOTHING,
                _together([_call(call) for call in _calls(each)]) or NOTHING,
            )
            for each in rows[:MOST_ROWS]
        ],
        empty="None yet."
        if delivery.kind == Delivery.Kind.TASK
        else "None: an inline receiver runs where the signal is sent, and its delivery is the only record.",
        more=list_of(Attempt, q=str(delivery.pk)) if len(rows) > MOST_ROWS else "",
    )


def calls_of(attempt: Attempt) -> Section:
    """What an attempt called outside and the steps that it asked, in order; a step stands before its own calls."""
    return Section(
        title="Calls and steps",
        headings=("At (UTC)", "Method", "Answer", "ms", "Span", "Path"),
        rows=[
            (
                str(call.get("at", NOTHING)).replace("T", " ").removesuffix("Z").removesuffix("+00:00"),
                _method(call),
                answer_of(call),
                call.get("ms", NOTHING),
                call.get("span_id") or NOTHING,
                _path(call) or NOTHING,
            )
            for call in _calls(attempt)
        ],
        empty="It called nobody.",
    )


def error_text(text: str, *, private: bool) -> Section:
    """The far side's words, as they are kept. `private`: the reader may see them."""
    return Section(title="Error text", text=printable(text) if private else HIDDEN)


def acts_on(request: HttpRequest, **row: Any) -> list[Section]:
    """Who replayed it or set it aside, when and why; no section where nobody did. row: delivery, dispatch or event."""
    acts = list(OperatorAct.objects.filter(**row).order_by("pk")[:MOST_ROWS])
    if not acts:
        return []
    private = sees_private(request)
    rows = [
        (utc(act.acted_at), act.kind, act.who or NOTHING, act.origin, _reason(act.why, private=private)) for act in acts
    ]
    return [Section(title="What operators did", headings=("When (UTC)", "What", "Who", "From", "Why"), rows=rows)]


def _reason(why: str, *, private: bool) -> str:
    """A person's own words may name a learner."""
    return (printable(why) if private else HIDDEN) if why else NOTHING


def answer_of(call: dict[str, Any]) -> str:
    """The status of a call's answer or a step's outcome, and the kind of error."""
    parts = [str(call[key]) for key in ("status", "outcome", "error") if call.get(key)]
    return " ".join(parts) or NOTHING


def tries(delivery: Delivery) -> str:
    """Tries of the present generation, and which generation that is once it was replayed."""
    return f"{delivery.attempts} (replay {delivery.generation})" if delivery.generation else str(delivery.attempts)


def number_of(attempt: Attempt) -> str:
    return f"{attempt.number} (replay {attempt.generation})" if attempt.generation else str(attempt.number)


def milliseconds(attempt: Attempt) -> str:
    return f"{(attempt.ended_at - attempt.started_at).total_seconds() * 1000:,.0f}"


def _calls(attempt: Attempt) -> list[dict[str, Any]]:
    kept: Any = attempt.calls
    return [call for call in kept if isinstance(call, dict)] if isinstance(kept, list) else []


def _call(call: dict[str, Any]) -> SafeString:
    return format_html("{} {} → {}", _method(call), _path(call), answer_of(call))


def _method(call: dict[str, Any]) -> str:
    return "step" if "step" in call else str(call.get("method", NOTHING))


def _path(call: dict[str, Any]) -> str:
    """Where a call went, or which step it was."""
    return mask_text(printable(str(call.get("step") or call.get("path", ""))))


def _delivery(delivery: Delivery) -> SafeString:
    return format_html("{} {}", link(page_of(Delivery, delivery.pk), short(delivery.receiver)), badge(delivery.state))


def _together(parts: Iterable[SafeString]) -> SafeString:
    """One below the other."""
    lines = list(parts)
    joined = format_html("{}" + "<br>{}" * (len(lines) - 1), *lines) if lines else SafeString("")
    return joined
