from django.urls import path

import core.api.addresses  # noqa: F401  registers the kinds of path parts
from images.api import advisories, bases, builds, keeping, replication, scans, uploads, views, webhooks

P = "tenants/<label:tenant>/projects/<label:project>"
S = f"{P}/scans/<uuid:artifact>"
W = f"{P}/webhooks/<uuid:webhook>"

urlpatterns = [
    path("images", views.Search.as_view(), name="api_image_search"),
    path(f"{P}/tag-rules", keeping.TagRules.as_view(), name="api_tag_rules"),
    path(f"{P}/tag-rules/<uuid:rule_id>", keeping.OneTagRule.as_view(), name="api_tag_rule"),
    path(f"{P}/retention", keeping.Retention.as_view(), name="api_retention"),
    path(f"{P}/retention/preview", keeping.Preview.as_view(), name="api_retention_preview"),
    path(f"{P}/retention/run", keeping.Clean.as_view(), name="api_retention_run"),
    path(f"{P}/retention/<uuid:rule_id>", keeping.OneRetention.as_view(), name="api_retention_rule"),
    path("registry/collections", keeping.Collections.as_view(), name="api_registry_collections"),
    path("base-images", bases.Bases.as_view(), name="api_base_images"),
    path("base-images/<path:repository>", bases.OneBase.as_view(), name="api_base_image"),
    path(f"{P}/base-images", bases.ProjectBases.as_view(), name="api_project_base_images"),
    path("builders", builds.Places.as_view(), name="api_builders"),
    path("builders/<label:cluster>", builds.OnePlace.as_view(), name="api_builder"),
    path(f"{P}/build-rights", builds.Rights.as_view(), name="api_build_rights"),
    path(f"{P}/builds", builds.Builds.as_view(), name="api_builds"),
    path(f"{P}/builds/<uuid:build>", builds.OneBuild.as_view(), name="api_build"),
    path(f"{P}/builds/<uuid:build>/log", builds.OneBuildLog.as_view(), name="api_build_log"),
    path(f"{P}/uploads", uploads.Uploads.as_view(), name="api_uploads"),
    path(f"{P}/uploads/<uuid:upload>", uploads.OneUpload.as_view(), name="api_upload"),
    path(f"{P}/images", views.Repositories.as_view(), name="api_images"),
    path(f"{P}/images/<path:repository>/tags", views.Tags.as_view(), name="api_image_tags"),
    path(f"{P}/images/<path:repository>/visibility", views.Visibility.as_view(), name="api_image_visibility"),
    path("advisories", advisories.Feeds.as_view(), name="api_advisories"),
    path(S, scans.OneScan.as_view(), name="api_scan"),
    path(f"{S}/findings", scans.Findings.as_view(), name="api_scan_findings"),
    path(f"{S}/sbom", scans.Bill.as_view(), name="api_scan_sbom"),
    path(f"{S}/excuses", scans.Excuses.as_view(), name="api_scan_excuses"),
    path(f"{S}/excuses/<uuid:excuse>", scans.OneExcuse.as_view(), name="api_scan_excuse"),
    path(f"{P}/webhooks", webhooks.Webhooks.as_view(), name="api_webhooks"),
    path(W, webhooks.OneWebhook.as_view(), name="api_webhook"),
    path(f"{W}/ping", webhooks.Ping.as_view(), name="api_webhook_ping"),
    path(f"{W}/secret", webhooks.NewSecret.as_view(), name="api_webhook_secret"),
    path(f"{W}/deliveries", webhooks.Deliveries.as_view(), name="api_webhook_deliveries"),
    path(f"{W}/deliveries/<uuid:delivery>", webhooks.OneDelivery.as_view(), name="api_webhook_delivery"),
    path(f"{W}/deliveries/<uuid:delivery>/again", webhooks.SendAgain.as_view(), name="api_webhook_again"),
    path(f"{P}/registries", replication.Registries.as_view(), name="api_registries"),
    path(f"{P}/registries/<label:registry>", replication.OneRegistry.as_view(), name="api_registry"),
    path(f"{P}/registries/<label:registry>/check", replication.RegistryCheck.as_view(), name="api_registry_check"),
    path(f"{P}/image-copies", replication.Copies.as_view(), name="api_image_copies"),
    path(f"{P}/image-copies/<uuid:copy>", replication.OneCopy.as_view(), name="api_image_copy"),
    path(f"{P}/replication", replication.Rules.as_view(), name="api_replication"),
    path(f"{P}/replication/<label:rule>", replication.OneRule.as_view(), name="api_replication_rule"),
    path(f"{P}/replication/<label:rule>/runs", replication.RuleRuns.as_view(), name="api_replication_runs"),
    path(
        f"{P}/replication/<label:rule>/runs/<uuid:run>/images",
        replication.RunCopies.as_view(),
        name="api_replication_images",
    ),
]
