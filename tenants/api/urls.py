from django.urls import path

import core.api.addresses  # noqa: F401  registers the kinds of path parts
from tenants.api import account, audit, identity, schemes, views  # noqa: F401  schemes: found by being imported

urlpatterns = [
    path("me", views.Me.as_view(), name="api_me"),
    path("me/sessions", account.Sessions.as_view(), name="api_sessions"),
    path("me/sessions/<uuid:session>", account.OneSession.as_view(), name="api_session"),
    path("me/notices", account.Notices.as_view(), name="api_notices"),
    path("me/notices/read", account.NoticesRead.as_view(), name="api_notices_read"),
    path("identity/mappings", identity.Mappings.as_view(), name="api_role_mappings"),
    path("identity/mappings/<uuid:mapping>", identity.OneMapping.as_view(), name="api_role_mapping"),
    path("identity/drift", identity.Drift.as_view(), name="api_identity_drift"),
    path("identity/mend", identity.Mend.as_view(), name="api_identity_mend"),
    path("tokens", views.Tokens.as_view(), name="api_tokens"),
    path("tokens/<uuid:token>", views.OneToken.as_view(), name="api_token"),
    path("tenants", views.Tenants.as_view(), name="api_tenants"),
    path("tenants/<label:tenant>", views.OneTenant.as_view(), name="api_tenant"),
    path("tenants/<label:tenant>/projects", views.Projects.as_view(), name="api_projects"),
    path("tenants/<label:tenant>/projects/<label:project>", views.OneProject.as_view(), name="api_project"),
    path("tenants/<label:tenant>/grants", views.Grants.as_view(), name="api_grants"),
    path("tenants/<label:tenant>/grants/<uuid:grant>", views.OneGrant.as_view(), name="api_grant"),
    path("tenants/<label:tenant>/audit", audit.TenantAudit.as_view(), name="api_tenant_audit"),
    path("tenants/<label:tenant>/audit/export", audit.TenantAuditExport.as_view(), name="api_tenant_audit_export"),
    path("tenants/<label:tenant>/audit/verify", audit.TenantAuditVerify.as_view(), name="api_tenant_audit_verify"),
]
