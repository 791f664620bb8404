"""What may be asked for, and what is answered, as the orders micro-frontend reads it."""

from datetime import UTC
from typing import Any

from rest_framework import serializers

from commerce_coordinator.payloads.history import HistoryOrder

LONGEST_NUMBER = 128

#: As the legacy shop's API writes instants: the micro-frontend was made for it.
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"


class PageQuery(serializers.Serializer):
    """For the OpenAPI document; what is right is core's to say (core/rest/pagination.py)."""

    page = serializers.IntegerField(min_value=1, required=False, help_text="Counts from 1.")
    page_size = serializers.IntegerField(min_value=1, required=False, help_text="20, if none is given; 100 at most.")


class BuyerQuery(serializers.Serializer):
    username = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=255,
        help_text="Staff may name any learner. A learner may name himself, exactly, or nobody.",
    )


class ReceiptQuery(serializers.Serializer):
    order_number = serializers.RegexField(r"^\S+$", max_length=LONGEST_NUMBER, trim_whitespace=False)


class LineSerializer(serializers.Serializer):
    title = serializers.CharField()
    quantity = serializers.IntegerField()
    description = serializers.CharField(allow_blank=True)


class OrderSerializer(serializers.Serializer):
    """The keys of the legacy shop's API that the micro-frontend reads, and no others."""

    number = serializers.CharField()
    currency = serializers.CharField(help_text="ISO 4217.")
    date_placed = serializers.DateTimeField(
        source="placed_at", format=_INSTANT, default_timezone=UTC, help_text="ISO 8601, in UTC."
    )
    total_excl_tax = serializers.SerializerMethodField(help_text="A decimal number with the currency's own places.")
    lines = LineSerializer(many=True)

    def get_total_excl_tax(self, order: HistoryOrder) -> str:
        return format(order.total.as_decimal(), "f")


class HistorySerializer(serializers.Serializer):
    """One page. `gaps` is empty when every source answered with everything."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = OrderSerializer(many=True)
    gaps = serializers.ListField(
        child=serializers.CharField(), help_text="Sources of orders that are away: their orders are missing here."
    )


def valid(query: type[serializers.Serializer], values: Any) -> dict[str, Any]:
    """What was asked for, typed. Raises ValidationError, answered 400 with the parameter's name."""
    serializer = query(data=values)
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found
