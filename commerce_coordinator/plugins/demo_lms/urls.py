"""The demo's pages, the stand-in LMS under the LMS's own paths, and the stand-ins of the providers under theirs."""

from django.urls import path, re_path

from . import storefront, traces, views
from .providers import control as providers_control
from .providers import paypal, stripe
from .stand_in import accounts, authorize, control, enrollment, entitlements, oauth

app_name = "demo_lms"

_demo = [
    path("test/", views.send_test, name="test"),
    path("test_celery_signal/", views.send_test_celery_signal, name="test_celery_signal"),
    path("demo_purchase_complete/", views.send_demo_purchase_complete, name="demo_purchase_complete"),
    path("demo_get_sample_data/", views.get_sample_data, name="demo_get_sample_data"),
    path("storefront/", storefront.door, name="storefront"),
    path("trace/<str:reference>/", traces.show_trace, name="trace"),
    path("traces/<str:reference>/", traces.show_traces, name="traces"),
]

# As on the LMS: without a slash at the end.
_lms = [
    path("oauth2/authorize", authorize.authorize, name="authorize"),
    path("logout", authorize.logout, name="logout"),
    path("oauth2/access_token", oauth.access_token, name="access_token"),
    path("api/enrollment/v1/enrollment", enrollment.enrollments, name="enrollments"),
    # A key holds no comma and a user name neither, nor does either hold a slash.
    re_path(
        r"^api/enrollment/v1/enrollment/(?P<username>[^,/]+),(?P<course_id>[^,/]+)$",
        enrollment.enrollment_of,
        name="enrollment_of",
    ),
    # These two end in a slash there, too.
    path("api/entitlements/v1/entitlements/", entitlements.entitlements, name="entitlements"),
    re_path(
        r"^api/entitlements/v1/entitlements/(?P<key>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/$",
        entitlements.entitlement_of,
        name="entitlement_of",
    ),
    path("api/user/v1/accounts/<str:username>/deactivate/", accounts.deactivate, name="deactivate"),
]

_control = [
    path("learner_token/", authorize.learner_token, name="learner_token"),
    path("faults/", control.faults, name="faults"),
    path("mended/", control.mended, name="mended"),
    path("calls/", control.calls, name="calls"),
    path("enrollments/", control.enrollments, name="kept_enrollments"),
    path("entitlements/", control.entitlements, name="kept_entitlements"),
    path("accounts/", control.accounts, name="deactivated_accounts"),
]

_providers = [
    path("stripe/v1/<path:path>", stripe.api, name="stripe_api"),
    path("stripe/receipts/<str:payment_id>/", stripe.receipt, name="stripe_receipt"),
    path("paypal/<path:path>", paypal.api, name="paypal_api"),
    path("payments/<str:order_number>/", providers_control.payments, name="kept_payments"),
]

urlpatterns = [*_demo, *_lms, *_control, *_providers]
