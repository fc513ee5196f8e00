from django.urls import path

import core.api.addresses  # noqa: F401  registers the kinds of path parts
from apps.api import apps, clusters, deployments, environments, events, imports, logs, places, projects
from core.api.streaming import as_stream_view

P = "tenants/<label:tenant>/projects/<label:project>"
A = f"{P}/apps/<label:app>"
E = f"{A}/environments/<label:environment>"

urlpatterns = [
    path("tenants/<label:tenant>/projects", projects.Projects.as_view(), name="api_projects"),
    path(P, projects.OneProject.as_view(), name="api_project"),
    path(f"{P}/suspend", projects.Suspend.as_view(), name="api_project_suspend"),
    path(f"{P}/resume", projects.Resume.as_view(), name="api_project_resume"),
    path(f"{P}/archive", projects.Archive.as_view(), name="api_project_archive"),
    path(f"{P}/restore", projects.Restore.as_view(), name="api_project_restore"),
    path(f"{P}/environments", environments.Environments.as_view(), name="api_environments"),
    path(f"{P}/environments/<label:environment>", environments.OneEnvironment.as_view(), name="api_environment"),
    path(f"{P}/apps", apps.Apps.as_view(), name="api_apps"),
    path(f"{P}/import", imports.Imports.as_view(), name="api_import"),
    path(A, apps.OneApp.as_view(), name="api_app"),
    path(f"{A}/releases", apps.Releases.as_view(), name="api_releases"),
    path(f"{A}/releases/<int:number>", apps.OneRelease.as_view(), name="api_release"),
    path(f"{A}/releases/<int:number>/diff", apps.ReleaseDiff.as_view(), name="api_release_diff"),
    path(f"{A}/deployments", deployments.Deployments.as_view(), name="api_deployments"),
    path(f"{A}/deployments/<int:number>", deployments.OneDeployment.as_view(), name="api_deployment"),
    path(f"{A}/deployments/<int:number>/cancel", deployments.CancelDeployment.as_view(), name="api_deployment_cancel"),
    path(E, places.Place.as_view(), name="api_place"),
    path(f"{E}/scale", places.Scale.as_view(), name="api_scale"),
    path(f"{E}/restart", places.Restart.as_view(), name="api_restart"),
    path(f"{E}/stop", places.Stop.as_view(), name="api_stop"),
    path(f"{E}/start", places.Start.as_view(), name="api_start"),
    path(f"{E}/rollback", places.Rollback.as_view(), name="api_rollback"),
    path(f"{E}/withdraw", places.Withdraw.as_view(), name="api_withdraw"),
    path(f"{E}/instances", places.Instances.as_view(), name="api_instances"),
    path(f"{E}/instances/<uuid:instance>", places.OneInstance.as_view(), name="api_instance"),
    path(f"{E}/logs", as_stream_view(logs.Logs), name="api_logs"),
    path(f"{E}/logs/download", as_stream_view(logs.Download), name="api_logs_download"),
    path(f"{E}/events", events.Events.as_view(), name="api_events"),
    path("clusters", clusters.Clusters.as_view(), name="api_clusters"),
    path("clusters/<label:cluster>", clusters.OneCluster.as_view(), name="api_cluster"),
    path("clusters/<label:cluster>/hosts", clusters.Hosts.as_view(), name="api_hosts"),
    path("clusters/<label:cluster>/health", clusters.Health.as_view(), name="api_cluster_health"),
]
