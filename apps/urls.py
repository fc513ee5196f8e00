"""Addresses of the pages about projects, apps and deployments."""

from django.urls import path

from apps.views import (
    activity,
    app,
    audit,
    clusters,
    deploy,
    deployment,
    home,
    lifecycle,
    logs,
    overview,
    project_tokens,
    projects,
    releases,
    timeline,
)

TENANT = "t/<slug:tenant>/"
PROJECT = f"{TENANT}p/<slug:project>/"
APP = f"{PROJECT}apps/<slug:app>/"
DEPLOYMENT = f"{APP}deployments/<int:number>/"

urlpatterns = [
    path("", home.page, name="home"),
    path(f"{TENANT}audit/", audit.page, name="audit"),
    path(f"{TENANT}audit/verify/", audit.verify, name="audit_verify"),
    path(f"{TENANT}audit/<int:seq>/", audit.entry, name="audit_entry"),
    path("clusters/", clusters.page, name="clusters"),
    path("clusters/<slug:cluster>/", clusters.one, name="cluster"),
    path(f"{TENANT}activity/", activity.of_tenant, name="tenant_activity"),
    path(f"{PROJECT}activity/", activity.of_project, name="activity"),
    path(APP, app.page, name="app"),
    path(f"{APP}delete/", app.delete, name="app_delete"),
    path(f"{APP}logs/", logs.page, name="logs"),
    path(f"{APP}releases/", releases.page, name="releases"),
    path(f"{APP}releases/<int:number>/", releases.one, name="release"),
    path(f"{APP}releases/<int:number>/serve/", releases.serve, name="release_serve"),
    path(f"{APP}rename/", app.rename, name="app_rename"),
    path(f"{APP}restart/", app.act, {"deed": "restart"}, name="app_restart"),
    path(f"{APP}scale/", app.scale, name="app_scale"),
    path(f"{APP}settings/", app.settings, name="app_settings"),
    path(f"{APP}start/", app.act, {"deed": "start"}, name="app_start"),
    path(f"{APP}stop/", app.act, {"deed": "stop"}, name="app_stop"),
    path(f"{APP}timeline/", timeline.timeline, name="timeline"),
    path(f"{APP}timeline/ends/<uuid:end>/", timeline.end, name="instance_end"),
    path(f"{APP}withdraw/", app.act, {"deed": "withdraw"}, name="app_withdraw"),
    path(PROJECT, overview.overview, name="project"),
    path(TENANT, projects.of_tenant, name="tenant"),
    path(f"{TENANT}projects/", projects.page, name="projects"),
    path(f"{TENANT}projects/new/", projects.new, name="project_new"),
    path(f"{PROJECT}settings/", projects.settings, name="project_settings"),
    path(f"{PROJECT}settings/environments/", projects.add_environment, name="environment_new"),
    path(f"{PROJECT}settings/environments/<slug:environment>/protect/", projects.protect, name="environment_protect"),
    path(
        f"{PROJECT}settings/environments/<slug:environment>/remove/",
        projects.remove_environment,
        name="environment_remove",
    ),
    path(f"{PROJECT}settings/tokens/", project_tokens.page, name="project_tokens"),
    path(f"{PROJECT}settings/tokens/<uuid:token>/revoke/", project_tokens.revoke, name="project_token_revoke"),
    path(f"{PROJECT}settings/robots/", project_tokens.add_robot, name="robot_new"),
    path(f"{PROJECT}settings/robots/<slug:robot>/remove/", project_tokens.remove_robot, name="robot_remove"),
    path(f"{PROJECT}settings/robots/<slug:robot>/take-over/", project_tokens.take_over, name="robot_take_over"),
    path(f"{PROJECT}lifecycle/", lifecycle.page, name="project_lifecycle"),
    *(
        path(f"{PROJECT}lifecycle/{deed}/", lifecycle.turn, {"deed": deed}, name=f"project_{deed}")
        for deed in lifecycle.DEEDS
    ),
    path(f"{PROJECT}deploy/", deploy.deploy, name="deploy"),
    path(DEPLOYMENT, deployment.deployment, name="deployment"),
    path(f"{DEPLOYMENT}cancel/", deployment.cancel, name="deployment_cancel"),
    path(f"{DEPLOYMENT}rollback/", deployment.roll_back, name="deployment_rollback"),
]
