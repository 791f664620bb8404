"""The page of all dead letters, and the one that says what a replay of all that match a filter will do."""

import shlex
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from commerce_coordinator.console import acting, receiver_names
from commerce_coordinator.console import dead_letters as letters
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.exceptions import CoordinatorError
from commerce_coordinator.core.ids import time_of
from commerce_coordinator.core.inbox.webhooks import WebhookView
from commerce_coordinator.core.signals import registry

from . import words
from .pages import READ, page, render
from .replaying import MOST_AT_ONCE, act_on
from .rights import REPLAY, may_replay
from .searching import as_uuid
from .showing import NOTHING, badge, link, page_of, short, utc

PER_PAGE = 100

#: What the form asks for, in its order, with what stands in an empty field.
TEXTS = {"error": "Retry", "subject": "EDX-100001", "since": "24h", "until": "2026-01-31T02:00"}

STATES = {"delivery": "dead", "event": "failed", "dispatch": "unrouted"}


@page(path="dead-letters/", title="Dead letters", place=1)
def dead_letters(request: HttpRequest) -> HttpResponse:
    """All that waits for somebody, newest first, filtered."""
    told = _told(request.GET.dict())
    try:
        wanted, wrong = letters.Filter.read(told), ""
    except CoordinatorError as error:
        wanted, wrong = None, str(error)
    rows = letters.find(wanted, before=as_uuid(request.GET.get("before", "")), limit=PER_PAGE + 1) if wanted else []
    shown, more = rows[:PER_PAGE], len(rows) > PER_PAGE
    return render(
        request,
        "console/admin/dead_letters.html",
        title="Dead letters",
        is_nav_sidebar_enabled=False,  # why each is dead needs the room
        rows=[_row(each) for each in shown],
        form=_form(told),
        wrong=wrong,
        filtered=bool(told),
        walked=letters.MOST_WALKED if wanted and (wanted.receiver or wanted.error or wanted.signal) else None,
        next_page=f"?{urlencode({**told, 'before': str(shown[-1].pk)})}" if more else "",
        by_provider=bool(wanted and wanted.provider),
        may_replay=may_replay(request),
        replay_all=f"{reverse('console:replay_dead_letters')}?{urlencode(told)}",
        command=_command(told),
    )


@page(path="dead-letters/replay/", title="Replay dead letters", permissions=(*READ, REPLAY))
def replay_dead_letters(request: HttpRequest) -> HttpResponse:
    """GET with a filter: what would happen to all that match. POST of its form: the act."""
    told = _told((request.POST if request.method == "POST" else request.GET).dict())
    try:
        wanted = letters.Filter.read({"ended_by": timezone.now().isoformat(), **told})
    except CoordinatorError as error:
        messages.warning(request, str(error))
        return HttpResponseRedirect(reverse("console:dead_letters"))
    back = f"{reverse('console:dead_letters')}?{urlencode({k: v for k, v in told.items() if k != 'ended_by'})}"
    if request.method == "POST":
        rows = list(reversed(letters.find(wanted, limit=MOST_AT_ONCE)))  # so that they become due as they once were
        if request.POST.get("act") == "set_aside":
            act_on(request, rows, acting.set_aside, done="set aside")
        else:
            act_on(request, [row for row in rows if acting.plan(row).act], acting.replay, done="replayed")
        return HttpResponseRedirect(back)
    counts, more = letters.counted(wanted)
    first = letters.find(wanted, limit=MOST_AT_ONCE)
    plans = [acting.plan(row) for row in first]
    return render(
        request,
        "console/admin/replay_dead_letters.html",
        title="Replay dead letters",
        filter=wanted.as_text(),
        told={name: text for name, text in wanted.as_text().items() if name != "ended_by"},
        total=sum(counts.values()),
        more=more,
        groups=[(*group, count) for group, count in counts.most_common()],
        again=sum(bool(each.act) for each in plans),
        to_set_aside=len(first),
        left=_reasons([each for each in plans if not each.act]),
        says=_reasons([each for each in plans if each.act]),
        most=MOST_AT_ONCE,
        cut=sum(counts.values()) > MOST_AT_ONCE,
        back=back,
        command=_command(told),
    )


def _told(values: dict[str, str]) -> dict[str, str]:
    """The filter's texts among what a form or an address carries."""
    return {name: values[name].strip() for name in letters.NAMES if values.get(name, "").strip()}


def _form(told: dict[str, str]) -> list[dict[str, Any]]:
    """The fields of the filter: choices come from the code, never from a walk over the rows."""
    choices = {
        "kind": [(kind, f"{STATES[kind]} {kind}") for kind in letters.KINDS],
        "receiver": _by_short_name(receiver_names.known()),
        "signal": _by_short_name(registry.by_name()),
        "provider": [(name, name) for name in sorted(WebhookView.by_provider)],
    }
    for name, options in choices.items():
        value = told.get(name, "")
        if value and value not in {option for option, _ in options}:
            options.append((value, value))
    return [
        *({"name": name, "value": told.get(name, ""), "choices": options} for name, options in choices.items()),
        *({"name": name, "value": told.get(name, ""), "example": example} for name, example in TEXTS.items()),
    ]


def _by_short_name(paths: Any) -> list[tuple[str, str]]:
    return sorted(((path, letters.short(path)) for path in paths), key=lambda choice: choice[1])


def _row(row: acting.Row) -> dict[str, Any]:
    kind = acting.kind_of(row)
    found = {"pk": row.pk, "kind": kind, "at": utc(time_of(row.pk)), "state": badge(STATES[kind])}
    if isinstance(row, Delivery):
        name, about, why = row.receiver, row.dispatch.subject, words.of_error(row.error_class, is_dead=True)
        found["signal"] = short(row.dispatch.signal)
    elif isinstance(row, Dispatch):
        name, about, why = row.signal, row.subject, "The map routed it to nobody. Add a route, then replay it."
    else:
        name, about, why = f"{row.provider} {row.event_type}", row.event_id, row.reason
    what = letters.short(name) if kind != "event" else name
    found["what"] = link(page_of(type(row), row.pk), what)
    found["about"] = link(f"{reverse('console:trace')}?{urlencode({'q': about})}", about) if about else NOTHING
    found["why"] = why or NOTHING
    return found


def _reasons(plans: list[acting.Plan]) -> list[tuple[str, int]]:
    """What would happen, in words, and to how many; the most frequent first."""
    counts: dict[str, int] = {}
    for plan in plans:
        counts[plan.says] = counts.get(plan.says, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])[:20]


def _command(told: dict[str, str]) -> str:
    """The same from a terminal, to be copied there: an address that somebody made up must be no command of his."""
    words = " ".join(shlex.quote(f"{name}={value}") for name, value in told.items())
    return f"python manage.py replay --filter {words} --dry-run"
