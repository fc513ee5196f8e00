from django.urls import path

import core.api.addresses  # noqa: F401  registers the kinds of path parts
from tenants.api import account, audit, robots, schemes, views  # noqa: F401  schemes: found by being imported

P = "tenants/<label:tenant>/projects/<label:project>"

urlpatterns = [
    path("me", views.Me.as_view(), name="api_me"),
    path("me/sessions", account.Sessions.as_view(), name="api_sessions"),
    path("me/sessions/<uuid:session>", account.OneSession.as_view(), name="api_session"),
    path("me/notices", account.Notices.as_view(), name="api_notices"),
    path("me/notices/read", account.NoticesRead.as_view(), name="api_notices_read"),
    path("tokens", views.Tokens.as_view(), name="api_tokens"),
    path("tokens/<uuid:token>", views.OneToken.as_view(), name="api_token"),
    path("tenants", views.Tenants.as_view(), name="api_tenants"),
    path("tenants/<label:tenant>", views.OneTenant.as_view(), name="api_tenant"),
    path(f"{P}/robots", robots.Robots.as_view(), name="api_robots"),
    path(f"{P}/robots/<label:robot>", robots.OneRobot.as_view(), name="api_robot"),
    path(f"{P}/tokens", robots.ProjectTokens.as_view(), name="api_project_tokens"),
    path(f"{P}/tokens/<uuid:token>", robots.OneProjectToken.as_view(), name="api_project_token"),
    path("tenants/<label:tenant>/grants", views.Grants.as_view(), name="api_grants"),
    path("tenants/<label:tenant>/grants/<uuid:grant>", views.OneGrant.as_view(), name="api_grant"),
    path("tenants/<label:tenant>/audit", audit.TenantAudit.as_view(), name="api_tenant_audit"),
    path("tenants/<label:tenant>/audit/export", audit.TenantAuditExport.as_view(), name="api_tenant_audit_export"),
    path("tenants/<label:tenant>/audit/verify", audit.TenantAuditVerify.as_view(), name="api_tenant_audit_verify"),
]
