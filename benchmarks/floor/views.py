import stripe
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .models import Delivery, Event
from .tasks import deliver


def empty(request):
    return HttpResponse("")


@csrf_exempt
@require_POST
def webhook(request, receivers=1):
    """Keep the event and one delivery per receiver; one task each on commit."""
    try:
        event = stripe.Webhook.construct_event(
            request.body, request.headers.get("Stripe-Signature", ""), settings.STRIPE_WEBHOOK_SECRET
        )
    except (ValueError, stripe.SignatureVerificationError):
        return JsonResponse({"error": "signature"}, status=400)
    try:
        with transaction.atomic():
            row = Event.objects.create(event_id=event.id, type=event.type, body=request.body.decode())
            for number in range(receivers):
                delivery = Delivery.objects.create(event=row, receiver=f"receiver_{number}")
                transaction.on_commit(lambda pk=delivery.pk: deliver.delay(pk))
    except IntegrityError:
        return JsonResponse({"status": "duplicate"})
    return JsonResponse({"status": "kept"})
