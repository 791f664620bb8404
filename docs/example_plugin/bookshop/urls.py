from django.urls import path

from .views import shipping_price
from .webhooks import BookshopWebhookView

app_name = "bookshop"
urlpatterns = [
    path("webhook/", BookshopWebhookView.as_view(), name="webhook"),
    path("shipping/<str:country>/", shipping_price, name="shipping_price"),
]
