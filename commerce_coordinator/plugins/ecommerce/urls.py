from django.urls import path

from .views import RedeemEnrollmentCodeView

app_name = "ecommerce"
urlpatterns = [
    path("redeem_enrollment_code/", RedeemEnrollmentCodeView.as_view(), name="redeem_enrollment_code"),
]
