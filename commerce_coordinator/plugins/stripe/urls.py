from django.urls import path

from .webhooks import StripeWebhookView

app_name = "stripe"
urlpatterns = [
    path("webhook/", StripeWebhookView.as_view(), name="webhook"),
    path("webhook/<slug:account>/", StripeWebhookView.as_view(), name="webhook_of_account"),
]
