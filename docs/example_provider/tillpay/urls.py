from django.urls import path

from .webhooks import TillpayWebhookView

app_name = "tillpay"
urlpatterns = [path("webhook/", TillpayWebhookView.as_view(), name="webhook")]
