"""Replay from the admin: a page that says what will happen, then the act, then what came of it.

What the page showed goes with the form, and a row that has changed since is left alone: nobody forces what he saw dead.
"""

import dataclasses
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from commerce_coordinator.console import acting
from commerce_coordinator.core.deliveries.acts import By
from commerce_coordinator.core.exceptions import CoordinatorError, NotReplayable

from .pages import READ, page, render
from .records import RecordAdmin
from .rights import REPLAY, may_replay
from .searching import as_uuid
from .showing import page_of

#: Rows that one act replays at most: each takes a few statements and a message, and a request should end in seconds.
MOST_AT_ONCE = 500

#: Refusals told one by one; beyond, only their number.
MOST_TOLD = 5

#: What a choice on the form means: seen of the row, and whether it is forced.
Chosen = dict[uuid.UUID, tuple[str, bool]]


class ReplayAdmin(RecordAdmin):
    """A RecordAdmin whose rows can be replayed by whoever has the right to."""

    actions = ("replay_selected",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return may_replay(request) and self.has_view_permission(request)

    @admin.action(permissions=["replay"], description="Replay…")
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Ask first."""
        keys = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        return ask(request, keys, back=self._list_address(request))

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        context = super().page_context(request, row)
        context["trace_address"] = f"{reverse('console:trace')}?{urlencode({'q': row.pk})}"
        if self.has_replay_permission(request):
            labels = {"again": "Replay…", "force": "Replay by force…"}
            label = labels.get(acting.plan(row).act)
            context["replay_label"] = label or ("Set aside…" if acting.can_be_set_aside(row) else None)
            context["replay_address"] = f"{reverse('console:replay')}?{urlencode({'id': row.pk})}"
        return context

    def _list_address(self, request: HttpRequest) -> str:
        """The list, with the filters that it had when the user left it."""
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        context: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return str(add_preserved_filters(context, address))


@page(path="replay/", title="Replay", permissions=(*READ, REPLAY))
def replay(request: HttpRequest) -> HttpResponse:
    """GET with ids, or POST of a list's choice: the question. POST of its form: the act."""
    chosen = request.POST if request.POST.get("act") == "ask" else request.GET
    if request.method == "POST" and chosen is request.GET:
        return _act(request)
    return ask(request, [key for key in map(as_uuid, chosen.getlist("id")) if key], back=_own(chosen.get("back", "")))


def ask(request: HttpRequest, keys: list[uuid.UUID], *, back: str = "") -> HttpResponse:
    """The page that says what would happen to the rows with these keys; nothing is done yet.

    back: where to go afterwards; by default the row's page, or the dead letters for several.
    """
    plans = [acting.plan(row) for row in acting.rows(keys[:MOST_AT_ONCE])]
    if not plans:
        messages.warning(request, "Nothing was chosen that is there.")
        return HttpResponseRedirect(back or reverse("console:dead_letters"))
    back = back or (
        page_of(type(plans[0].row), plans[0].row.pk) if len(plans) == 1 else reverse("console:dead_letters")
    )
    return render(
        request,
        "console/admin/replay.html",
        title="Replay",
        again=[_told(each) for each in plans if each.act == "again"],
        force=[_told(each) for each in plans if each.act == "force"],
        left=[_told(each) for each in plans if not each.act],
        to_set_aside=[each.row.pk for each in plans if acting.can_be_set_aside(each.row)],
        cut=MOST_AT_ONCE if len(keys) > MOST_AT_ONCE else None,
        address=reverse("console:replay"),
        back=back,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Told:
    """A plan as the page shows it."""

    about: str
    says: str
    value: str
    pk: uuid.UUID
    address: str


def _told(plan: acting.Plan) -> _Told:
    return _Told(
        about=plan.about,
        says=plan.says,
        value=plan.value,
        pk=plan.row.pk,
        address=page_of(type(plan.row), plan.row.pk),
    )


def _act(request: HttpRequest) -> HttpResponse:
    back = _own(request.POST.get("back", "")) or reverse("console:dead_letters")
    if request.POST.get("act") == "set_aside":
        keys = [key for key in map(as_uuid, request.POST.getlist("set_aside")) if key]
        act_on(request, acting.rows(keys[:MOST_AT_ONCE]), acting.set_aside, done="set aside")
        return HttpResponseRedirect(back)
    chosen = _chosen(request.POST.getlist("again"), force=False)
    if request.POST.get("force_too"):
        chosen |= _chosen(request.POST.getlist("force"), force=True)

    def replay_it(row: acting.Row, *, by: By) -> str:
        seen, force = chosen[row.pk]
        if acting.plan(row).seen != seen:
            raise NotReplayable(f"{acting.kind_of(row).capitalize()} {row.pk} has changed since the page was shown.")
        return acting.replay(row, by=by, force=force)

    act_on(request, acting.rows(list(chosen)[:MOST_AT_ONCE]), replay_it, done="replayed")
    return HttpResponseRedirect(back)


def _own(address: str) -> str:
    """The address, if it leads nowhere else; empty otherwise."""
    return address if url_has_allowed_host_and_scheme(address, allowed_hosts=None) else ""


def act_on(request: HttpRequest, rows: Iterable[acting.Row], deed: Callable[..., str], *, done: str) -> None:
    """Do it to each row by itself, and tell the user what came of it. done: `replayed` or `set aside`."""
    if not may_replay(request):
        raise PermissionDenied
    user: Any = request.user
    by = By(who=user.get_username(), why=request.POST.get("why", ""), origin="web")
    told, refused = [], []
    for row in rows:
        try:
            text = deed(row, by=by)
            admin.site.get_model_admin(type(row)).log_change(request, row, f"{done.capitalize()}.")
        except (CoordinatorError, DatabaseError, InterfaceError) as error:
            refused.append(_why(error))
        else:
            told.append(text)
    if len(told) == 1:
        messages.success(request, told[0])
    elif told:
        messages.success(request, f"{len(told)} were {done}.")
    for text in refused[:MOST_TOLD]:
        messages.warning(request, text)
    if len(refused) > MOST_TOLD:
        messages.warning(request, f"{len(refused) - MOST_TOLD} more were not {done}.")
    if not told and not refused:
        messages.warning(request, f"Nothing was {done}: nothing was chosen.")


def _chosen(values: Iterable[str], *, force: bool) -> Chosen:
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
