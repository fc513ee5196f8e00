from django.urls import path

from console.consumers import OperationFeed

websocket_urlpatterns = [
    path("ws/v1/operations/<uuid:operation_id>", OperationFeed.as_asgi()),
]
