"""How single values look on the pages: times, states, links, JSON."""

import json
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

NOTHING = "-"

#: Colour by word. The word is always shown too: colour alone says nothing to many.
_COLOURS = {
    "ok": "good",
    "sent": "good",
    "succeeded": "good",
    "pending": "waiting",
    "running": "busy",
    "retry": "busy",
    "dead": "bad",
    "failed": "bad",
    "lost": "bad",
    "unrouted": "bad",
    "look": "bad",
}


def utc(at: datetime | None) -> str:
    """A time in UTC with milliseconds; the column's title says UTC."""
    if at is None:
        return NOTHING
    return at.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def to_the_second(at: datetime | None) -> str:
    """The same, shorter: for a second time in one row of a list."""
    return utc(at).partition(".")[0]


def badge(word: str) -> SafeString:
    """A state, coloured."""
    return format_html('<span class="cc-state cc-{}">{}</span>', _COLOURS.get(word, "off"), word)


def short(path: str) -> SafeString:
    """The last part of a dotted path; the whole on hovering."""
    return format_html('<span title="{}">{}</span>', path, path.rpartition(".")[2] or NOTHING)


def page_of(model: type[Model], key: Any) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(str(key))])


def list_of(model: type[Model], **query: str) -> str:
    """The address of a list, searched (`q`) or filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def link(address: str, text: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', address, text)


def pretty(value: Any) -> str:
    """Indented JSON."""
    try:
        return printable(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    except RecursionError:
        return "(nested too deep to be laid out)"


def pretty_bytes(body: bytes) -> str:
    """The bytes as indented JSON if they are JSON, as text otherwise."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", errors="backslashreplace")
    return pretty(value)


def printable(text: str) -> str:
    """JSON may carry half a surrogate pair, which no page can be encoded with."""
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")


def roughly(seconds: float) -> str:
    """A span in two units: enough to know whether to wait or to come back tomorrow."""
    if seconds < 1:
        return f"{int(seconds * 1000)} ms"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours_of_day = divmod(hours, 24)
    if days >= 2:
        return f"{days} d {hours_of_day} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
