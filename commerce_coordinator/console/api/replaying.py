"""Replay and set aside, row by row and by filter. It is written down who did it, and why."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.console import acting, dead_letters
from commerce_coordinator.core.deliveries.acts import By
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.exceptions import CoordinatorError, NotReplayable
from commerce_coordinator.core.inbox.models import InboxEvent

from . import asked, filters
from .keys import PARAMETER, key_of, not_found
from .permissions import MayReplay

logger = logging.getLogger(__name__)


class NotReplayed(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_replayable"


class _ActView(APIView):
    """An act on the row with this key. model: of which kind it is."""

    permission_classes = [MayReplay]
    model: ClassVar[type[acting.Row]]

    def act(self, request: Request, key: str, deed: Callable[..., str], log: str, shape: Any) -> Response:
        """log: the constant sentence of the log. Raises NotFound, ValidationError, NotReplayed."""
        wish = _wish(shape, request)
        wanted = key_of(key)
        row = next((each for each in acting.rows([wanted] if wanted else []) if isinstance(each, self.model)), None)
        if row is None:
            raise not_found(self.model)
        try:
            message = deed(row, by=_by(request, wish.pop("why")), **wish)
        except CoordinatorError as refusal:
            raise NotReplayed(str(refusal)) from None
        _log(log, request, row)
        return Response(
            {
                "kind": acting.kind_of(row),
                "id": str(row.pk),
                "state": _state(row),
                "generation": row.generation if isinstance(row, Delivery) else None,
                "message": message,
            }
        )


def _act(name: str, shape: Any, text: str) -> Callable[[Any], Any]:
    """How an act is told of in the OpenAPI document."""
    return extend_schema(
        operation_id=name,
        tags=["replay"],
        description=text,
        parameters=[PARAMETER],
        request=shape,
        responses={
            200: OpenApiResponse(asked.ActedSerializer, description="Done, and written down."),
            404: OpenApiResponse(description="There is none with this id."),
            409: OpenApiResponse(
                description="With the code not_replayable: it cannot be done, and `message` says why."
            ),
        },
    )


class ReplayDeliveryView(_ActView):
    model = Delivery

    @_act(
        "replay_delivery",
        asked.ReplayDeliveryAskedSerializer,
        "Makes a dead or cancelled delivery due again, with the same payload and a fresh budget of tries. The second "
        "of two calls is answered with 409: it is pending by then. With `generation` that holds for ever.",
    )
    def post(self, request: Request, key: str) -> Response:
        return self.act(
            request, key, _replay_delivery, "Delivery replayed through the API.", asked.ReplayDeliveryAskedSerializer
        )


class ReplayDispatchView(_ActView):
    model = Dispatch

    @_act(
        "replay_dispatch",
        asked.ActAskedSerializer,
        "Routes an unrouted dispatch by the map of today. The second of two calls is answered with 409.",
    )
    def post(self, request: Request, key: str) -> Response:
        return self.act(request, key, acting.replay, "Dispatch replayed through the API.", asked.ActAskedSerializer)


class ReplayEventView(_ActView):
    model = InboxEvent

    @_act(
        "replay_event",
        asked.ActAskedSerializer,
        "Reads a failed or ignored event again, from its stored bytes. `state` says whether it failed again. Once a "
        "signal is sent because of it, a further call is answered with 409.",
    )
    def post(self, request: Request, key: str) -> Response:
        return self.act(request, key, acting.replay, "Event replayed through the API.", asked.ActAskedSerializer)


class _SetAsideView(_ActView):
    def set_aside(self, request: Request, key: str) -> Response:
        return self.act(
            request, key, acting.set_aside, "Dead letter set aside through the API.", asked.ActAskedSerializer
        )


_SET_ASIDE = "nothing more shall come of it, and it leaves the dead letters. A replay takes that back."


class SetAsideDeliveryView(_SetAsideView):
    model = Delivery

    @_act("set_aside_delivery", asked.ActAskedSerializer, f"Cancels a dead delivery: {_SET_ASIDE}")
    def post(self, request: Request, key: str) -> Response:
        return self.set_aside(request, key)


class SetAsideDispatchView(_SetAsideView):
    model = Dispatch

    @_act(
        "set_aside_dispatch",
        asked.ActAskedSerializer,
        "Says that nobody shall get an unrouted dispatch: it leaves the dead letters, for good.",
    )
    def post(self, request: Request, key: str) -> Response:
        return self.set_aside(request, key)


class SetAsideEventView(_SetAsideView):
    model = InboxEvent

    @_act("set_aside_event", asked.ActAskedSerializer, f"Ignores a failed event: {_SET_ASIDE}")
    def post(self, request: Request, key: str) -> Response:
        return self.set_aside(request, key)


class ReplayFoundView(APIView):
    permission_classes = [MayReplay]

    @extend_schema(
        operation_id="replay_dead_letters",
        tags=["replay"],
        description="Replays the dead letters that match a filter, the newest first; or, as long as `dry_run` is not "
        "false, only says what it would do. Each row is replayed by itself: that one is refused changes nothing for "
        "the others.",
        request=asked.ReplayFoundAskedSerializer,
        responses={
            200: OpenApiResponse(asked.ReplayedFoundSerializer, description="What was done, or would be."),
            400: OpenApiResponse(description="A filter is wrong; `fields` says which, and what would be right."),
            503: OpenApiResponse(
                description="The database is away. Some may have been replayed; they are no dead letters any more, so "
                "that the same call again goes on where this one ended."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        wish = _wish(asked.ReplayFoundAskedSerializer, request)
        told = {"ended_by": timezone.now().isoformat(), **wish["filter"]}
        wanted = dead_letters.Filter(**filters.read(filters.DEAD_LETTERS, told))
        found = dead_letters.find(wanted, before=wish["cursor"], limit=wish["limit"] + 1)
        rows = found[: wish["limit"]]
        if wish["dry_run"]:
            groups, _ = dead_letters.counted(wanted)
            outcomes = [_would(row) for row in reversed(rows)]
        else:
            groups = Counter(map(dead_letters.group_of, rows))
            by = _by(request, wish["why"])
            # Oldest first, so that they become due as they once were.
            outcomes = [_done(row, by, request) for row in reversed(rows)]
        return Response(
            {
                "dry_run": wish["dry_run"],
                "filter": wanted.as_text(),
                "groups": [
                    {"kind": kind, "what": what, "why": why, "count": count}
                    for (kind, what, why), count in groups.most_common()
                ],
                "outcomes": outcomes,
                "next": str(rows[-1].pk) if len(found) > len(rows) else None,
            }
        )


def _replay_delivery(row: Delivery, *, by: By, force: bool, generation: int | None = None) -> str:
    if generation not in (None, row.generation):
        raise NotReplayable(f"It was replayed since: its generation is {row.generation}, not {generation}.")
    plan = acting.plan(row)
    if plan.act == "force" and not force:
        raise NotReplayable(f"{plan.says} That takes force.")
    return acting.replay(row, by=by, force=force)


def _would(row: acting.Row) -> dict[str, Any]:
    plan = acting.plan(row)
    return _outcome(row, "would be replayed" if plan.act == "again" else "refused", plan.says)


def _done(row: acting.Row, by: By, request: Request) -> dict[str, Any]:
    """Replay one of several. A database that is away ends it all; another failure of it is this row's alone."""
    try:
        message = acting.replay(row, by=by)
    except CoordinatorError as refusal:
        return _outcome(row, "refused", str(refusal))
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError as error:  # its own text may quote values
        return _outcome(row, "refused", f"The database refused it ({type(error).__name__}).")
    _log("Dead letter replayed through the API.", request, row)
    failed_again = isinstance(row, InboxEvent) and row.state == InboxEvent.State.FAILED
    return _outcome(row, "refused" if failed_again else "replayed", message)


def _outcome(row: acting.Row, outcome: str, message: str) -> dict[str, Any]:
    return {"kind": acting.kind_of(row), "id": str(row.pk), "outcome": outcome, "message": message}


def _wish(shape: Any, request: Request) -> dict[str, Any]:
    wish = shape(data=request.data)
    wish.is_valid(raise_exception=True)
    found: dict[str, Any] = dict(wish.validated_data)
    return found


def _by(request: Request, why: str) -> By:
    return By(who=request.user.get_username(), why=why, origin=Dispatch.Origin.API)


def _log(sentence: str, request: Request, row: acting.Row) -> None:
    """Ids only: an account by its number, as a name is private."""
    logger.info(sentence, extra={acting.kind_of(row): str(row.pk), "account": request.user.pk})


def _state(row: acting.Row) -> str:
    if isinstance(row, Dispatch):
        return "unrouted" if row.unrouted else "routed"
    return str(row.state)
