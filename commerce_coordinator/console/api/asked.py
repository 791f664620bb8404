"""What is asked of the acts, and what they answer, as the OpenAPI document tells it."""

from typing import Any

from rest_framework import serializers

from commerce_coordinator.core.deliveries.acts import LONGEST_WHY

#: Rows that one call replays at most: each takes a few statements and a message, and a call should end in seconds.
MOST_AT_ONCE = 500


class YesOrNo(serializers.BooleanField):
    """true or false of JSON: no text or number passes for one, where it decides whether something is done."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class _Asked(serializers.Serializer):
    why = serializers.CharField(
        max_length=LONGEST_WHY, required=False, allow_blank=True, default="", help_text="In your words; it is kept."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            known = f"There is no such field. There are: {', '.join(self.fields)}."
            raise serializers.ValidationError({name[:100]: [known] for name in unknown[:10]})
        return attrs


class ActAskedSerializer(_Asked):
    """An act on one row."""


class ReplayDeliveryAskedSerializer(_Asked):
    force = YesOrNo(
        required=False, default=False, help_text="Also one that succeeded: what it did is done a second time."
    )
    generation = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Only while the delivery is of this generation: then a call may be sent twice without harm.",
    )


class ReplayFoundAskedSerializer(_Asked):
    filter = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=1000),
        help_text="The filters of `GET dead-letters/` by name, as texts; {} for all.",
    )
    dry_run = YesOrNo(required=False, default=True, help_text="Only say what would be done.")
    limit = serializers.IntegerField(
        required=False, default=MOST_AT_ONCE, min_value=1, max_value=MOST_AT_ONCE, help_text="So many rows at most."
    )
    cursor = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="What is older than this key: `next` of an answer."
    )


class ActedSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="delivery, dispatch or event.")
    id = serializers.UUIDField()
    state = serializers.CharField(
        help_text="What it is now; an event may have failed again. A dispatch is routed or unrouted."
    )
    generation = serializers.IntegerField(allow_null=True, help_text="Of a delivery, after the act; else null.")
    message = serializers.CharField(help_text="What came of it, for people.")


class GroupSerializer(serializers.Serializer):
    kind = serializers.CharField()
    what = serializers.CharField(help_text="The receiver, the signal, or the provider and its event's type; short.")
    why = serializers.CharField(help_text="The error's class, or the reason.")
    count = serializers.IntegerField()


class OutcomeSerializer(serializers.Serializer):
    kind = serializers.CharField()
    id = serializers.UUIDField()
    outcome = serializers.CharField(help_text="would be replayed, replayed, or refused.")
    message = serializers.CharField(help_text="What would be or was done, or why not; for people.")


class ReplayedFoundSerializer(serializers.Serializer):
    dry_run = serializers.BooleanField()
    filter = serializers.DictField(
        child=serializers.CharField(),
        help_text="As it was understood, with `ended_by`: sent back, it leaves alone what has died since.",
    )
    groups = GroupSerializer(
        many=True, help_text="A dry run: all that match, up to 2,000. Else: those in `outcomes`. The largest first."
    )
    outcomes = OutcomeSerializer(many=True, help_text="One for each row that was looked at, oldest first.")
    next = serializers.UUIDField(allow_null=True, help_text="There are more: the `cursor` of the next call.")
