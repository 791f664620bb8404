"""What the orders micro-frontend calls: the learner's orders, and the way to one's receipt."""

import logging
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.http import Http404, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.rest.errors import Unavailable
from commerce_coordinator.core.rest.pagination import Pages
from commerce_coordinator.core.rest.permissions import IsLearner

from .filters import OrderReceiptRequested
from .history import Buyer, history_of
from .serializers import (
    BuyerQuery,
    HistorySerializer,
    OrderSerializer,
    PageQuery,
    ReceiptQuery,
    valid,
)

logger = logging.getLogger(__name__)

#: Longer ones are cut by browsers and proxies.
LONGEST_URL = 2000

TOO_OFTEN = OpenApiResponse(description="Called too often; Retry-After says how many seconds to wait.")


@method_decorator(never_cache, name="dispatch")
class OrderHistoryView(APIView):
    """A learner's own orders, whatever parameters he adds; staff may name a learner."""

    permission_classes = [IsLearner]

    @extend_schema(
        operation_id="order_history",
        parameters=[BuyerQuery, PageQuery],
        responses={
            200: HistorySerializer,
            400: OpenApiResponse(description="A parameter is not valid; the answer names it."),
            401: OpenApiResponse(description="Nobody is logged in."),
            403: OpenApiResponse(description="Another learner's orders were asked for."),
            404: OpenApiResponse(description="There is no such page."),
            429: TOO_OFTEN,
            503: OpenApiResponse(description="The database is away."),
        },
    )
    def get(self, request: Request) -> Response:
        buyer = whose(request)
        history = history_of(buyer)
        pages = Pages()
        page = pages.paginate_queryset(history.orders, request, view=self)
        return Response(
            {
                "count": len(history.orders),
                "next": pages.get_next_link(),
                "previous": pages.get_previous_link(),
                "results": OrderSerializer(page, many=True).data,
                "gaps": list(history.gaps),
            }
        )


@method_decorator(never_cache, name="dispatch")
class OrderReceiptView(APIView):
    """To the provider's receipt of one of the learner's own orders; staff may name any order."""

    permission_classes = [IsLearner]

    @extend_schema(
        operation_id="order_receipt",
        parameters=[
            ReceiptQuery,
            OpenApiParameter("Location", OpenApiTypes.URI, OpenApiParameter.HEADER, response=[303]),
        ],
        responses={
            303: OpenApiResponse(description="To the receipt, by https."),
            400: OpenApiResponse(description="order_number is missing or not valid."),
            401: OpenApiResponse(description="Nobody is logged in."),
            404: OpenApiResponse(description="No order of this learner has this number, or it has no receipt."),
            403: OpenApiResponse(description="This account is no learner's."),
            429: TOO_OFTEN,
            503: OpenApiResponse(description="A source of orders is away: try again."),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        number = valid(ReceiptQuery, request.query_params)["order_number"]
        buyer = Buyer(username="", lms_user_id=None) if request.user.is_staff else own(request.user)
        if not request.user.is_staff:
            demand_order_of(buyer, number)
        url = receipt_of(buyer, number)
        if url is None:
            raise Http404
        return HttpResponse(status=303, headers={"Location": url})


def own(user: Any) -> Buyer:
    """Raises PermissionDenied for an account of this service alone: a learner of the LMS may have the same name."""
    if user.lms_user_id is None and not user.is_staff:
        raise exceptions.PermissionDenied("This account is no learner's: the LMS's id of its user is not known.")
    return Buyer(username=user.username, lms_user_id=user.lms_user_id)


def whose(request: Request) -> Buyer:
    """Whose orders this request may see. Raises PermissionDenied when a learner names anybody but himself.

    Compared character by character. Every repetition of the parameter counts, and no other parameter does.
    """
    user = request.user
    named = {name for name in request.query_params.getlist("username") if name}
    if named <= {user.username}:
        return own(user)
    if not user.is_staff:
        raise exceptions.PermissionDenied("These are another learner's orders.")
    if len(named) > 1:
        raise exceptions.ValidationError({"username": ["Name one learner."]})
    return learner_named(valid(BuyerQuery, request.query_params)["username"])


def learner_named(username: str) -> Buyer:
    """The learner, with the LMS's id where this service has met him. One statement."""
    rows = get_user_model().objects.filter(username=username).values_list("username", "lms_user_id")
    # MySQL finds `amina` by `AMINA` too.
    ids = [lms_user_id for found, lms_user_id in rows if found == username]
    return Buyer(username=username, lms_user_id=ids[0] if ids else None)


def demand_order_of(buyer: Buyer, number: str) -> None:
    """Raises Http404 for an order that is not the buyer's, and Unavailable while nobody can tell.

    While a source is away the answer is the same for every number that no other source knows: so it does not tell
    which numbers there are.
    """
    history = history_of(buyer)
    if any(order.number == number for order in history.orders):
        return
    if history.gaps:
        raise Unavailable()
    raise Http404


def receipt_of(buyer: Buyer, number: str) -> str | None:
    """The address of the receipt; None when no step knows one. Raises Unavailable."""
    try:
        answer = OrderReceiptRequested.ask(order_number=number, username=buyer.username, lms_user_id=buyer.lms_user_id)
    except (Retry, GiveUp) as error:
        raise Unavailable() from error
    url = answer.get("receipt_url")
    if not url:
        return None
    if not is_safe(url):
        logger.error("A step answered with a receipt's address that is no https address.", extra={"order": number})
        raise Unavailable()
    return str(url)


def is_safe(url: Any) -> bool:
    """An https address of a host, without a password in it, in characters that a header may hold."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and "\\" not in url
    except ValueError:
        return False
