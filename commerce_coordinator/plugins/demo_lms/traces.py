"""A trace over HTTP, for the demo and the tests: only local and test settings have this plugin."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commerce_coordinator.core import trace
from commerce_coordinator.core.trace_text import as_dict


@never_cache
@require_safe
def show_trace(request: HttpRequest, reference: str) -> JsonResponse:
    """The newest trace that an event id, trace id or order number tells of; 404 if none does."""
    found = trace.find(reference)
    return JsonResponse(as_dict(found[-1])) if found else _not_found()


@never_cache
@require_safe
def show_traces(request: HttpRequest, reference: str) -> JsonResponse:
    """All traces that it tells of, oldest first: `{"traces": [...]}`. Of an order: its payment, its refunds."""
    found = trace.find(reference)
    return JsonResponse({"traces": [as_dict(each) for each in found]}) if found else _not_found()


def _not_found() -> JsonResponse:
    message = "Nothing is known of this event id, trace id or order number."
    return JsonResponse({"error": {"code": "not_found", "message": message}}, status=404)
