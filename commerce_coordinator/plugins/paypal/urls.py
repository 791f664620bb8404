from django.urls import path

from .webhooks import PayPalWebhookView

app_name = "paypal"
urlpatterns = [
    # Without the last slash too: a POST is not redirected, and a dashboard is easily filled in that way.
    path("webhook", PayPalWebhookView.as_view()),
    path("webhook/<slug:account>", PayPalWebhookView.as_view()),
    path("webhook/", PayPalWebhookView.as_view(), name="webhook"),
    path("webhook/<slug:account>/", PayPalWebhookView.as_view(), name="webhook_of_account"),
]
