from django.urls import path

from images.keeping import views as keeping
from images.registry import views

urlpatterns = [
    path("registry/token", views.token, name="registry_token"),
    path("registry/events", views.events, name="registry_events"),
    path("registry/gate", keeping.ask, name="registry_gate"),
]
