from rest_framework import serializers

#: Columns of the legacy shop: Voucher.code and StockRecord.partner_sku of django-oscar.
LONGEST_CODE = 128
LONGEST_SKU = 128


class RedemptionSerializer(serializers.Serializer):
    """A wish to redeem a code. The code is as good as money: it is never answered."""

    sku = serializers.CharField(max_length=LONGEST_SKU)
    code = serializers.CharField(max_length=LONGEST_CODE, write_only=True)
