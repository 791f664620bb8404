"""Rows as the API shows them, and as the OpenAPI document tells them.

The context of a serializer says whether the caller may see private values: {"private": True}. Without that they are
masked: raw bodies, the private fields of payloads, error texts, and an operator's own words.
"""

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from commerce_coordinator.console.acting import Row, kind_of
from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.ids import time_of
from commerce_coordinator.core.telemetry.masking import MASK
from commerce_coordinator.core.trace import MOST_DELIVERIES
from commerce_coordinator.core.trace_text import CALL_KEYS, STEP_KEYS

_PRIVATE = f'"{MASK}" for whoever may not see private values.'

TOO_DEEP = "(nested too deep to be shown)"


def printable(value: Any) -> Any:
    """The value as JSON that can be encoded: a stored one may hold half a surrogate pair."""
    try:
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", errors="replace").decode("utf-8")
        return json.loads(text)
    except RecursionError:
        return TOO_DEEP


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """What is told of it elsewhere too, and when it was."""
    return {key: call[key] for key in ("at", *(STEP_KEYS if "step" in call else CALL_KEYS)) if key in call}


class _Shown(serializers.Serializer):
    @property
    def private(self) -> bool:
        return bool(self.context.get("private"))

    def _text(self, text: str) -> str:
        """A private text."""
        return str(printable(text)) if self.private or not text else MASK


class ActSerializer(_Shown):
    kind = serializers.CharField(help_text="replayed, forced, or set aside.")
    who = serializers.CharField(help_text="User name, or the system's account for a command.")
    origin = serializers.CharField(help_text="web, command or api.")
    why = serializers.SerializerMethodField(help_text=f"In the operator's words. {_PRIVATE}")
    acted_at = serializers.DateTimeField()

    def get_why(self, row: Any) -> str:
        return self._text(row.why)


class EventSerializer(_Shown):
    id = serializers.UUIDField()
    provider = serializers.CharField()
    account = serializers.CharField(help_text="Which of our accounts at the provider; may be empty.")
    event_id = serializers.CharField(help_text="The provider's id.")
    event_type = serializers.CharField()
    state = serializers.CharField(help_text="sent, ignored or failed.")
    reason = serializers.CharField(help_text="Why it was ignored or failed; names no values.")
    trace_id = serializers.CharField()
    received_at = serializers.DateTimeField()
    body_kept = serializers.BooleanField(help_text="False once retention or a retirement has emptied it.")


class SentBecauseSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    signal = serializers.CharField()
    subject = serializers.CharField()


class EventInFullSerializer(EventSerializer):
    body = serializers.SerializerMethodField(help_text=f"The bytes as they came; null once emptied. {_PRIVATE}")
    dispatches = SentBecauseSerializer(many=True, source="shown_dispatches")
    acts = ActSerializer(many=True, source="shown_acts")

    @extend_schema_field({"type": "string", "nullable": True})
    def get_body(self, row: Any) -> str | None:
        if row.raw_body is None:
            return None
        return bytes(row.raw_body).decode("utf-8", errors="backslashreplace") if self.private else MASK


class DispatchSerializer(_Shown):
    id = serializers.UUIDField()
    signal = serializers.CharField(help_text="Its dotted path.")
    subject = serializers.CharField(help_text="What it is about: an order number, as a rule. May be empty.")
    person = serializers.CharField(help_text="Whom it is about: the LMS user id. May be empty.")
    origin = serializers.CharField(help_text="web, worker, command or api.")
    sender = serializers.CharField()
    unrouted = serializers.BooleanField(help_text="Nobody received it: a dead letter.")
    event = serializers.UUIDField(
        source="event_id", allow_null=True, help_text="The event that it was sent because of."
    )
    parent = serializers.UUIDField(source="parent_id", allow_null=True, help_text="The delivery that sent it.")
    trace_id = serializers.CharField()
    created_at = serializers.DateTimeField()


class DeliveryOfDispatchSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    receiver = serializers.CharField()
    state = serializers.CharField()
    error = serializers.CharField(source="error_class")


class DispatchInFullSerializer(DispatchSerializer):
    dedupe_key = serializers.CharField()
    map = serializers.CharField(source="map_hash", help_text="The hash of the map that it was routed by.")
    payload = serializers.SerializerMethodField(
        help_text=f"null when it was no JSON, or a retirement has emptied it. Private fields are {_PRIVATE}"
    )
    deliveries = DeliveryOfDispatchSerializer(many=True, source="shown_deliveries")
    acts = ActSerializer(many=True, source="shown_acts")

    @extend_schema_field(OpenApiTypes.ANY)
    def get_payload(self, row: Any) -> Any:
        try:
            return printable(row.payload if self.private else contracts.masked(row.signal, row.payload))
        except RecursionError:
            return TOO_DEEP


