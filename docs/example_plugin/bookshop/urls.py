from django.urls import path

from .webhooks import BookshopWebhookView

app_name = "bookshop"
urlpatterns = [path("webhook/", BookshopWebhookView.as_view(), name="webhook")]
