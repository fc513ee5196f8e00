"""Addresses of the pages about people of a tenant and of a project."""

from django.urls import path

from tenants.factors import member_views as factors
from tenants.members import views

TENANT = "t/<slug:tenant>/members/"
PROJECT = "t/<slug:tenant>/p/<slug:project>/members/"

urlpatterns = [
    path(TENANT, views.page, name="members"),
    path(f"{TENANT}roles/", views.roles, name="member_roles"),
    path(f"{TENANT}who-could/", views.who_could, name="who_could"),
    path(f"{TENANT}grants/<uuid:grant>/end/", views.end, name="grant_end"),
    path(f"{TENANT}<uuid:person>/", views.member, name="member"),
    path(f"{TENANT}<uuid:person>/remove/", views.remove, name="member_remove"),
    path(f"{TENANT}<uuid:person>/lost-factors/", factors.take, name="member_lost_factors"),
    path(PROJECT, views.page, name="project_members"),
    path(f"{PROJECT}<uuid:person>/", views.member, name="project_member"),
    path(f"{PROJECT}<uuid:person>/remove/", views.remove, name="project_member_remove"),
]
