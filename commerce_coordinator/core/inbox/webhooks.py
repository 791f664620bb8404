"""Where events come in: verify, keep, send, answer.

A provider's plugin subclasses WebhookView. The answer is 2xx only when the event is kept for good; whatever goes wrong
before that is answered so that the provider sends it again (503) or knows it never will (4xx).
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django.db import DatabaseError, IntegrityError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from commerce_coordinator.core.crash_points import reached
from commerce_coordinator.core.deliveries import inline
from commerce_coordinator.core.deliveries.dispatch import Recorded, Sending, record
from commerce_coordinator.core.exceptions import (
    EventIgnored,
    EventNotUnderstood,
    InvalidPayload,
    WebhookRefused,
)
from commerce_coordinator.core.inserts import insert
from commerce_coordinator.core.signals import registry
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.telemetry import attributes as names
from commerce_coordinator.core.telemetry.context import Span, current_span, span
from commerce_coordinator.core.telemetry.masking import where
from commerce_coordinator.core.telemetry.middleware import describe
from commerce_coordinator.core.telemetry.recording import Kind
from commerce_coordinator.core.transactions import atomically

from .models import InboxEvent
from .refusals import refusals

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024

#: What its column holds.
LONGEST_EVENT_ID = 255

State = InboxEvent.State


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProviderEvent:
    """A verified event, parsed. `data` is the whole JSON object as the provider sent it."""

    event_id: str
    event_type: str
    data: Mapping[str, Any]


#: The values of one signal, or those of several sendings of it: an event may tell of two refunds.
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]
#: (signal, function from (event, account) to the signal's values).
#: The function raises EventIgnored or EventNotUnderstood; their texts are kept as the reason and name no values.
Meaning = tuple[CoordinatorSignal, Callable[[ProviderEvent, str], Values]]
#: Provider's event type -> what it means: one meaning, or a list of them, each of which ignores what is not its own.
SignalTable = Mapping[str, Meaning | list[Meaning]]


@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(View):
    """One provider's webhook. Subclasses give `provider`, `signals`, `verify` and `parse`."""

    http_method_names = ["post"]
    provider: ClassVar[str]
    signals: ClassVar[SignalTable]
    #: By provider: a failed event is replayed by the view that once verified it.
    by_provider: "ClassVar[dict[str, type[WebhookView]]]" = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "provider" in vars(cls):
            WebhookView.by_provider[cls.provider] = cls
        for entry in vars(cls).get("signals", {}).values():
            for signal, _ in entry if isinstance(entry, list) else [entry]:
                registry.remember_sender(signal, f"{cls.__module__}.{cls.__qualname__}")

    # --- What a provider's plugin says ---

    def verify(self, request: HttpRequest, body: bytes, account: str) -> None:
        """Raise WebhookRefused unless the provider signed exactly these bytes. Must not parse them."""
        raise NotImplementedError

    def parse(self, body: bytes) -> ProviderEvent:
        """The event in a verified body. Raises WebhookRefused when it is none."""
        raise NotImplementedError

    # --- The way in ---

    def post(self, request: HttpRequest, account: str = "") -> HttpResponse:
        with span("webhook", Kind.SERVER, provider=self.provider) as step:
            try:
                response = self._receive(request, account, step)
            except WebhookRefused as refusal:
                logger.warning(
                    "Webhook refused.",
                    extra={"provider": self.provider, "code": refusal.code, "status": refusal.status},
                )
                refusals.note(self.provider, refusal.code)
                response = _logged(error_response(refusal.code, str(refusal), status=refusal.status))
            except (DatabaseError, InterfaceError) as error:  # InterfaceError, a lost connection, is no DatabaseError
                step.fail(error)
                response = self._unavailable(error)
            describe(step, request, response.status_code)
            return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = error_response("method_not_allowed", "Webhooks are sent by POST.", status=405)
        response["Allow"] = "POST"
        return response

    def _receive(self, request: HttpRequest, account: str, step: Span) -> HttpResponse:
        body = _body_of(request)
        self.verify(request, body, account)
        reached("webhook.verified")
        event = self.parse(body)
        if not 0 < len(event.event_id) <= LONGEST_EVENT_ID:
            raise WebhookRefused("event_id_invalid", f"The event's id must have 1 to {LONGEST_EVENT_ID} characters.")
        row, recorded = keep(self, event, body=body, account=account, trace_id=step.trace_id)
        if row is None:
            logger.info("Event was kept before.", extra={"provider": self.provider, "event_id": event.event_id})
            step.note({names.EVENT_TYPE: event.event_type, names.EVENT_STATE: "duplicate"})
            return JsonResponse({"status": "duplicate"})
        step.note({names.EVENT_ID: str(row.pk), names.EVENT_TYPE: event.event_type, names.EVENT_STATE: str(row.state)})
        for each in recorded:
            inline.run(each)
        logger.info(
            "Event kept.",
            extra={
                "provider": self.provider,
                "event_id": event.event_id,
                "event_type": event.event_type,
                "state": str(row.state),
                "reason": row.reason,
            },
        )
        return JsonResponse({"status": row.state, "id": str(row.pk)})

    def _unavailable(self, error: Exception) -> HttpResponse:
        logger.error(
            "Event not kept: the database is away. The provider shall send it again.",
            extra={"provider": self.provider, "error_class": type(error).__name__},
        )
        response = error_response("unavailable", "The event could not be kept; send it again.", status=503)
        response["Retry-After"] = "5"
        return _logged(response)


