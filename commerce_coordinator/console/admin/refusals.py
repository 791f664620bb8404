"""Refused webhooks: how often each provider's were refused, and by which code. Nothing else is kept of them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commerce_coordinator.core.inbox.models import WebhookRefusal

from .records import RecordAdmin
from .showing import link, list_of, to_the_second

#: What a code means, and what to do.
MEANINGS = {
    "signature_invalid": "The secret here is not the provider's, or somebody else sends.",
    "signature_missing": "Somebody else sends: the provider signs what it sends.",
}


@admin.register(WebhookRefusal)
class RefusalAdmin(RecordAdmin):
    list_display = ("began", "provider", "code_told", "times", "last")
    list_display_links = None
    search_fields: ClassVar[Any] = ()

    @staticmethod
    def find(term: str) -> list[int]:
        """There is nothing to search by; an address may ask all the same."""
        return []

    def summary(self, request: HttpRequest, row: WebhookRefusal) -> tuple[str, str]:
        """No link leads to its page; an address may."""
        return "", f"Refused in these ten minutes: {row.times:,}."

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

    @admin.display(description="code")
    def code_told(self, row: WebhookRefusal) -> SafeString:
        return format_html('{}<br><span class="quiet">{}</span>', row.code, MEANINGS.get(row.code, ""))


def told(refused: dict[str, dict[str, int]]) -> SafeString:
    """A sentence for the first page on those of the last hour, provider -> code -> times."""
    if not refused:
        return SafeString("No webhook was refused in the last hour.")
    counts = [f"{provider} {times:,} ({code})" for provider, codes in refused.items() for code, times in codes.items()]
    codes = sorted({code for codes in refused.values() for code in codes} & MEANINGS.keys())
    return format_html(
        "{}: {}. {}",
        link(list_of(WebhookRefusal), "Webhooks refused in the last hour"),
        ", ".join(counts),
        " ".join(MEANINGS[code] for code in codes),
    )
