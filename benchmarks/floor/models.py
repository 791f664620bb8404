from django.db import models


class Event(models.Model):
    event_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=128)
    body = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.event_id


class Delivery(models.Model):
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    receiver = models.CharField(max_length=255)
    state = models.CharField(max_length=16, default="pending")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.receiver
