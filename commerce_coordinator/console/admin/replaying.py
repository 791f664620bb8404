"""Replay from the admin: a page that says what will happen, then the act, then what came of it.

What the page showed goes with the form, and a row that has changed since is left alone: nobody forces what he saw dead.
"""

import dataclasses
import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from commerce_coordinator.core.exceptions import CoordinatorError, NotReplayable

from .records import RecordAdmin
from .rights import may_replay
from .searching import as_uuid
from .showing import page_of

#: Rows that one act replays at most: each takes a few statements and a message, and a request should end in seconds.
MOST_AT_ONCE = 500

#: Refusals told one by one; beyond, only their number.
MOST_TOLD = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a replay would do with one row. `act`: "again", "force", or "" for nothing. `seen`: what must not change."""

    row: Any
    about: str
    says: str
    act: str = ""
    seen: str = ""

    @property
    def address(self) -> str:
        return page_of(type(self.row), self.row.pk)

    @property
    def value(self) -> str:
        """What the form carries of it."""
        return f"{self.row.pk}:{self.seen}"


class ReplayAdmin(RecordAdmin):
    """A RecordAdmin whose rows can be replayed by whoever has the right to. Subclasses give the three below."""

    actions = ("replay_selected",)

    def plan(self, row: Any) -> Plan:
        """Decide from the row alone."""
        raise NotImplementedError

    def replay(self, row: Any, *, force: bool) -> str:
        """Do it; returns what came of it. Raises NotReplayable and what else the engine raises."""
        raise NotImplementedError

    def to_replay(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with all that `plan` and `replay` look at."""
        raise NotImplementedError

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return may_replay(request) and self.has_view_permission(request)

    # --- Ways to it: the list's action, the page's button ---

    @admin.action(permissions=["replay"], description="Replay…")
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Ask first."""
        keys = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        return self._ask(request, keys[:MOST_AT_ONCE], cut=len(keys) > MOST_AT_ONCE)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        context = super().page_context(request, row)
        if self.has_replay_permission(request):
            labels = {"again": "Replay…", "force": "Replay by force…"}
            context["replay_label"] = labels.get(self.plan(row).act)
            context["replay_address"] = f"{reverse(self._route)}?{urlencode({'id': row.pk})}"
        return context

    # --- The page and the act ---

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.replay_view)
        return [path("replay/", view, name=self._route.partition(":")[2]), *super().get_urls()]

    def replay_view(self, request: HttpRequest) -> HttpResponse:
        """GET with ids: the question. POST of its form: the act."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._act(request)
        keys = [key for key in map(as_uuid, request.GET.getlist("id")) if key]
        return self._ask(request, keys[:MOST_AT_ONCE], cut=len(keys) > MOST_AT_ONCE)

    @property
    def _route(self) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_replay"

    def _ask(self, request: HttpRequest, keys: list[uuid.UUID], *, cut: bool) -> HttpResponse:
        plans = [self.plan(row) for row in self._rows(request, keys)]
        if not plans:
            self.message_user(request, "Nothing was chosen that is there.", messages.WARNING)
            return HttpResponseRedirect(self._list_address(request))
        context = {
            **self.admin_site.each_context(request),
            "title": "Replay",
            "opts": self.opts,
            "again": [each for each in plans if each.act == "again"],
            "force": [each for each in plans if each.act == "force"],
            "left": [each for each in plans if not each.act],
            "cut": MOST_AT_ONCE if cut else None,
            "address": self._filtered_as_before(request, reverse(self._route)),
            "back": plans[0].address if len(plans) == 1 else self._list_address(request),
        }
        return TemplateResponse(request, "console/admin/replay.html", context)

    def _act(self, request: HttpRequest) -> HttpResponse:
        chosen = _chosen(request.POST.getlist("again"), force=False)
        if request.POST.get("force_too"):
            chosen |= _chosen(request.POST.getlist("force"), force=True)
        rows = self._rows(request, list(chosen)[:MOST_AT_ONCE])
        done, refused = [], []
        for row in rows:
            seen, force = chosen[row.pk]
            try:
                if self.plan(row).seen != seen:
                    raise NotReplayable(f"{self.opts.verbose_name} {row.pk} has changed since the page was shown.")
                done.append(self.replay(row, force=force))
            except (CoordinatorError, DatabaseError, InterfaceError) as error:
                refused.append(_why(error))
            else:
                self.log_change(request, row, "Replayed by force." if force else "Replayed.")
        self._tell(request, done, refused)
        return HttpResponseRedirect(page_of(self.model, rows[0].pk) if len(rows) == 1 else self._list_address(request))

    def _tell(self, request: HttpRequest, done: list[str], refused: list[str]) -> None:
        if len(done) == 1:
            self.message_user(request, done[0], messages.SUCCESS)
        elif done:
            self.message_user(request, f"{len(done)} were replayed.", messages.SUCCESS)
        for text in refused[:MOST_TOLD]:
            self.message_user(request, text, messages.WARNING)
        if len(refused) > MOST_TOLD:
            self.message_user(request, f"{len(refused) - MOST_TOLD} more were not replayed.", messages.WARNING)
        if not done and not refused:
            self.message_user(request, "Nothing was replayed: nothing was chosen.", messages.WARNING)

    def _rows(self, request: HttpRequest, keys: Iterable[uuid.UUID]) -> list[Any]:
        """Oldest first, so that they become due in the order in which they once were."""
        return list(self.to_replay(self.get_queryset(request).filter(pk__in=list(keys))).order_by("pk"))

    def _list_address(self, request: HttpRequest) -> str:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return self._filtered_as_before(request, address)

    def _filtered_as_before(self, request: HttpRequest, address: str) -> str:
        """The address with the filters that the list had when the user left it."""
        context: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return str(add_preserved_filters(context, address))


def _chosen(values: Iterable[str], *, force: bool) -> dict[uuid.UUID, tuple[str, bool]]:
    """By key: what was seen of the row, and whether it is forced."""
    chosen = {}
    for value in values:
        reference, _, seen = value.partition(":")
        key = as_uuid(reference)
        if key:
            chosen[key] = (seen, force)
    return chosen


def _why(error: Exception) -> str:
    """A refusal in words. A database's own text may quote values."""
    if isinstance(error, CoordinatorError):
        return str(error)
    return f"The database failed ({type(error).__name__}). See whether it was done before you try again."
