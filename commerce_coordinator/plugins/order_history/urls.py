from django.urls import path

from .views import OrderHistoryView, OrderReceiptView

app_name = "order_history"
urlpatterns = [
    path("order_history/", OrderHistoryView.as_view(), name="order_history"),
    path("order_receipt/", OrderReceiptView.as_view(), name="order_receipt"),
]
