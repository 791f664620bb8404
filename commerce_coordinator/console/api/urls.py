from django.urls import path

from .views import SendSignalView

app_name = "api"
urlpatterns = [
    path("signals/<str:name>/send/", SendSignalView.as_view(), name="send_signal"),
]
