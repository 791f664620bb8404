"""What other programs, and our own workers where signals are confined to the web processes, may do."""

import dataclasses
import re
from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.deliveries import inline
from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.exceptions import InvalidPayload
from commerce_coordinator.core.rest.errors import envelope
from commerce_coordinator.core.rest.permissions import IsStaff
from commerce_coordinator.core.signals import catalogue, routes
from commerce_coordinator.core.signals.naming import named
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.telemetry.context import span
from commerce_coordinator.core.telemetry.recording import Kind

from .attempts import link_of
from .sending import record_sending
from .serializers import SendingSerializer, SentSerializer, SignalsSerializer, sent

IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")


class SignalsView(APIView):
    """The catalogue of signals: what each means and carries, who sends it, who gets it by the present map."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="list_signals",
        tags=["signals"],
        responses={
            200: OpenApiResponse(SignalsSerializer, description="All signals, sorted by name."),
            403: OpenApiResponse(description="For staff and services only."),
        },
    )
    def get(self, request: Request) -> Response:
        signal_map = routes.read()
        found = [dataclasses.asdict(each) for each in catalogue.entries(signal_map.routes)]
        return Response({"map": signal_map.hash, "signals": found})


class SendSignalView(APIView):
    """Sends a signal, as `send_robust` does."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="send_signal",
        tags=["signals"],
        request=SendingSerializer,
        parameters=[
            OpenApiParameter(
                "name",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                description="The signal's dotted path, or `plugin.signal` where that names one signal only.",
            ),
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                {"type": "string", "maxLength": 255},
                OpenApiParameter.HEADER,
                description="Calls of one account with one key and one signal are one sending.",
            ),
        ],
        responses={
            202: OpenApiResponse(SentSerializer, description="Recorded, now or by an earlier call."),
            400: OpenApiResponse(
                description="With the code invalid_payload it does not fit the contract; else a value is not valid."
            ),
            403: OpenApiResponse(description="For staff and services only, where CC_SIGNAL_ORIGINS has api."),
            404: OpenApiResponse(
                description="No signal has this name; or, with the code ambiguous_signal, several have."
            ),
            409: OpenApiResponse(description="The Idempotency-Key came before, with another payload."),
            503: OpenApiResponse(description="The database is away: nothing was recorded, call again."),
        },
    )
    def post(self, request: Request, name: str) -> Response:
        if Dispatch.Origin.API not in settings.CC_SIGNAL_ORIGINS:
            raise exceptions.PermissionDenied("Signals are not taken from the API here: CC_SIGNAL_ORIGINS lacks api.")
        signal = _signal(name)
        wish = SendingSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        payload = wish.validated_data["payload"]
        try:
            sending = signal.prepare(_sender(request, wish.validated_data["sender"]), payload, from_json=True)
        except InvalidPayload as invalid:
            return Response(envelope("invalid_payload", str(invalid), invalid.fields), status=400)
        key, link = _key(request), link_of(request)
        with span("api", Kind.INTERNAL, link.span_id, trace_id=link.trace_id, **link.ids):
            recorded = record_sending(sending, link=link, caller=request.user, key=key, payload=payload)
            inline.run(recorded)
        return Response(sent(recorded), status=status.HTTP_202_ACCEPTED)


class AmbiguousSignal(exceptions.NotFound):
    default_code = "ambiguous_signal"


def _signal(name: str) -> CoordinatorSignal:
    found = named(name)
    if not found:
        raise exceptions.NotFound("No signal has this name. `manage.py routes` lists them.")
    if len(found) > 1:
        raise AmbiguousSignal(f"This is short for {' and for '.join(each.name for each in found)}.")
    return found[0]


def _sender(request: Request, told: str) -> str:
    """Who sent it, for the trace: an account by its number, as a name is private."""
    return told or f"account:{request.user.pk}"


def _key(request: Request) -> str:
    key: Any = request.headers.get(IDEMPOTENCY_KEY, "")
    if key and not _KEY.fullmatch(key):
        raise exceptions.ValidationError({IDEMPOTENCY_KEY: ["1 to 255 characters of ASCII that can be seen."]})
    return str(key)
