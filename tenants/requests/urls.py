from django.urls import path

from tenants.requests import asking, views

urlpatterns = [
    path("join/", asking.join, name="join"),
    path("t/<slug:tenant>/p/<slug:project>/ask/", asking.ask, name="ask_access"),
    path("requests/", views.page, name="requests"),
    path("requests/count/", views.count, name="requests_count"),
    path("requests/<uuid:request_id>/", views.one, name="request"),
    path("requests/<uuid:request_id>/decide/", views.decide, name="request_decide"),
    path("requests/<uuid:request_id>/withdraw/", views.withdraw, name="request_withdraw"),
]
