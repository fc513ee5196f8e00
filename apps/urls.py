"""Addresses of the pages about projects, apps and deployments."""

from django.urls import path

from apps.views import deployment, overview

PROJECT = "t/<slug:tenant>/p/<slug:project>/"
DEPLOYMENT = f"{PROJECT}apps/<slug:app>/deployments/<int:number>/"

urlpatterns = [
    path(PROJECT, overview.page, name="project"),
    path(f"{PROJECT}board/", overview.board, name="board"),
    path(DEPLOYMENT, deployment.page, name="deployment"),
    path(f"{DEPLOYMENT}live/", deployment.live, name="deployment_live"),
    path(f"{DEPLOYMENT}cancel/", deployment.cancel, name="deployment_cancel"),
    path(f"{DEPLOYMENT}rollback/", deployment.roll_back, name="deployment_rollback"),
]
