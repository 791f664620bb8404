"""Dispatches: sendings of signals."""

from collections import Counter
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from . import filters, searching
from .replaying import ReplayAdmin
from .rights import sees_private
from .sections import Section, acts_on, deliveries_of, number_of
from .showing import NOTHING, badge, link, list_of, page_of, pretty, short, utc


@admin.register(Dispatch)
class DispatchAdmin(ReplayAdmin):
    find = staticmethod(searching.dispatches)
    list_display = ("created", "signal_short", "subject", "person", "routed", "because_of")
    list_filter = (filters.DispatchUnrouted, filters.DispatchSignal)
    search_help_text = (
        "The whole of an order number, person, trace id or event id, "
        "or the id of a dispatch, of its event or of the delivery that sent it."
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "signal",
                    "about",
                    "whom",
                    "created",
                    "origin",
                    "sender",
                    "event_link",
                    "parent_link",
                    "attempt_link",
                )
            },
        ),
        ("Ids", {"fields": ("id", "dedupe_key", "trace", "span_id", "map_hash")}),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.defer("payload").prefetch_related(
            Prefetch("event", InboxEvent.objects.only("provider")),
            Prefetch("parent", Delivery.objects.only("receiver")),
        )

    def summary(self, request: HttpRequest, row: Any) -> tuple[str, str]:
        if row.unrouted:
            return (
                "unrouted",
                "The map routed it to no receiver, so nothing follows from it. Add a route, then replay it.",
            )
        states = Counter(row.deliveries.values_list("state", flat=True))
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return "", f"Deliveries: {told}." if told else "It has no deliveries any more."

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        private = sees_private(request)
        shown = row.payload if private else contracts.masked(row.signal, row.payload)
        payload = Section(
            title="Payload" if private else "Payload, without private values",
            text="Not kept: it was no JSON, or retention has emptied it." if row.payload is None else pretty(shown),
        )
        return [deliveries_of(row), *acts_on(request, dispatch=row), payload]

    # --- Columns ---

    @admin.display(description="sent (UTC)")
    def created(self, row: Dispatch) -> str:
        return utc(row.created_at)

    @admin.display(description="signal")
    def signal_short(self, row: Dispatch) -> SafeString:
        return short(row.signal)

    @admin.display(description="routing")
    def routed(self, row: Dispatch) -> str:
        return badge("unrouted") if row.unrouted else "routed"

    @admin.display(description="because of")
    def because_of(self, row: Dispatch) -> str:
        return (
            link(page_of(InboxEvent, row.event.pk), f"{row.event.provider} event")
            if row.event
            else self.parent_link(row)
        )

    @admin.display(description="about")
    def about(self, row: Dispatch) -> str:
        return link(list_of(Dispatch, q=row.subject), row.subject) if row.subject else NOTHING

    @admin.display(description="person")
    def whom(self, row: Dispatch) -> str:
        return link(list_of(Dispatch, q=row.person), row.person) if row.person else NOTHING

    @admin.display(description="event")
    def event_link(self, row: Dispatch) -> str:
        if row.event is None:
            return NOTHING
        return link(page_of(InboxEvent, row.event.pk), f"{row.event.provider} {row.event.event_id}")

    @admin.display(description="parent delivery")
    def parent_link(self, row: Dispatch) -> str:
        return link(page_of(Delivery, row.parent_id), short(row.parent.receiver)) if row.parent else NOTHING

    @admin.display(description="attempt that sent it")
    def attempt_link(self, row: Dispatch) -> str:
        """An attempt is written when it ends, so there may be none yet; and never one of an inline receiver."""
        if row.attempt_id is None:
            return NOTHING
        attempt = Attempt.objects.filter(pk=row.attempt_id).only("number", "generation").first()
        return link(page_of(Attempt, attempt.pk), f"try {number_of(attempt)}") if attempt else "not ended yet"

    @admin.display(description="trace id")
    def trace(self, row: Dispatch) -> SafeString:
        return link(list_of(Dispatch, q=row.trace_id), row.trace_id)
