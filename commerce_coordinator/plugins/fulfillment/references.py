"""Stories by the payment id: which order it paid for is known for longer than the story of its capture is kept."""

from commerce_coordinator.core.references import Named, finds

from .models import Payment


@finds("payment id")
def by_payment(text: str) -> Named:
    return Named(subjects=Payment.objects.filter(payment_id=text).values_list("order_number", flat=True)[:100])
