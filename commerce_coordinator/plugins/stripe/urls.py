from django.urls import path

from .webhooks import StripeWebhookView

app_name = "stripe"
urlpatterns = [
    # Without the last slash too: a POST is not redirected, and a dashboard is easily filled in that way.
    path("webhook", StripeWebhookView.as_view()),
    path("webhook/<slug:account>", StripeWebhookView.as_view()),
    path("webhook/", StripeWebhookView.as_view(), name="webhook"),
    path("webhook/<slug:account>/", StripeWebhookView.as_view(), name="webhook_of_account"),
]
