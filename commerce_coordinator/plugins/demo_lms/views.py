"""The demo's pages. Three send one signal each and answer what its receivers did; one asks a filter.

The shape of the three answers is the source document's: one flat object, `str(receiver)` -> "" or the traceback's
lines. `?verbose=1` gives dotted path -> response, error, delivery, trace id.
"""

import traceback
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from pydantic_core import to_jsonable_python

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.telemetry.context import span

from .filters import SampleDataRequested
from .signals import demo_purchase_complete, test_celery_signal, test_signal

ORDER_NUMBER = "EDX-12345"
USER_ID = 1313
PRODUCTS = ("SKU123", "SKU456", "SKU789")


@never_cache
@require_GET
def send_test(request: HttpRequest) -> JsonResponse:
    """Two receivers: one does well, one fails."""
    return _sent(request, test_signal, sender="Something")


@never_cache
@require_GET
def send_test_celery_signal(request: HttpRequest) -> JsonResponse:
    """One receiver, which starts a Celery task."""
    return _sent(request, test_celery_signal, sender="Something")


@never_cache
@require_GET
def send_demo_purchase_complete(request: HttpRequest) -> JsonResponse:
    """A purchase of three products, as a storefront would report it."""
    return _sent(
        request,
        demo_purchase_complete,
        sender=send_demo_purchase_complete,
        order_number=ORDER_NUMBER,
        user_id=USER_ID,
        products=list(PRODUCTS),
    )


@never_cache
@require_GET
def get_sample_data(request: HttpRequest) -> JsonResponse:
    """What the steps of a pipeline made of one question. Whatever a step raises is this request's failure."""
    answer = SampleDataRequested.ask(order_number=ORDER_NUMBER)
    return JsonResponse(to_jsonable_python(answer), json_dumps_params={"indent": 2})


def _sent(request: HttpRequest, signal: CoordinatorSignal, *, sender: Any, **values: Any) -> JsonResponse:
    # The span's trace is this request's alone: the rows of the sending are found again by it.
    with span("demo_lms.demo") as step:
        outcomes = signal.send_robust(sender=sender, **values)
    verbose = request.GET.get("verbose", "").lower() in {"1", "true", "yes"}
    shown = _verbose(signal, outcomes, step.trace_id) if verbose else _flat(outcomes)
    return JsonResponse(shown, json_dumps_params={"indent": 2})


def _flat(outcomes: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    return {str(receiver): _error(outcome) or "" for receiver, outcome in outcomes}


def _verbose(signal: CoordinatorSignal, outcomes: Sequence[tuple[Any, Any]], trace_id: str) -> dict[str, Any]:
    deliveries = Delivery.objects.filter(dispatch__trace_id=trace_id, dispatch__signal=signal.name)
    ids = {delivery.receiver: str(delivery.pk) for delivery in deliveries}
    # send_robust answers in the order of the routes.
    return {
        route.receiver: {
            "response": _response(outcome),
            "error": _error(outcome),
            "delivery": ids.get(route.receiver),
            "trace_id": trace_id,
        }
        for route, (_, outcome) in zip(signal.routes, outcomes, strict=True)
    }


def _error(outcome: Any) -> list[str] | None:
    """The traceback, line by line, of a receiver that raised."""
    if not isinstance(outcome, Exception):
        return None
    return "".join(traceback.format_exception(outcome)).splitlines()


def _response(outcome: Any) -> Any:
    """What an inline receiver returned, in JSON's types. A delivery task returns nothing yet: it is still to run."""
    if outcome is None or isinstance(outcome, Exception | Delivery):
        return None
    return outcome if isinstance(outcome, bool | int | float | str) else str(outcome)
