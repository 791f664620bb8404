"""What verifying a signature over an event of 2 KB costs: CPU milliseconds in one process, caches warm."""

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .rig import inside, median, our_site


def measure(folder: Path, rounds: int = 5, count: int = 300) -> dict[str, Any]:
    """{provider: {cpu, wall}}, milliseconds per verification, medians over as many processes."""
    place = folder / "verification"
    place.mkdir()
    with our_site(place) as site:
        found = [inside(site, "benchmarks.verification:verify", count=count) for _ in range(rounds)]
    return {
        provider: {clock: median([each[provider][clock] for each in found]) for clock in ("cpu", "wall")}
        for provider in found[0]
    }


def verify(count: int) -> dict[str, Any]:
    """Runs inside the site."""
    from .inside import each

    with tempfile.TemporaryDirectory() as folder:
        works = {"stripe": _stripe(), "paypal": _paypal(Path(folder))}
        for work in works.values():
            work(None)  # warm
        return {provider: each(work, range(count)) for provider, work in works.items()}


def _body() -> bytes:
    return json.dumps({"id": "evt_1", "type": "a.type", "filling": "x" * 2000}).encode()


def _stripe() -> Callable[[Any], None]:
    import stripe
    from django.conf import settings
    from django.test import RequestFactory

    from commerce_coordinator.plugins.stripe.webhooks import StripeWebhookView

    settings.CC_STRIPE_SECRETS = {"": ["whsec_benchmark"]}
    body = _body()
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), "whsec_benchmark")
    request = RequestFactory().post("/", headers={"Stripe-Signature": header})
    return lambda _: StripeWebhookView().verify(request, body, "")


def _paypal(folder: Path) -> Callable[[Any], None]:
    from django.conf import settings
    from django.test import RequestFactory

    from commerce_coordinator.plugins.paypal import certificates
    from commerce_coordinator.plugins.paypal.models import PayPalCertificate
    from commerce_coordinator.plugins.paypal.tests import paypal_events, pki
    from commerce_coordinator.plugins.paypal.webhooks import PayPalWebhookView

    now = datetime.now(UTC)
    leaf = pki.leaf(starts=now - timedelta(days=1), ends=now + timedelta(days=1))
    between = pki.certificate(
        "Test Intermediate",
        pki.key("root"),
        "Test Root",
        pki.key("intermediate").public_key(),
        is_ca=True,
        ends=now + timedelta(days=1),
    )
    settings.CC_PAYPAL = {"": paypal_events.ACCOUNTS[""]}
    settings.CC_PAYPAL_TRUSTED_ROOTS = str(pki.write_roots(folder))
    PayPalCertificate.objects.update_or_create(
        url=paypal_events.CERT_URL, defaults={"pem": pki.pem(leaf, between).decode()}
    )
    certificates.forget_all()
    body = _body()
    request = RequestFactory().post("/", headers=paypal_events.signed_headers(body))
    return lambda _: PayPalWebhookView().verify(request, body, "")
