"""Answers that several endpoints give."""

from rest_framework import serializers


class AcceptedSerializer(serializers.Serializer):
    """Taken; a worker does it."""

    dispatch = serializers.UUIDField(help_text="The dispatch: an operator finds by it what came of the call.")
