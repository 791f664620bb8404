"""The CSRF token for micro-frontends: what they send back as X-CSRFToken when they post with cookies."""

from typing import Any

from csrf.api.v1.views import CsrfTokenView
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response


class CsrfTokenSerializer(serializers.Serializer):
    csrfToken = serializers.CharField()  # noqa: N815 - the name that the micro-frontends' client reads


class TokenView(CsrfTokenView):
    """The view of edx-drf-extensions, described."""

    authentication_classes: list[Any] = []

    @extend_schema(operation_id="csrf_token", tags=["csrf"], auth=[], responses=CsrfTokenSerializer)
    def get(self, request: Request) -> Response:
        """A token for posting with cookies: send it as X-CSRFToken. The cookie that belongs to it comes along."""
        return super().get(request)
