"""What the LMS, its learners' browsers and other services call."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.rest.answers import AcceptedSerializer
from commerce_coordinator.core.rest.permissions import IsLearner, IsStaff

from .filters import OrderDetailsPageRedirectRequested, PaymentPageRedirectRequested
from .redirects import redirect_by
from .refunds import ask_for_refund
from .retirements import retire
from .serializers import (
    EnrollmentRefundSerializer,
    EntitlementRefundSerializer,
    OrderQuery,
    PaymentPageQuery,
    RefundAnswerSerializer,
    RetirementSerializer,
    ServiceEnrollmentSerializer,
)
from .service_enrollments import order_enrollment

TAGS = ["lms"]
TO_LOG_IN = OpenApiResponse(description="Nobody is logged in: to the log-in, and from there back.")
NOT_VALID = OpenApiResponse(description="A value is missing or not valid; the answer names it.")
NOBODY = OpenApiResponse(description="Nobody is logged in, or the token is not good.")
NOT_ALLOWED = OpenApiResponse(description="For staff and services only; never for a restricted application.")
TOO_OFTEN = OpenApiResponse(description="Called too often; Retry-After says how many seconds to wait.")
AWAY = OpenApiResponse(description="The database, or a source that the answer needs, is away: nothing was taken.")
LOCATION = OpenApiParameter("Location", OpenApiTypes.URI, OpenApiParameter.HEADER, response=[302, 303])
IDEMPOTENCY_KEY = "Idempotency-Key"
LONGEST_KEY = 255


class RedirectView(APIView):
    """For browsers: who is not logged in is sent to the log-in, and comes back."""

    def handle_exception(self, exc: Exception) -> Any:
        # A token that is wrong is a program's matter, and stays 401.
        if isinstance(exc, exceptions.NotAuthenticated) and self.request.method in {"GET", "HEAD"}:
            return redirect_to_login(self.request.get_full_path(), settings.LOGIN_URL)
        return super().handle_exception(exc)


@method_decorator(never_cache, name="dispatch")
class PaymentPageRedirectView(RedirectView):
    """To the storefront, with the query kept."""

    permission_classes = [IsLearner]

    @extend_schema(
        operation_id="lms_payment_page_redirect",
        tags=TAGS,
        parameters=[PaymentPageQuery, LOCATION],
        responses={
            302: TO_LOG_IN,
            303: OpenApiResponse(description="To the page where the learner pays."),
            401: OpenApiResponse(description="The token is not good."),
            403: OpenApiResponse(description="Never for a restricted application."),
            429: TOO_OFTEN,
            503: OpenApiResponse(description="Nobody knows at the moment where the page is."),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        query = request.query_params
        return redirect_by(
            PaymentPageRedirectRequested,
            query=query.urlencode(),
            skus=query.getlist("sku"),
            course_run_key=query.get("course_run_key", ""),
            bundle=query.get("bundle", ""),
            username=request.user.username,
            lms_user_id=request.user.lms_user_id,
        )


@method_decorator(never_cache, name="dispatch")
class OrderDetailsPageRedirectView(RedirectView):
    """To the page where people of the support see an order."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="lms_order_details_page_redirect",
        tags=TAGS,
        parameters=[OrderQuery, LOCATION],
        responses={
            302: TO_LOG_IN,
            303: OpenApiResponse(description="To the order's page."),
            400: OpenApiResponse(description="order_number is missing or not valid."),
            401: OpenApiResponse(description="The token is not good."),
            403: NOT_ALLOWED,
            429: TOO_OFTEN,
            503: OpenApiResponse(description="Nobody knows at the moment where the page is."),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        asked = OrderQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return redirect_by(OrderDetailsPageRedirectRequested, order_number=asked.validated_data["order_number"])


class RefundView(APIView):
    """Takes the LMS's wish that a learner's money goes back. It has taken the access away before it asks."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="lms_refund",
        tags=TAGS,
        request=PolymorphicProxySerializer(
            "LmsRefund", [EnrollmentRefundSerializer, EntitlementRefundSerializer], resource_type_field_name=None
        ),
        responses={
            200: OpenApiResponse(
                RefundAnswerSerializer, description="Asked for now, asked before, or refunded already."
            ),
            400: OpenApiResponse(
                description="A value is missing or not valid; or, with the code not_eligible, why it is not refunded."
            ),
            401: NOBODY,
            403: NOT_ALLOWED,
            404: OpenApiResponse(description="No order of ours has this number."),
            413: OpenApiResponse(description="The body is too large."),
            415: OpenApiResponse(description="The body is no JSON by its content type."),
            429: TOO_OFTEN,
            503: AWAY,
        },
    )
    def post(self, request: Request) -> Response:
        kind = EntitlementRefundSerializer if _has(request.data, "entitlement_uuid") else EnrollmentRefundSerializer
        wish = kind(data=request.data)
        wish.is_valid(raise_exception=True)
        return Response(ask_for_refund(type(self), username=wish.validated_data["username"], **wish.question()))


class EnrollmentView(APIView):
    """Takes a service's wish that a learner is enrolled. A worker enrols him."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="lms_enrollment",
        tags=TAGS,
        request=ServiceEnrollmentSerializer,
        parameters=[
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                {"type": "string", "maxLength": LONGEST_KEY},
                OpenApiParameter.HEADER,
                description="Calls of one service with one key are one wish.",
            )
        ],
        responses={
            202: AcceptedSerializer,
            400: NOT_VALID,
            401: NOBODY,
            403: NOT_ALLOWED,
            409: OpenApiResponse(description="The Idempotency-Key came before, with other values."),
            413: OpenApiResponse(description="The body is too large."),
            415: OpenApiResponse(description="The body is no JSON by its content type."),
            429: TOO_OFTEN,
            503: AWAY,
        },
    )
    def post(self, request: Request) -> Response:
        wish = ServiceEnrollmentSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        key = request.headers.get(IDEMPOTENCY_KEY, "").strip()
        if len(key) > LONGEST_KEY:
            raise exceptions.ValidationError({IDEMPOTENCY_KEY: [f"No more than {LONGEST_KEY} characters."]})
        dispatch = order_enrollment(type(self), service=request.user, key=key, **wish.validated_data)
        return Response({"dispatch": str(dispatch.pk)}, status=status.HTTP_202_ACCEPTED)


class UserRetirementView(APIView):
    """Erases a learner who retires. What takes longer than a request, the relay goes on with."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="lms_user_retirement",
        tags=TAGS,
        request=RetirementSerializer,
        responses={
            204: OpenApiResponse(description="He is erased, as far as he was known here; also when he was before."),
            400: NOT_VALID,
            401: NOBODY,
            403: NOT_ALLOWED,
            413: OpenApiResponse(description="The body is too large."),
            415: OpenApiResponse(description="The body is no JSON by its content type."),
            429: TOO_OFTEN,
            503: OpenApiResponse(description="The database is away: ask again. What was erased stays erased."),
        },
    )
    def post(self, request: Request) -> Response:
        wish = RetirementSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        retire(type(self), wish.validated_data["edx_lms_user_id"])
        return Response(status=status.HTTP_204_NO_CONTENT)


def _has(data: Any, name: str) -> bool:
    return isinstance(data, dict) and name in data
