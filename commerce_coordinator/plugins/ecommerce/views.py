"""The learner's wish to redeem an enrolment code."""

import json
from typing import Any

from django.utils.crypto import salted_hmac
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.deliveries.acts import By
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.rest.answers import AcceptedSerializer
from commerce_coordinator.core.rest.permissions import IsLearner

from .serializers import RedemptionSerializer
from .signals import enrollment_code_redemption_requested


class RedeemEnrollmentCodeView(APIView):
    """Takes the wish; a worker redeems. The same learner, SKU and code is the same dispatch."""

    permission_classes = [IsLearner]

    @extend_schema(
        operation_id="redeem_enrollment_code",
        request=RedemptionSerializer,
        responses={
            202: AcceptedSerializer,
            400: OpenApiResponse(description="A value is missing or not valid; the answer names it."),
            401: OpenApiResponse(description="Nobody is logged in."),
            403: OpenApiResponse(description="A cookie's JWT came without a CSRF token."),
            429: OpenApiResponse(description="Called too often; Retry-After says how many seconds to wait."),
            503: OpenApiResponse(description="The database is away: nothing was taken."),
        },
    )
    def post(self, request: Request) -> Response:
        wish = RedemptionSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        user, sku, code = request.user, wish.validated_data["sku"], wish.validated_data["code"]
        key = redemption_key(user, sku, code)
        outcomes = enrollment_code_redemption_requested.send_robust(
            sender=type(self),
            sku=sku,
            code=code,
            lms_user_id=user.lms_user_id,
            username=user.username,
            redemption_key=key,
        )
        try_again([result for _, result in outcomes if isinstance(result, Delivery)])
        dispatch = Dispatch.objects.only("pk").get(signal=enrollment_code_redemption_requested.name, dedupe_key=key)
        return Response({"dispatch": str(dispatch.pk)}, status=status.HTTP_202_ACCEPTED)


def redemption_key(user: Any, sku: str, code: str) -> str:
    """The same for the same learner, SKU and code, and of no use to whoever reads it: a column that is not masked."""
    who = user.username if user.lms_user_id is None else user.lms_user_id
    return salted_hmac("redemption", json.dumps([who, sku, code.upper()]), algorithm="sha256").hexdigest()


def try_again(deliveries: list[Delivery]) -> None:
    """A learner who asks once more, after a code had not been good yet, replays what is dead."""
    for delivery in deliveries:
        if delivery.state == Delivery.State.DEAD:
            try:
                replay(delivery, by=By(why="The learner sent the code once more."))
            except NotReplayable:
                pass  # somebody else replayed it just now
