"""CPU milliseconds per call of each REST endpoint on the web side, with JWTs as the LMS signs them."""

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import requests

from commerce_coordinator.settings.local_keys import signing_key

from .rig import AUDIENCE, ISSUER, Cost, Site, cost, figures_of, our_site

_FILTER = "org.edx.coordinator"
FILTERS = {
    f"{_FILTER}.lms.payment_page_redirect.requested.v1": "Address",
    f"{_FILTER}.lms.order_details_page_redirect.requested.v1": "Address",
    f"{_FILTER}.lms.refund_eligibility.requested.v1": "Eligible",
    f"{_FILTER}.order_history.order_history.requested.v1": "SixtyOrders",
    f"{_FILTER}.order_history.order_receipt.requested.v1": "Address",
}

Body = dict[str, Any] | None

_orders = itertools.count()


def _order() -> str:
    return f"EDX-{next(_orders)}"


def _attributes(order_number: str) -> list[dict[str, str]]:
    values = {"order_number": order_number, "line_item_id": f"{order_number}-1"}
    return [{"namespace": "order", "name": name, "value": value} for name, value in values.items()]


#: Method, path, who calls, and the body of one call.
ENDPOINTS: list[tuple[str, str, str, Callable[[], Body]]] = [
    ("GET", "/lms/payment_page_redirect/?sku=A&sku=B", "learner", lambda: None),
    ("GET", "/lms/order_details_page_redirect/?order_number=EDX-1", "staff", lambda: None),
    (
        "POST",
        "/lms/refund/",
        "staff",
        lambda: {
            "course_id": "course-v1:DemoX+Baking+2026",
            "username": "learner",
            "enrollment_attributes": _attributes(_order()),
        },
    ),
    ("POST", "/lms/user_retirement/", "staff", lambda: {"edx_lms_user_id": 10**6 + next(_orders)}),
    (
        "POST",
        "/lms/enrollment/",
        "staff",
        lambda: {"username": f"u{next(_orders)}", "course_id": "course-v1:DemoX+Baking+2026", "mode": "verified"},
    ),
    ("GET", "/orders/order_history/?page_size=20", "learner", lambda: None),
    ("GET", "/orders/order_receipt/?order_number=EDX-1", "learner", lambda: None),
    ("POST", "/ecommerce/redeem_enrollment_code/", "learner", lambda: {"sku": "A", "code": _order()}),
    (
        "POST",
        "/api/v1/signals/commerce_coordinator.plugins.lms.signals.account_deactivation_requested/send/",
        "staff",
        lambda: {"payload": {"username": f"u{next(_orders)}"}},
    ),
    # By an account that has its rights from a group, and over what the calls above have left.
    ("GET", "/api/v1/signals/", "staff", lambda: None),
    ("GET", "/api/v1/dispatches/?page_size=20", "staff", lambda: None),
    ("GET", "/api/v1/deliveries/?page_size=20", "staff", lambda: None),
    ("GET", "/api/v1/dead-letters/", "staff", lambda: None),
    ("POST", "/api/v1/dead-letters/replay/", "staff", lambda: {"filter": {}}),
]


@contextlib.contextmanager
def site(folder: Path) -> Iterator[tuple[Site, Callable[..., str]]]:
    """Our site with an LMS's public keys, and what signs a JWT for it."""
    key = signing_key(folder)
    filters = {
        name: {"fail_silently": False, "pipeline": [f"benchmarks.steps.{step}"]} for name, step in FILTERS.items()
    }
    # One learner makes all the calls: a throttle would soon answer them.
    with our_site(folder, filters=filters, CC_THROTTLE_USER="") as ours:
        yield ours, partial(_jwt, json.loads(key))


def measure(folder: Path, rounds: int, count: int) -> dict[str, Any]:
    """Rounds of `count` calls of each endpoint in turn; the kept session is one of a micro-frontend's server."""
    found: dict[str, list[Cost]] = {f"{method} {path.partition('?')[0]}": [] for method, path, _, _ in ENDPOINTS}
    with contextlib.ExitStack() as stack:
        ours, sign = stack.enter_context(site(folder))
        web = stack.enter_context(ours.web())
        session = stack.enter_context(requests.Session())
        headers = {who: {"Authorization": f"JWT {sign(who)}"} for who in ("learner", "staff")}
        session.get(f"{ours.url}/api/v1/signals/", headers=headers["staff"], timeout=20).raise_for_status()
        ours.command("grant", "staff", "replay")  # the call before has made the account
        for _ in range(rounds + 1):  # the first one warms
            for (method, path, who, body), costs in zip(ENDPOINTS, found.values(), strict=True):
                call = partial(_call, session, method, f"{ours.url}{path}", headers[who], body)
                costs.append(cost(web, call, count))
    return {name: figures_of(costs[1:]) for name, costs in found.items()}


def _call(session: requests.Session, method: str, url: str, headers: dict[str, str], body: Callable[[], Body]) -> None:
    """Raises RuntimeError for any answer that is not the endpoint's own."""
    answer = session.request(method, url, headers=headers, json=body(), timeout=20, allow_redirects=False)
    if answer.status_code >= 400:
        raise RuntimeError(f"{method} {url} was answered with {answer.status_code}: {answer.text[:300]}")


def _jwt(key: dict[str, Any], who: str) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 3600,
        "preferred_username": who,
        "user_id": {"learner": 1, "staff": 2}[who],
        "email": f"{who}@example.com",
        "administrator": who == "staff",
        "scopes": ["user_id"],
    }
    return jwt.encode(claims, jwt.PyJWK(key, algorithm="RS512").key, algorithm="RS512", headers={"kid": key["kid"]})
