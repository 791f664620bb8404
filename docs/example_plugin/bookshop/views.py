"""Who asks."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from .filters import ShippingPriceRequested


@require_GET
def shipping_price(request: HttpRequest, country: str) -> JsonResponse:
    price = ShippingPriceRequested.ask(country=country).get("price")
    if price is None:
        return JsonResponse({"error": {"code": "not_found", "message": "We do not ship there."}}, status=404)
    return JsonResponse(price.model_dump())
