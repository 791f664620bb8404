"""A storefront's door and its till: it shows with what it was entered, and sells without asking for money.

A real storefront knows who its buyer is, and its provider tells us of the payment. This one is told the buyer in the
form and plays the provider, too: a signed `payment_intent.succeeded`, posted to this service's webhook over HTTP.
"""

from typing import Any

import requests
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from .purchase import COURSES, fresh_order_number, payment_intent_succeeded, signed

WEBHOOK = "/stripe/webhook/"

#: Seconds. The webhook answers in milliseconds.
TIMEOUT = 10


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest) -> JsonResponse:
    """GET shows the query, each name with all its values. POST buys `course_run_key` for `username`, `lms_user_id`."""
    return _sell(request) if request.method == "POST" else _json({"query": dict(request.GET.lists())})


def _sell(request: HttpRequest) -> JsonResponse:
    username, lms_user_id = request.POST.get("username", ""), request.POST.get("lms_user_id", "")
    wrong = [name for name in ("username", "lms_user_id") if not request.POST.get(name)]
    if wrong or not (lms_user_id.isascii() and lms_user_id.isdigit()):
        return _json({"error": "Give the form fields username and lms_user_id, a whole number."}, status=400)
    order_number = request.POST.get("order_number") or fresh_order_number()
    courses = [key for key in request.POST.getlist("course_run_key") if key] or COURSES[:1]
    event = payment_intent_succeeded(order_number, username=username, courses=courses)
    event["data"]["object"]["metadata"]["lms_user_id"] = lms_user_id
    secrets = settings.CC_STRIPE_SECRETS.get("")
    if not secrets:
        return _json({"error": 'CC_STRIPE_SECRETS has no secret for the account "".'}, status=503)
    body, headers = signed(event, secrets[0])
    try:
        answer = requests.post(request.build_absolute_uri(WEBHOOK), data=body, headers=headers, timeout=TIMEOUT)
    except requests.RequestException as error:
        return _json({"error": f"The webhook did not answer: {type(error).__name__}."}, status=503)
    return _json({"order_number": order_number, "webhook": answer.status_code}, status=201 if answer.ok else 502)


def _json(body: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse({"storefront": "demo", **body}, status=status, json_dumps_params={"indent": 2})
