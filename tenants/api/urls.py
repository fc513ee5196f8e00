from django.urls import path

import core.api.addresses  # noqa: F401  registers the kinds of path parts
from tenants.api import (  # noqa: F401  schemes: found by being imported
    account,
    audit,
    invitations,
    members,
    quota,
    requests,
    schemes,
    views,
)

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
    path("tenants/<label:tenant>/projects", views.Projects.as_view(), name="api_projects"),
    path("tenants/<label:tenant>/projects/<label:project>", views.OneProject.as_view(), name="api_project"),
    path("tenants/<label:tenant>/quota", quota.TenantQuota.as_view(), name="api_tenant_quota"),
    path("tenants/<label:tenant>/quota/loans", quota.Loans.as_view(), name="api_quota_loans"),
    path("tenants/<label:tenant>/quota/loans/<uuid:loan>", quota.OneLoan.as_view(), name="api_quota_loan"),
    path(
        "tenants/<label:tenant>/projects/<label:project>/quota", quota.ProjectQuota.as_view(), name="api_project_quota"
    ),
    path("tenants/<label:tenant>/grants", views.Grants.as_view(), name="api_grants"),
    path("tenants/<label:tenant>/grants/<uuid:grant>", views.OneGrant.as_view(), name="api_grant"),
    path("me/needs", requests.MyNeeds.as_view(), name="api_my_needs"),
    path("tenants/<label:tenant>/members", members.Members.as_view(), name="api_members"),
    path("tenants/<label:tenant>/members/<uuid:person>", members.OneMember.as_view(), name="api_member"),
    path("tenants/<label:tenant>/members/<uuid:person>/why", members.MemberWhy.as_view(), name="api_member_why"),
    path("tenants/<label:tenant>/members/<uuid:person>/removal", members.MemberRemoval.as_view(), name="api_removal"),
    path("tenants/<label:tenant>/roles", members.Roles.as_view(), name="api_roles"),
    path("tenants/<label:tenant>/who-could", members.WhoCould.as_view(), name="api_who_could"),
    path("tenants/<label:tenant>/break-glass", requests.BreakGlass.as_view(), name="api_break_glass"),
    path("tenants/<label:tenant>/requests", requests.Requests.as_view(), name="api_requests"),
    path("tenants/<label:tenant>/requests/<uuid:asked>", requests.OneRequest.as_view(), name="api_request"),
    path("tenants/<label:tenant>/requests/<uuid:asked>/approve", requests.Approve.as_view(), name="api_approve"),
    path("tenants/<label:tenant>/requests/<uuid:asked>/reject", requests.Reject.as_view(), name="api_reject"),
    path("tenants/<label:tenant>/requests/<uuid:asked>/withdraw", requests.Withdraw.as_view(), name="api_withdraw"),
    path("me/invitations", invitations.Accepted.as_view(), name="api_accept_invitation"),
    path("tenants/<label:tenant>/invitations", invitations.Invitations.as_view(), name="api_invitations"),
    path(
        "tenants/<label:tenant>/invitations/<uuid:invitation>",
        invitations.OneInvitation.as_view(),
        name="api_invitation",
    ),
    path("tenants/<label:tenant>/audit", audit.TenantAudit.as_view(), name="api_tenant_audit"),
    path("tenants/<label:tenant>/audit/export", audit.TenantAuditExport.as_view(), name="api_tenant_audit_export"),
    path("tenants/<label:tenant>/audit/verify", audit.TenantAuditVerify.as_view(), name="api_tenant_audit_verify"),
]
