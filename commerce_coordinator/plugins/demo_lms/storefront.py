"""A storefront's door and its till: it shows with what it was entered, and sells without asking for money.

A real storefront knows who its buyer is. This one is told him in the form, keeps the order, and lets a stand-in of the
provider be paid, whose signed webhook comes to this service over HTTP.
"""

import re
from typing import Any

import requests
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .models import StorefrontOrder
from .providers import paypal, stripe
from .purchase import COURSES, fresh_order_number

_NAME = re.compile(r"[!-~]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)

TILLS = {"stripe": stripe.pay, "paypal": paypal.pay}


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest) -> JsonResponse:
    """GET shows the query, each name with all its values. POST buys `course_run_key` for `username`, `lms_user_id`; by
    Stripe, unless `provider` is paypal."""
    return _sell(request) if request.method == "POST" else _json({"query": dict(request.GET.lists())})


def _sell(request: HttpRequest) -> JsonResponse:
    username, lms_user_id = request.POST.get("username", ""), request.POST.get("lms_user_id", "")
    if not _NAME.fullmatch(username) or not _NUMBER.fullmatch(lms_user_id):
        return _json({"error": "Give the form fields username and lms_user_id, a whole number."}, status=400)
    order_number = request.POST.get("order_number") or fresh_order_number()
    if not _NAME.fullmatch(order_number):
        return _json({"error": "The form field order_number must be up to 128 characters without spaces."}, status=400)
    provider = request.POST.get("provider") or "stripe"
    if provider not in TILLS:
        return _json({"error": f"The form field provider must be one of {', '.join(TILLS)}."}, status=400)
    order, _ = StorefrontOrder.objects.update_or_create(
        order_number=order_number,
        defaults={
            "username": username,
            "lms_user_id": int(lms_user_id),
            "courses": [key for key in request.POST.getlist("course_run_key") if key] or list(COURSES[:1]),
        },
    )
    try:
        told = TILLS[provider](order, request)
    except (stripe.NoSecret, paypal.NoAccount) as error:
        return _json({"error": str(error)}, status=503)
    except requests.RequestException as error:
        return _json({"error": f"The webhook did not answer: {type(error).__name__}."}, status=503)
    return _json({"order_number": order.order_number, **told}, status=201 if told["webhook"] < 300 else 502)


def _json(body: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse({"storefront": "demo", **body}, status=status, json_dumps_params={"indent": 2})
