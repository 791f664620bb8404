"""Refused webhooks: how often each provider's were refused, and by which code. Nothing else is kept of them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commerce_coordinator.core.inbox.models import WebhookRefusal

from .records import RecordAdmin
from .showing import link, list_of, to_the_second


@admin.register(WebhookRefusal)
class RefusalAdmin(RecordAdmin):
    list_display = ("began", "provider", "code", "times", "last")
    list_display_links = None
    search_fields: ClassVar[Any] = ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the events may see that others did not come in."""
        user: Any = request.user
        return bool(user.has_perm("inbox.view_inboxevent"))

    @admin.display(description="ten minutes from (UTC)")
    def began(self, row: WebhookRefusal) -> str:
        return to_the_second(row.since)

    @admin.display(description="last (UTC)")
    def last(self, row: WebhookRefusal) -> str:
        return to_the_second(row.last_at)


def told(refused: dict[str, dict[str, int]]) -> SafeString:
    """A sentence for the first page on those of the last hour, provider -> code -> times."""
    if not refused:
        return SafeString("No webhook was refused in the last hour.")
    counts = [f"{provider} {times:,} ({code})" for provider, codes in refused.items() for code, times in codes.items()]
    return format_html("{}: {}.", link(list_of(WebhookRefusal), "Webhooks refused in the last hour"), ", ".join(counts))
