from django.urls import path

from tenants.groups import views

GROUPS = "t/<slug:tenant>/members/groups/"

urlpatterns = [
    path(GROUPS, views.page, name="groups"),
    path(f"{GROUPS}<uuid:group>/", views.group, name="group"),
    path(f"{GROUPS}<uuid:group>/remove/", views.remove, name="group_remove"),
    path(f"{GROUPS}<uuid:group>/out/<uuid:person>/", views.take, name="group_take"),
]