def keep(
    view: WebhookView, event: ProviderEvent, *, body: bytes, account: str, trace_id: str
) -> tuple[InboxEvent | None, list[Recorded]]:
    """Write the inbox row and what was sent because of it in one transaction, and nothing else.

    Returns (row, recorded sendings); (None, []) for a duplicate. Run again after a deadlock, or after losing a race
    for the same event or business key.
    """
    outcome = interpret(view, event, account)

    def write(look_first: bool) -> tuple[InboxEvent, list[Recorded]]:
        row = _row(view, event, body, account, trace_id, outcome)
        insert(row)
        reached("webhook.kept")
        recorded = outcome.record(row, look_first=look_first)
        before = next((each for each in recorded if not each.new), None)
        if before is not None:
            row.reason = f"The same fact was sent before: dispatch {before.dispatch.pk}."
            row.save(update_fields=["reason"])
        return row, recorded

    # At first without looking, as nearly every event is new. Whoever meets what is there already looks then.
    for look_first in (False, True):
        try:
            return atomically(partial(write, look_first))
        except IntegrityError:
            if _is_kept(view, event, account):
                return None, []
            if look_first:
                raise
    raise AssertionError("unreachable")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interpretation:
    """What an event means to us, decided before anything is written."""

    state: str
    reason: str = ""
    sendings: tuple[Sending, ...] = ()

    def record(self, row: InboxEvent, *, look_first: bool = True) -> list[Recorded]:
        """Record what is to be sent, in the inbox row's transaction."""
        return [
            record(dataclasses.replace(sending, event_id=row.pk), look_first=look_first) for sending in self.sendings
        ]


def interpret(view: WebhookView, event: ProviderEvent, account: str) -> Interpretation:
    """Look the type up in the plugin's table and build the payloads. Touches no database."""
    entry = view.signals.get(event.event_type)
    if entry is None:
        return Interpretation(state=State.IGNORED, reason="No signal for this type.")
    meanings = entry if isinstance(entry, list) else [entry]
    sendings: list[Sending] = []
    ignored = ""
    try:
        for signal, build in meanings:
            try:
                built = build(event, account)
            except EventIgnored as why:
                ignored = ignored or str(why)
                continue
            values = [built] if isinstance(built, Mapping) else built
            sendings += [signal.prepare(type(view), each) for each in values]
    except (EventNotUnderstood, InvalidPayload) as why:
        _fail(why)
        return Interpretation(state=State.FAILED, reason=str(why)[:255])
    except Exception as error:  # the builder met what it was not written for; the event must not be lost for that
        logger.error(
            "A payload could not be built.",
            extra={"event_type": event.event_type, "error_class": type(error).__name__, "where": where(error)},
        )
        _fail(error)
        return Interpretation(state=State.FAILED, reason=f"Building the payload raised {type(error).__name__}.")
    if not sendings:
        return Interpretation(state=State.IGNORED, reason=(ignored or "It tells of nothing new.")[:255])
    return Interpretation(state=State.SENT, sendings=tuple(sendings))


def _fail(error: Exception) -> None:
    """Nothing is raised, for the event is kept; yet whoever looks at the trace shall see it."""
    step = current_span()
    if step is not None:
        step.fail(error)


def error_response(code: str, message: str, *, status: int) -> JsonResponse:
    """The one shape of an error."""
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)


def _logged(response: HttpResponse) -> HttpResponse:
    """Tell Django that this answer has its log line: it would write a second one for a 4xx or 5xx."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _body_of(request: HttpRequest) -> bytes:
    """The raw body. Its announced length is checked before a byte is read."""
    too_large = WebhookRefused("body_too_large", f"The body is over {MAX_BODY_BYTES} bytes.", status=413)
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise WebhookRefused("content_length_invalid", "Content-Length is no number.") from None
    if announced > MAX_BODY_BYTES:
        raise too_large
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        # Django would read nothing of it.
        raise WebhookRefused("length_required", "Send the body with Content-Length, not in chunks.", status=411)
    try:
        return request.body
    except UnreadablePostError:
        raise WebhookRefused("body_incomplete", "The body ended before its announced length.") from None


def _row(
    view: WebhookView, event: ProviderEvent, body: bytes, account: str, trace_id: str, outcome: Interpretation
) -> InboxEvent:
    return InboxEvent(
        provider=view.provider,
        account=account,
        event_id=event.event_id,
        event_type=event.event_type[:128],
        state=outcome.state,
        reason=outcome.reason,
        raw_body=body,
        trace_id=trace_id,
    )


def _is_kept(view: WebhookView, event: ProviderEvent, account: str) -> bool:
    return InboxEvent.objects.filter(provider=view.provider, account=account, event_id=event.event_id).exists()
