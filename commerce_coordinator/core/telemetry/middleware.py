"""A span around each request that is no webhook: those make their own, before any middleware."""

from collections.abc import Callable

from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .attributes import HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, URL_PATH, URL_SCHEME, method
from .context import Span, recorders, span
from .recording import Kind, safely

_FAILED = 500


class RequestSpanMiddleware:
    """What a page or a call sends is a step of it. Off, when nobody records."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not recorders():
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with span(method(request.method), Kind.SERVER) as step:
            response = self.get_response(request)
            describe(step, request, response.status_code)
            return response


def describe(step: Span, request: HttpRequest, status: int) -> None:
    """Attributes of a request that was answered. The path is that of the route: what fills it may be private."""
    if step.is_recorded:
        safely(_describe, step, request, status)


def _describe(step: Span, request: HttpRequest, status: int) -> None:
    name, match = method(request.method), request.resolver_match
    route = f"/{match.route.removeprefix('^').lstrip('/')}" if match else None
    step.rename(f"{name} {route}" if route else name)
    step.note(
        {
            HTTP_METHOD: name,
            HTTP_ROUTE: route,
            HTTP_STATUS: status,
            URL_PATH: route,
            URL_SCHEME: request.scheme,
        }
    )
    if status >= _FAILED:
        step.fail(str(status))
