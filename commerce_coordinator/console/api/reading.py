"""The record, read: lists by filters, single rows with what hangs on them, whole stories."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.console import dead_letters
from commerce_coordinator.console.admin.rights import sees_private
from commerce_coordinator.core import trace
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.rest import cursor
from commerce_coordinator.core.trace_text import as_dict

from . import filters, finding, shown
from .keys import PARAMETER, key_of, not_found
from .permissions import MayRead

#: Rows that hang on a single one; `GET deliveries/?...` and its like have the others.
MOST_LINKED = 100


def _list_of(name: str, fields: Sequence[filters.Field], shape: Any, text: str) -> Callable[[Any], Any]:
    """How a list is told of in the OpenAPI document."""
    page = inline_serializer(
        f"PageOf{shape.__name__.removesuffix('Serializer')}",
        {
            "next": serializers.URLField(allow_null=True, help_text="The page of older ones; null: there is none."),
            "results": shape(many=True),
        },
    )
    return extend_schema(
        operation_id=name,
        tags=["record"],
        description=text,
        parameters=[*filters.parameters(fields), *cursor.PARAMETERS],
        responses={
            200: OpenApiResponse(page, description="Newest first."),
            400: OpenApiResponse(description="A filter is wrong; `fields` says which, and what would be right."),
        },
    )


def _one_of(name: str, shape: Any, text: str) -> Callable[[Any], Any]:
    return extend_schema(
        operation_id=name,
        tags=["record"],
        description=text,
        parameters=[PARAMETER],
        responses={200: shape, 404: OpenApiResponse(description="There is none with this id.")},
    )


class _ListView(APIView):
    permission_classes = [MayRead]
    fields: ClassVar[Sequence[filters.Field]]
    shape: ClassVar[Any]
    find: ClassVar[Callable[..., finding.Found]]

    def list(self, request: Request) -> Response:
        wanted = filters.of_query(self.fields, request)
        rows, after = type(self).find(wanted, cursor.window(request))
        return Response(cursor.page(request, self.shape(rows, many=True).data, after))


class EventsView(_ListView):
    fields, shape, find = filters.EVENTS, shown.EventSerializer, staticmethod(finding.events)

    @_list_of("list_events", fields, shape, "What providers sent, newest first.")
    def get(self, request: Request) -> Response:
        return self.list(request)


class DispatchesView(_ListView):
    fields, shape, find = filters.DISPATCHES, shown.DispatchSerializer, staticmethod(finding.dispatches)

    @_list_of("list_dispatches", fields, shape, "Sendings of signals, newest first, without their payloads.")
    def get(self, request: Request) -> Response:
        return self.list(request)


class DeliveriesView(_ListView):
    fields, shape, find = filters.DELIVERIES, shown.DeliverySerializer, staticmethod(finding.deliveries)

    @_list_of("list_deliveries", fields, shape, "Deliveries of signals to receivers, newest first.")
    def get(self, request: Request) -> Response:
        return self.list(request)


class DeadLettersView(APIView):
    permission_classes = [MayRead]

    @_list_of(
        "list_dead_letters",
        filters.DEAD_LETTERS,
        shown.DeadLetterSerializer,
        "All that waits for somebody: dead deliveries, failed events and unrouted dispatches, newest first. "
        f"A filter by provider, receiver, signal or error looks at the newest {dead_letters.MOST_WALKED:,} of a kind.",
    )
    def get(self, request: Request) -> Response:
        wanted = dead_letters.Filter(**filters.of_query(filters.DEAD_LETTERS, request))
        window = cursor.window(request)
        rows = dead_letters.find(wanted, before=window.before, limit=window.size + 1)
        page = rows[: window.size]
        results = shown.DeadLetterSerializer([shown.dead_letter(row) for row in page], many=True).data
        return Response(cursor.page(request, results, page[-1].pk if len(rows) > window.size else None))


# --- Single rows ---


class EventView(APIView):
    permission_classes = [MayRead]

    @_one_of("get_event", shown.EventInFullSerializer, "An event, with what was sent because of it.")
    def get(self, request: Request, key: str) -> Response:
        row: Any = _row(InboxEvent, key)
        sent = Dispatch.objects.filter(event=row).only("signal", "subject")
        row.shown_dispatches = sent.order_by("pk")[:MOST_LINKED]
        return _in_full(shown.EventInFullSerializer, request, row, event=row)


class DispatchView(APIView):
    permission_classes = [MayRead]

    @_one_of("get_dispatch", shown.DispatchInFullSerializer, "A dispatch, with its payload and its deliveries.")
    def get(self, request: Request, key: str) -> Response:
        row: Any = _row(Dispatch, key)
        deliveries = Delivery.objects.filter(dispatch=row).only("receiver", "state", "error_class")
        row.shown_deliveries = deliveries.order_by("pk")[:MOST_LINKED]
        return _in_full(shown.DispatchInFullSerializer, request, row, dispatch=row)


class DeliveryView(APIView):
    permission_classes = [MayRead]

    @_one_of("get_delivery", shown.DeliveryInFullSerializer, "A delivery, with its attempts and what they called.")
    def get(self, request: Request, key: str) -> Response:
        row: Any = _row(Delivery, key)
        newest = Attempt.objects.filter(delivery=row).order_by("-generation", "-number")
        row.shown_attempts = newest[:MOST_LINKED][::-1]
        return _in_full(shown.DeliveryInFullSerializer, request, row, delivery=row)


def _row(model: Any, key: str) -> Any:
    row = model.objects.filter(pk=key_of(key)).first()
    if row is None:
        raise not_found(model)
    return row


def _in_full(shape: Any, request: Request, row: Any, **acts_on: Any) -> Response:
    row.shown_acts = OperatorAct.objects.filter(**acts_on).order_by("pk")[:MOST_LINKED]
    return Response(shape(row, context={"private": sees_private(request)}).data)


class TraceView(APIView):
    permission_classes = [MayRead]

    @extend_schema(
        operation_id="get_trace",
        tags=["record"],
        description="The stories that a reference tells of, oldest first; each nested as it went, from the event to "
        "the calls on the LMS. No private values are in it, whoever asks.",
        parameters=[
            OpenApiParameter(
                "reference",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                description="An event id, a trace id, an order number, or the id of any row.",
            )
        ],
        responses={
            200: shown.TraceSerializer(many=True),
            404: OpenApiResponse(description="Nothing in the record has this name."),
        },
    )
    def get(self, request: Request, reference: str) -> Response:
        # Not by names, whoever asks: an address stands in the logs of everything that it passes.
        found = trace.find(reference, private=False, deliveries=trace.MOST_DELIVERIES)
        if not found:
            raise exceptions.NotFound("No event, trace, order or row has this name, or retention has removed it.")
        return Response([shown.printable(as_dict(each)) for each in found])
