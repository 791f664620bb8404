"""Deliveries: what became of each receiver."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.receivers import delivery_task_at, schedule_of
from commerce_coordinator.core.deliveries.retry import max_attempts

from . import filters, searching, words
from .replaying import ReplayAdmin
from .rights import sees_private
from .sections import Section, acts_on, attempts_of, dispatches_of, error_text, tries
from .showing import NOTHING, badge, link, list_of, page_of, short, to_the_second, utc

State = Delivery.State


@admin.register(Delivery)
class DeliveryAdmin(ReplayAdmin):
    find = staticmethod(searching.deliveries)
    list_display = ("created_short", "state_badge", "receiver_and_order", "tries", "error", "due_or_settled")
    list_filter = (filters.DeliveryState, filters.DeliveryReceiver, filters.Since)
    search_help_text = (
        "The whole of an order number, person, trace id or event id, or the id of a delivery or its dispatch."
    )
    fieldsets = (
        (None, {"fields": ("receiver", "dispatch_link", "about", "tries", "next_attempt_told", "last_error")}),
        (
            "Times (UTC)",
            {"classes": ("collapse",), "fields": ("created", "claimed", "lease_ends", "settled", "looked_at_next")},
        ),
        (
            "Ids",
            {
                "classes": ("collapse",),
                "fields": ("id", "kind", "generation", "idempotency_key", "claim_id", "worker", "wakes", "trace"),
            },
        ),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        dispatches = Dispatch.objects.only("signal", "subject")
        return queryset.defer("error_text").prefetch_related(Prefetch("dispatch", dispatches))

    def summary(self, request: HttpRequest, row: Any) -> tuple[str, str]:
        most = max_attempts(schedule_of(delivery_task_at(row.receiver)))
        return row.state, words.of_delivery(row, most=most, now=timezone.now())

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        error = [error_text(row.error_text, private=sees_private(request))] if row.error_text else []
        sent = dispatches_of(
            Dispatch.objects.filter(parent=row),
            title="What it sent",
            empty="Nothing.",
            more=list_of(Dispatch, q=str(row.pk)),
        )
        return [*error, attempts_of(row), sent, *acts_on(request, delivery=row)]

    # --- Columns ---

    @admin.display(description="created (UTC)")
    def created_short(self, row: Delivery) -> str:
        return to_the_second(row.created_at)

    @admin.display(description="created")
    def created(self, row: Delivery) -> str:
        return utc(row.created_at)

    @admin.display(description="receiver")
    def receiver_and_order(self, row: Delivery) -> SafeString:
        return format_html("{}<br>{}", short(row.receiver), self.about(row))

    @admin.display(description="about")
    def about(self, row: Delivery) -> str:
        subject = row.dispatch.subject
        return link(list_of(Dispatch, q=subject), subject) if subject else NOTHING

    @admin.display(description="state")
    def state_badge(self, row: Delivery) -> SafeString:
        return badge(row.state)

    @admin.display(description="tries")
    def tries(self, row: Delivery) -> str:
        return tries(row)

    @admin.display(description="due or settled (UTC)")
    def due_or_settled(self, row: Delivery) -> str:
        return to_the_second(row.next_attempt_at if row.state == State.PENDING else row.settled_at)

    @admin.display(description="error")
    def error(self, row: Delivery) -> str:
        return row.error_class or NOTHING

    @admin.display(description="settled (UTC)")
    def settled(self, row: Delivery) -> str:
        return utc(row.settled_at)

    @admin.display(description="dispatch")
    def dispatch_link(self, row: Delivery) -> SafeString:
        return link(page_of(Dispatch, row.dispatch_id), short(row.dispatch.signal))

    @admin.display(description="next attempt")
    def next_attempt_told(self, row: Delivery) -> str:
        return words.of_next_attempt(row)

    @admin.display(description="last error")
    def last_error(self, row: Delivery) -> str:
        return words.of_error(row.error_class, is_dead=row.state == State.DEAD) or "none"

    @admin.display(description="claimed")
    def claimed(self, row: Delivery) -> str:
        return utc(row.claimed_at)

    @admin.display(description="lease ends")
    def lease_ends(self, row: Delivery) -> str:
        return utc(row.lease_until)

    @admin.display(description="relay looks next")
    def looked_at_next(self, row: Delivery) -> str:
        return utc(row.wake_at)

    @admin.display(description="trace id")
    def trace(self, row: Delivery) -> SafeString:
        return link(list_of(Dispatch, q=row.dispatch.trace_id), row.dispatch.trace_id)
