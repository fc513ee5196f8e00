"""Sockets: people from our own pages and programs with a token, then one of few."""

from channels.routing import URLRouter

from console.urls import websocket_urlpatterns
from console.visitors import FromOurPages

sockets = FromOurPages(URLRouter(websocket_urlpatterns))
