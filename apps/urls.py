"""Addresses of the pages about projects, apps and deployments."""

from django.urls import path

from apps.views import deployment, overview

PROJECT = "t/<slug:tenant>/p/<slug:project>/"
APP = f"{PROJECT}apps/<slug:app>/"
DEPLOYMENT = f"{APP}deployments/<int:number>/"

urlpatterns = [
    path(PROJECT, overview.overview, name="project"),
    path(DEPLOYMENT, deployment.deployment, name="deployment"),
    path(f"{DEPLOYMENT}cancel/", deployment.cancel, name="deployment_cancel"),
    path(f"{DEPLOYMENT}rollback/", deployment.roll_back, name="deployment_rollback"),
]
