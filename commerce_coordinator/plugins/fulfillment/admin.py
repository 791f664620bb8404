"""Payments and refunds, to read. Private columns are left out for everybody: no refund needs them on a screen."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from .models import Payment, Refund

PRIVATE = ("username", "email")


class ReadOnly(admin.ModelAdmin):
    """Nobody edits the record, superusers neither."""

    exclude = PRIVATE
    ordering = ("-pk",)
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """None: `?email__startswith=a` would tell private values by yes and no."""
        return False


@admin.register(Payment)
class PaymentAdmin(ReadOnly):
    list_display = (
        "order_number",
        "provider",
        "account",
        "payment_id",
        "captured",
        "lms_user_id",
        "placed_at",
        "held_because",
        "refunded_at",
    )
    search_fields = ("=order_number", "=payment_id")
    search_help_text = "Order number or payment id, in full"

    @admin.display(description="captured")
    def captured(self, payment: Payment) -> str:
        return str(payment.money or "-")


@admin.register(Refund)
class RefundAdmin(ReadOnly):
    list_display = ("refund_id", "payment", "refunded", "refund_request_id", "whole", "attention", "refunded_at")
    list_select_related = ("payment",)
    search_fields = ("=refund_id", "=payment__order_number", "=payment__payment_id")
    search_help_text = "Refund id, order number or payment id, in full"

    @admin.display(description="refunded")
    def refunded(self, refund: Refund) -> str:
        return str(refund.money)
