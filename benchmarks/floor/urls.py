from django.urls import path

from . import views

urlpatterns = [
    path("", views.empty),
    path("stripe/webhook/", views.webhook),
    path("stripe/webhook/<int:receivers>/", views.webhook),
]
