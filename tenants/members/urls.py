"""Addresses of the pages about people of a tenant and of a project."""

from django.urls import path

from tenants.custom import views as custom
from tenants.factors import member_views as factors
from tenants.members import extending, one_person, token_views, views

TENANT = "t/<slug:tenant>/members/"
PROJECT = "t/<slug:tenant>/p/<slug:project>/members/"

urlpatterns = [
    path(TENANT, views.page, name="members"),
    path(f"{TENANT}roles/", custom.roles, name="member_roles"),
    path(f"{TENANT}new-role/", custom.new, name="role_new"),
    path(f"{TENANT}roles/<slug:role>/", custom.one, name="role"),
    path(f"{TENANT}roles/<slug:role>/remove/", custom.remove, name="role_remove"),
    path(f"{TENANT}who-could/", views.who_could, name="who_could"),
    path(f"{TENANT}grants/<uuid:grant>/end/", views.end, name="grant_end"),
    path(f"{TENANT}grants/<uuid:grant>/extend/", extending.page, name="grant_extend"),
    path(f"{TENANT}tokens/", token_views.page, name="tenant_tokens"),
    path(f"{TENANT}tokens/<uuid:token>/", token_views.revoke, name="tenant_token_revoke"),
    path(f"{TENANT}<uuid:person>/", one_person.page, name="member"),
    path(f"{TENANT}<uuid:person>/remove/", one_person.remove, name="member_remove"),
    path(f"{TENANT}<uuid:person>/lost-factors/", factors.take, name="member_lost_factors"),
    path(PROJECT, views.page, name="project_members"),
    path(f"{PROJECT}<uuid:person>/", one_person.page, name="project_member"),
    path(f"{PROJECT}<uuid:person>/remove/", one_person.remove, name="project_member_remove"),
]
