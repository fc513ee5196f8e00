from django.urls import path

from tenants.requests import views

urlpatterns = [
    path("requests/", views.page, name="requests"),
    path("requests/<uuid:request_id>/", views.one, name="request"),
    path("requests/<uuid:request_id>/decide/", views.decide, name="request_decide"),
    path("requests/<uuid:request_id>/withdraw/", views.withdraw, name="request_withdraw"),
]
