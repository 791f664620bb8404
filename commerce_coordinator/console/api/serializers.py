"""What is asked and answered, as the OpenAPI document tells it."""

from typing import Any

from rest_framework import serializers

from commerce_coordinator.core.deliveries.dispatch import Recorded


class SendingSerializer(serializers.Serializer):
    payload = serializers.DictField(help_text="The fields of the signal's contract; without one, any JSON object.")
    sender = serializers.CharField(
        max_length=255, required=False, allow_blank=True, default="", help_text="Who sends, shown in the trace."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(f"Only payload and sender belong here; {len(unknown)} other was given.")
        return attrs


class SignalReceiverSerializer(serializers.Serializer):
    receiver = serializers.CharField(help_text="Its dotted path.")
    kind = serializers.ChoiceField(choices=["inline", "task"])
    documentation = serializers.CharField(help_text="The first sentence of its docstring.")


class SignalSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="Its dotted path.")
    short = serializers.CharField()
    documentation = serializers.CharField()
    schema = serializers.DictField(
        allow_null=True, help_text="The JSON Schema of its contract; null: it carries any values."
    )
    subject = serializers.CharField(allow_null=True, help_text="The field that says what it is about.")
    person = serializers.CharField(allow_null=True, help_text="The field that says whom it is about.")
    unique_by = serializers.ListField(child=serializers.CharField(), help_text="The fields of its business key.")
    needs_receiver = serializers.BooleanField(help_text="False: news that nobody need hear.")
    senders = serializers.ListField(child=serializers.CharField(), help_text="Who declares to send it.")
    receivers = SignalReceiverSerializer(many=True)


class SignalsSerializer(serializers.Serializer):
    map = serializers.CharField(help_text="The hash of the map, as it stands at each dispatch.")
    signals = SignalSerializer(many=True)


class SentDeliverySerializer(serializers.Serializer):
    receiver = serializers.CharField()
    id = serializers.UUIDField()


class SentSerializer(serializers.Serializer):
    dispatch = serializers.UUIDField()
    new = serializers.BooleanField(help_text="False: the same was sent before, and this is the earlier dispatch.")
    deliveries = SentDeliverySerializer(many=True)
    trace_id = serializers.CharField(help_text="Empty where retention has removed the earlier dispatch.")


def sent(recorded: Recorded) -> dict[str, Any]:
    return {
        "dispatch": str(recorded.dispatch.pk),
        "new": recorded.new,
        "deliveries": [{"receiver": each.receiver, "id": str(each.pk)} for each in recorded.deliveries],
        "trace_id": recorded.dispatch.trace_id,
    }
