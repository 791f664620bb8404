from django.urls import path

from . import views

app_name = "lms"
urlpatterns = [
    path("payment_page_redirect/", views.PaymentPageRedirectView.as_view(), name="payment_page_redirect"),
    path(
        "order_details_page_redirect/", views.OrderDetailsPageRedirectView.as_view(), name="order_details_page_redirect"
    ),
    path("refund/", views.RefundView.as_view(), name="refund"),
    path("user_retirement/", views.UserRetirementView.as_view(), name="user_retirement"),
    path("enrollment/", views.EnrollmentView.as_view(), name="enrollment"),
]
