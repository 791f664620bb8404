"""A stand-in of Stripe: a buyer pays, money goes back, the webhook tells. Of its API only what this service calls.

Rules: a refund is of what is left at most; the first answer to an idempotency key is given again; one whole event for
each refund, with the refund in it.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import StorefrontOrder
from ..purchase import payment_intent_succeeded, signed
from . import kept, webhooks

PROVIDER = "stripe"
WEBHOOK = "/stripe/webhook/"
RECEIPT = "/demo_lms/stripe/receipts/{}/"
ACCOUNT = ""


class NoSecret(Exception):
    """The webhook's signing secret is not set."""


def pay(order: StorefrontOrder, request: HttpRequest) -> dict[str, Any]:
    """The buyer pays at once. Returns the event's id and how the webhook was answered. Raises NoSecret."""
    event = payment_intent_succeeded(
        order.order_number,
        username=order.username,
        lms_user_id=order.lms_user_id,
        courses=order.courses,
        mode=order.mode,
    )
    intent = event["data"]["object"]
    body, headers = signed(event, _secret())
    charge = {
        "id": f"ch_{secrets.token_hex(12)}",
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount_received"],
        "amount_refunded": 0,
        "currency": intent["currency"],
        "disputed": False,
        "payment_intent": intent["id"],
        "receipt_url": request.build_absolute_uri(RECEIPT.format(intent["id"])),
    }
    kept.keep(
        PROVIDER, intent["id"], order.order_number, {"intent": {**intent, "latest_charge": charge}, "refunds": []}
    )
    status, took = webhooks.tell(request.build_absolute_uri(WEBHOOK), body, headers)
    return {"event": event["id"], "webhook": status, "ms": round(took)}


def _secret() -> str:
    secrets_of_account = settings.CC_STRIPE_SECRETS.get(ACCOUNT)
    if not secrets_of_account:
        raise NoSecret(f'CC_STRIPE_SECRETS has no secret for the account "{ACCOUNT}".')
    return str(secrets_of_account[0])


# --- The API ---


@never_cache
@csrf_exempt
def api(request: HttpRequest, path: str) -> JsonResponse:
    """Everything below /v1/."""
    if request.headers.get("Authorization", "") not in {
        f"Bearer {key}" for key in settings.CC_STRIPE_API_KEYS.values()
    }:
        return _error(401, "The API key is none of CC_STRIPE_API_KEYS.")
    match [str(request.method), *path.strip("/").split("/")]:
        case ["GET", "payment_intents", payment_id]:
            found = kept.read(PROVIDER, payment_id)
            return JsonResponse(found["intent"]) if found else _error(404, "No such PaymentIntent.", "resource_missing")
        case ["POST", "refunds"]:
            return _refund(request)
        case ["GET", "refunds"]:
            found = kept.read(PROVIDER, request.GET.get("payment_intent", ""))
            return _list(request, found["refunds"][::-1] if found else [])
        case ["GET", "disputes"] | ["GET", "checkout", "sessions"]:
            return _list(request, [])
    return _error(404, "The stand-in knows no such call.")


@never_cache
def receipt(request: HttpRequest, payment_id: str) -> JsonResponse:
    """The page that a learner is sent to."""
    found = kept.read(PROVIDER, payment_id)
    if found is None:
        return _error(404, "No such payment.")
    charge = found["intent"]["latest_charge"]
    shown = {name: charge[name] for name in ("amount", "amount_refunded", "currency")}
    return JsonResponse({"receipt": payment_id, **shown}, json_dumps_params={"indent": 2})


def _refund(request: HttpRequest) -> JsonResponse:
    form, key = request.POST, request.headers.get("Idempotency-Key", "")
    with kept.changing(PROVIDER, form.get("payment_intent", "")) as payment:
        if payment is None:
            return _error(404, "No such PaymentIntent.", "resource_missing")
        before = next((each for each in payment["refunds"] if key and each["idempotency_key"] == key), None)
        if before is not None:
            return JsonResponse(_shown(before), headers={"Idempotent-Replayed": "true"})
        charge = payment["intent"]["latest_charge"]
        left = charge["amount_captured"] - charge["amount_refunded"]
        written = form.get("amount", str(left))
        if not (written.isascii() and written.isdigit()) or int(written) > left:
            return _error(400, "The amount is more than is left, or no whole number.")
        if left == 0:
            return _error(400, "The charge was refunded before.", "charge_already_refunded")
        refund = _new_refund(charge, int(written), form, key)
        charge["amount_refunded"] += refund["amount"]
        payment["refunds"].append(refund)
    event = {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": "2024-10-28.acacia",
        "created": int(time.time()),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "refund.created",
        "data": {"object": _shown(refund)},
    }
    webhooks.tell_or_log(request.build_absolute_uri(WEBHOOK), *signed(event, _secret()))
    return JsonResponse(_shown(refund))


def _new_refund(charge: Mapping[str, Any], amount: int, form: Mapping[str, str], key: str) -> dict[str, Any]:
    metadata = {name[len("metadata[") : -1]: value for name, value in form.items() if name.startswith("metadata[")}
    return {
        "id": f"re_{secrets.token_hex(12)}",
        "object": "refund",
        "amount": amount,
        "currency": charge["currency"],
        "charge": charge["id"],
        "payment_intent": charge["payment_intent"],
        "created": int(time.time()),
        "status": "succeeded",
        "metadata": metadata,
        "idempotency_key": key,
    }


def _shown(refund: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in refund.items() if name != "idempotency_key"}


def _list(request: HttpRequest, rows: list[dict[str, Any]]) -> JsonResponse:
    """All on one page: no payment of the demo has hundreds of refunds."""
    return JsonResponse(
        {"object": "list", "url": request.path, "data": [_shown(row) for row in rows], "has_more": False}
    )


def _error(status: int, message: str, code: str | None = None) -> JsonResponse:
    return JsonResponse({"error": {"type": "invalid_request_error", "code": code, "message": message}}, status=status)
