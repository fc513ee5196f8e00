from django.urls import path

from console.consumers import operation_feed
from console.feed import feed
from console.log_stream import logs
from console.metric_stream import serve as metrics
from console.sockets import as_socket
from console.terminal_socket import serve
from console.views import page

urlpatterns = [
    path("t/<slug:tenant>/p/<slug:project>/apps/<slug:app>/console/", page, name="console"),
]
websocket_urlpatterns = [
    path("ws/v1/consoles/<uuid:console_id>", as_socket(serve)),
    path("ws/v1/logs", logs),
    path("ws/v1/metrics", as_socket(metrics)),
    path("ws/v1/feed", as_socket(feed)),
    path("ws/v1/operations/<uuid:operation_id>", as_socket(operation_feed)),
]
