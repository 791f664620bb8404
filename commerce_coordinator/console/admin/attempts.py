"""Attempts: tries of deliveries, and what they called outside."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch

from . import searching, words
from .records import RecordAdmin
from .rights import sees_private
from .sections import Section, calls_of, dispatches_of, error_text, milliseconds, number_of
from .showing import NOTHING, badge, link, list_of, page_of, short, utc


@admin.register(Attempt)
class AttemptAdmin(RecordAdmin):
    find = staticmethod(searching.attempts)
    list_display = ("started", "receiver", "about", "number_told", "outcome_badge", "error", "took", "worker")
    search_help_text = (
        "The whole of an order number, person, trace id or event id, or the id of an attempt or its delivery."
    )
    fieldsets = (
        (None, {"fields": ("delivery_link", "about", "number_told", "started", "ended", "took", "error_told")}),
        ("Ids", {"fields": ("id", "worker", "span_id")}),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        dispatches = Dispatch.objects.only("subject")
        deliveries = Delivery.objects.only("receiver", "dispatch_id")
        return queryset.defer("error_text", "calls").prefetch_related(
            Prefetch("delivery", deliveries.prefetch_related(Prefetch("dispatch", dispatches)))
        )

    def summary(self, request: HttpRequest, row: Any) -> tuple[str, str]:
        return row.outcome, words.of_attempt(row)

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        error = [error_text(row.error_text, private=sees_private(request))] if row.error_text else []
        sent = dispatches_of(
            # By the delivery too: its column has the index.
            Dispatch.objects.filter(parent=row.delivery_id, attempt=row.pk),
            title="What it sent",
            empty="Nothing that was not sent before.",
            more=list_of(Dispatch, q=str(row.delivery_id)),
        )
        return [*error, calls_of(row), sent]

    # --- Columns ---

    @admin.display(description="started (UTC)")
    def started(self, row: Attempt) -> str:
        return utc(row.started_at)

    @admin.display(description="ended (UTC)")
    def ended(self, row: Attempt) -> str:
        return utc(row.ended_at)

    @admin.display(description="receiver")
    def receiver(self, row: Attempt) -> SafeString:
        return short(row.delivery.receiver)

    @admin.display(description="about")
    def about(self, row: Attempt) -> str:
        subject = row.delivery.dispatch.subject
        return link(list_of(Dispatch, q=subject), subject) if subject else NOTHING

    @admin.display(description="try")
    def number_told(self, row: Attempt) -> str:
        return number_of(row)

    @admin.display(description="outcome")
    def outcome_badge(self, row: Attempt) -> SafeString:
        return badge(row.outcome)

    @admin.display(description="error")
    def error(self, row: Attempt) -> str:
        return row.error_class or NOTHING

    @admin.display(description="error")
    def error_told(self, row: Attempt) -> str:
        return words.of_error(row.error_class) or "none"

    @admin.display(description="took (ms)")
    def took(self, row: Attempt) -> str:
        return milliseconds(row)

    @admin.display(description="delivery")
    def delivery_link(self, row: Attempt) -> SafeString:
        return link(page_of(Delivery, row.delivery_id), short(row.delivery.receiver))
