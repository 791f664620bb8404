"""Events: what providers sent us."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from . import filters, searching, words
from .replaying import ReplayAdmin
from .rights import sees_private
from .sections import HIDDEN, Section, acts_on, dispatches_of
from .showing import badge, link, list_of, pretty_bytes, utc


@admin.register(InboxEvent)
class EventAdmin(ReplayAdmin):
    find = staticmethod(searching.events)
    list_display = ("received", "state_badge", "from_whom", "what", "reason")
    list_filter = (filters.EventState, filters.EventProvider, filters.Since)
    search_help_text = "The whole of an event id, trace id, order number, or the event's own id."
    fieldsets = (
        (None, {"fields": ("provider", "account", "event_type", "event_id", "reason", "received")}),
        ("Ids", {"fields": ("id", "trace")}),
    )

    def for_list(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.defer("raw_body")

    def summary(self, request: HttpRequest, row: Any) -> tuple[str, str]:
        return row.state, words.of_event(row)

    def sections(self, request: HttpRequest, row: Any) -> list[Section]:
        sent = dispatches_of(
            Dispatch.objects.filter(event=row),
            title="Sent because of it",
            empty="Nothing that is there: another event was first to tell the same, or retention removed it."
            if row.state == InboxEvent.State.SENT
            else "Nothing.",
            more=list_of(Dispatch, q=str(row.pk)),
        )
        return [sent, *acts_on(request, event=row), _body(row, private=sees_private(request))]

    # --- Columns ---

    @admin.display(description="received (UTC)")
    def received(self, row: InboxEvent) -> str:
        return utc(row.received_at)

    @admin.display(description="provider")
    def from_whom(self, row: InboxEvent) -> str:
        return f"{row.provider} {row.account}".strip()

    @admin.display(description="event")
    def what(self, row: InboxEvent) -> SafeString:
        return format_html('{}<br><span class="quiet">{}</span>', row.event_type, row.event_id)

    @admin.display(description="state")
    def state_badge(self, row: InboxEvent) -> SafeString:
        return badge(row.state)

    @admin.display(description="trace id")
    def trace(self, row: InboxEvent) -> SafeString:
        return link(list_of(Dispatch, q=row.trace_id), row.trace_id)


def _body(row: InboxEvent, *, private: bool) -> Section:
    """The bytes as they came."""
    title = "Raw body"
    if row.raw_body is None:
        return Section(title=title, text="Retention has emptied it.")
    body = bytes(row.raw_body)
    return Section(title=f"{title}, {len(body):,} bytes", text=pretty_bytes(body) if private else HIDDEN)
