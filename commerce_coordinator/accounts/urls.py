"""Log-in and log-out. The namespace `social` is where the library looks for its way back."""

from django.urls import include, path

from . import views

_social = ([path("complete/<str:backend>/", views.complete, name="complete")], "social")

urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("", include(_social)),
]
