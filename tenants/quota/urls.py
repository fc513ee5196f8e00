from django.urls import path

from tenants.quota import views

QUOTA = "t/<slug:tenant>/quota/"

urlpatterns = [
    path("tenants/", views.tenants, name="tenants"),
    path(QUOTA, views.page, name="quota"),
    path(f"{QUOTA}ask/", views.ask_for_more, name="quota_ask"),
    path(f"{QUOTA}lend/", views.lend, name="quota_lend"),
    path(f"{QUOTA}limits/", views.limits, name="quota_limits"),
    path(f"{QUOTA}loans/<uuid:loan>/return/", views.give_back, name="quota_return"),
]
