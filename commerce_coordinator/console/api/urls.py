from django.urls import path

from . import reading, replaying
from .views import SendSignalView, SignalsView

app_name = "api"
urlpatterns = [
    path("signals/", SignalsView.as_view(), name="signals"),
    path("signals/<str:name>/send/", SendSignalView.as_view(), name="send_signal"),
    path("events/", reading.EventsView.as_view(), name="events"),
    path("events/<str:key>/", reading.EventView.as_view(), name="event"),
    path("events/<str:key>/replay/", replaying.ReplayEventView.as_view(), name="replay_event"),
    path("events/<str:key>/set-aside/", replaying.SetAsideEventView.as_view(), name="set_aside_event"),
    path("dispatches/", reading.DispatchesView.as_view(), name="dispatches"),
    path("dispatches/<str:key>/", reading.DispatchView.as_view(), name="dispatch"),
    path("dispatches/<str:key>/replay/", replaying.ReplayDispatchView.as_view(), name="replay_dispatch"),
    path("dispatches/<str:key>/set-aside/", replaying.SetAsideDispatchView.as_view(), name="set_aside_dispatch"),
    path("deliveries/", reading.DeliveriesView.as_view(), name="deliveries"),
    path("deliveries/<str:key>/", reading.DeliveryView.as_view(), name="delivery"),
    path("deliveries/<str:key>/replay/", replaying.ReplayDeliveryView.as_view(), name="replay_delivery"),
    path("deliveries/<str:key>/set-aside/", replaying.SetAsideDeliveryView.as_view(), name="set_aside_delivery"),
    path("dead-letters/", reading.DeadLettersView.as_view(), name="dead_letters"),
    path("dead-letters/replay/", replaying.ReplayFoundView.as_view(), name="replay_dead_letters"),
    path("traces/<str:reference>/", reading.TraceView.as_view(), name="trace"),
]
