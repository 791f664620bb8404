"""What tests and people ask of the stand-ins themselves."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..models import StandInPayment


@never_cache
@require_safe
def payments(request: HttpRequest, order_number: str) -> JsonResponse:
    """All payments of an order as their providers keep them, oldest first: `{"payments": [{provider, document}]}`."""
    rows = StandInPayment.objects.filter(order_number=order_number).order_by("pk")
    found = [{"provider": row.provider, "document": row.document} for row in rows]
    return JsonResponse({"payments": found}, json_dumps_params={"indent": 2})