class DeliverySerializer(_Shown):
    id = serializers.UUIDField()
    receiver = serializers.CharField(help_text="Its dotted path.")
    kind = serializers.CharField(help_text="inline or task.")
    state = serializers.CharField(help_text="pending, running, succeeded, dead or cancelled.")
    generation = serializers.IntegerField(help_text="How often it was replayed.")
    tries = serializers.IntegerField(source="attempts", help_text="Attempts of this generation.")
    next_attempt_at = serializers.SerializerMethodField(help_text="null unless it is pending.")
    settled_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(source="error_class", help_text="The class of the last error; may be empty.")
    dispatch = serializers.UUIDField(source="dispatch_id")
    signal = serializers.CharField(source="dispatch.signal")
    subject = serializers.CharField(source="dispatch.subject")
    person = serializers.CharField(source="dispatch.person")
    trace_id = serializers.CharField(source="dispatch.trace_id")
    created_at = serializers.DateTimeField()

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_next_attempt_at(self, row: Any) -> Any:
        if row.state != Delivery.State.PENDING:
            return None
        return serializers.DateTimeField().to_representation(row.next_attempt_at)


class AttemptSerializer(_Shown):
    id = serializers.UUIDField()
    generation = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Counts from 1 within the generation.")
    outcome = serializers.CharField(help_text="succeeded, retry, dead or lost.")
    error = serializers.CharField(source="error_class")
    error_text = serializers.SerializerMethodField(help_text=_PRIVATE)
    worker = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    calls = serializers.SerializerMethodField(
        help_text="What it called outside, and the steps of filters that it asked: method, path, status, ms; step, ..."
    )

    def get_error_text(self, row: Any) -> str:
        return self._text(row.error_text)

    @extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {}}})
    def get_calls(self, row: Any) -> Any:
        kept = printable(row.calls)
        return [_call(call) for call in kept if isinstance(call, dict)] if isinstance(kept, list) else []


class DeliveryInFullSerializer(DeliverySerializer):
    error_text = serializers.SerializerMethodField(help_text=_PRIVATE)
    idempotency_key = serializers.CharField()
    worker = serializers.CharField(help_text="Which one runs it, or ran it last.")
    lease_until = serializers.DateTimeField(allow_null=True)
    attempts = AttemptSerializer(many=True, source="shown_attempts", help_text="The newest 100, in order.")
    acts = ActSerializer(many=True, source="shown_acts")

    def get_error_text(self, row: Any) -> str:
        return self._text(row.error_text)


class DeadLetterSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="delivery, event or dispatch.")
    id = serializers.UUIDField()
    at = serializers.DateTimeField(help_text="When it came in.")
    state = serializers.CharField(help_text="dead, failed or unrouted.")
    what = serializers.CharField(help_text="The receiver, the signal, or the provider and its event's type.")
    signal = serializers.CharField(allow_null=True, help_text="null for an event.")
    about = serializers.CharField(help_text="The subject of the signal, or the provider's event id.")
    why = serializers.CharField(help_text="The error's class, or the reason; names no values.")


def dead_letter(row: Row) -> dict[str, Any]:
    told: tuple[str, str, str | None, str, str]
    found: dict[str, Any] = {"kind": kind_of(row), "id": str(row.pk), "at": time_of(row.pk)}
    if isinstance(row, Delivery):
        dispatch = row.dispatch
        told = (row.state, row.receiver, dispatch.signal, dispatch.subject, row.error_class)
    elif isinstance(row, Dispatch):
        told = ("unrouted", row.signal, row.signal, row.subject, "The map routed it to nobody.")
    else:
        told = (row.state, f"{row.provider} {row.event_type}", None, row.event_id, row.reason)
    return {**found, **dict(zip(("state", "what", "signal", "about", "why"), told, strict=True))}


class TraceSerializer(serializers.Serializer):
    """One story, nested as it went."""

    event = serializers.DictField(allow_null=True, help_text="null when a signal was sent without one.")
    trace_id = serializers.CharField()
    settled = serializers.BooleanField(help_text="Nothing of it is in flight any more.")
    succeeded = serializers.BooleanField(help_text="It is settled, and every delivery succeeded.")
    cut = serializers.BooleanField(
        help_text=f"More than the {MOST_DELIVERIES:,} deliveries that a call reads: the rest is found by its own ids."
    )
    dispatches = serializers.ListField(
        child=serializers.DictField(),
        help_text="What was sent; in each its deliveries, in these their attempts, and what they sent, and so on.",
    )
