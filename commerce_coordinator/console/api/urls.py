from django.urls import path

from .views import SendSignalView, SignalsView

app_name = "api"
urlpatterns = [
    path("signals/", SignalsView.as_view(), name="signals"),
    path("signals/<str:name>/send/", SendSignalView.as_view(), name="send_signal"),
]
