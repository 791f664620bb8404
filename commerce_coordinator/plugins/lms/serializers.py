"""What the LMS and other services send, and what they are answered."""

from typing import Any

from rest_framework import serializers

#: Names and lengths as the LMS has them (auth_user.username, its course keys and its enrolment modes).
_USERNAME = {"regex": r"^[^\s,/]+$", "max_length": 255, "help_text": "The learner's user name on the LMS."}
_COURSE = {"regex": r"^\S+$", "max_length": 255, "help_text": "The course run's key."}
#: One letter or digit at least: "." and ".." would lead to other pages.
_ORDER = {"regex": r"^\S*[0-9A-Za-z]\S*$", "max_length": 128}

ORDER = "order"
ORDER_NUMBER = "order_number"
LINE_ITEM_ID = "line_item_id"


class PaymentPageQuery(serializers.Serializer):
    """For the OpenAPI document: all of the query goes on to the storefront, whatever is in it."""

    sku = serializers.ListField(child=serializers.CharField(), required=False, help_text="May be repeated.")
    course_run_key = serializers.CharField(required=False, allow_blank=True)
    bundle = serializers.CharField(required=False, allow_blank=True)


class OrderQuery(serializers.Serializer):
    order_number = serializers.RegexField(**_ORDER)


class EnrollmentAttributeSerializer(serializers.Serializer):
    """One of the enrolment's attributes, as the LMS keeps them. Those of other namespaces are passed over."""

    namespace = serializers.CharField(max_length=255)
    name = serializers.CharField(max_length=255)
    value = serializers.CharField(max_length=255, allow_blank=True)


class EnrollmentRefundSerializer(serializers.Serializer):
    """The learner gives an enrolment back. `order:line_item_id` names the line of the order that it came from."""

    course_id = serializers.RegexField(**_COURSE)
    username = serializers.RegexField(**_USERNAME)
    enrollment_attributes = EnrollmentAttributeSerializer(many=True, allow_empty=False)

    def validate_enrollment_attributes(self, given: list[dict[str, str]]) -> list[dict[str, str]]:
        line_of(given)
        return given

    def question(self) -> dict[str, Any]:
        """What of it the filter is asked with."""
        order_number, line_number = line_of(self.validated_data["enrollment_attributes"])
        return {"order_number": order_number, "line_number": line_number, "entitlement_uuid": ""}


class EntitlementRefundSerializer(serializers.Serializer):
    """The learner gives an entitlement back. Which line of the order it came from is not told."""

    entitlement_uuid = serializers.UUIDField()
    username = serializers.RegexField(**_USERNAME)
    order_number = serializers.RegexField(**_ORDER)

    def question(self) -> dict[str, Any]:
        found = self.validated_data
        return {
            "order_number": found["order_number"],
            "line_number": None,
            "entitlement_uuid": str(found["entitlement_uuid"]),
        }


class RefundAnswerSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["requested", "requested_before", "already_refunded"])
    refund_request_id = serializers.CharField(help_text="The same for each call about this line of this order.")
    dispatch = serializers.UUIDField(allow_null=True, help_text="For an operator to find what came of it.")


class ServiceEnrollmentSerializer(serializers.Serializer):
    username = serializers.RegexField(**_USERNAME)
    course_id = serializers.RegexField(**_COURSE)
    mode = serializers.RegexField(r"^[a-z0-9-]+$", max_length=100, help_text="The enrolment mode, audit for one.")


class RetirementSerializer(serializers.Serializer):
    edx_lms_user_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


def line_of(attributes: list[dict[str, str]]) -> tuple[str, int]:
    """(order number, line number) by the attributes that we gave the enrolment. Raises ValidationError.

    Without its line nothing is refunded: the order's other lines would go back with it.
    """
    order_number, line_item_id = _only(attributes, ORDER_NUMBER), _only(attributes, LINE_ITEM_ID)
    number, dash, line = line_item_id.rpartition("-")
    if not (dash and number and line.isascii() and line.isdigit() and len(line) <= 9 and int(line)):
        raise serializers.ValidationError(
            f"{ORDER}:{LINE_ITEM_ID} must be <order number>-<line number>, as this service wrote it."
        )
    if number != order_number:
        raise serializers.ValidationError(f"{ORDER}:{LINE_ITEM_ID} is not of the order in {ORDER}:{ORDER_NUMBER}.")
    return number, int(line)


def _only(attributes: list[dict[str, str]], name: str) -> str:
    values = {each["value"] for each in attributes if (each["namespace"], each["name"]) == (ORDER, name)}
    if (
        len(values) != 1
        or not (value := values.pop())
        or len(value) > 128 + len("-999999999")
        or value.split() != [value]
    ):
        raise serializers.ValidationError(f"{ORDER}:{name} must be there, once and not empty.")
    return value
