"""The demo's pages, and the stand-in LMS under the LMS's own paths."""

from django.urls import path, re_path

from . import traces, views
from .stand_in import control, enrollment, oauth

app_name = "demo_lms"

_demo = [
    path("test/", views.send_test, name="test"),
    path("test_celery_signal/", views.send_test_celery_signal, name="test_celery_signal"),
    path("demo_purchase_complete/", views.send_demo_purchase_complete, name="demo_purchase_complete"),
    path("trace/<str:reference>/", traces.show_trace, name="trace"),
]

# As on the LMS: without a slash at the end.
_lms = [
    path("oauth2/access_token", oauth.access_token, name="access_token"),
    path("api/enrollment/v1/enrollment", enrollment.enrollments, name="enrollments"),
    # A key holds no comma and a user name neither, nor does either hold a slash.
    re_path(
        r"^api/enrollment/v1/enrollment/(?P<username>[^,/]+),(?P<course_id>[^,/]+)$",
        enrollment.enrollment_of,
        name="enrollment_of",
    ),
]

_control = [
    path("faults/", control.faults, name="faults"),
    path("calls/", control.calls, name="calls"),
    path("enrollments/", control.enrollments, name="kept_enrollments"),
]

urlpatterns = [*_demo, *_lms, *_control]
