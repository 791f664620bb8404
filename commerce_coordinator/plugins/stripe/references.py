"""Stories by the payment id, from the moment that its capture is told of: no worker need have run."""

from django.conf import settings

from commerce_coordinator.core.references import Named, finds

from .signals import payment_captured


@finds("payment id")
def by_payment(text: str) -> Named:
    keys = [
        payment_captured.business_key({"provider": "stripe", "account": account, "payment_id": text})
        for account in settings.CC_STRIPE_SECRETS
    ]
    return Named(sendings=[(payment_captured.name, key) for key in keys if key])
