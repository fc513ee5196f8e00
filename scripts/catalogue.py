"""Every page of the site as its owner sees it once something is deployed: looked at by tests, pictures and benchmarks.

tests/frontend/test_catalogue.py fails for an address of the site that stands in neither of the two tables.
"""

from dataclasses import dataclass

SHOP = "/t/demo/p/shop/"
HELLO = f"{SHOP}apps/hello/"
BROKEN = f"{SHOP}apps/broken/"
DEV = "?environment=dev"


@dataclass(frozen=True)
class Sight:
    """One page in one state. `route`: the name of its address in the URLconf."""

    name: str
    route: str
    address: str


SIGHTS = [
    Sight("home", "home", "/"),
    Sight("project", "project", SHOP),
    Sight("deploy", "deploy", f"{SHOP}deploy/?app=hello&environment=dev"),
    Sight("deploy-new", "deploy", f"{SHOP}deploy/?environment=dev"),
    Sight("deploy-production", "deploy", f"{SHOP}deploy/?app=hello&environment=prod"),
    Sight("deployment", "deployment", f"{HELLO}deployments/2/"),
    Sight("failed", "deployment", f"{BROKEN}deployments/1/"),
    Sight("app", "app", HELLO + DEV),
    Sight("app-empty", "app", f"{BROKEN}?environment=test"),
    Sight("app-broken", "app", BROKEN + DEV),
    Sight("logs", "logs", f"{HELLO}logs/{DEV}"),
    Sight("logs-found", "logs", f"{HELLO}logs/{DEV}&search=listen&wrap=1&times=1"),
    Sight("logs-broken", "logs", f"{BROKEN}logs/{DEV}"),
    Sight("releases", "releases", f"{HELLO}releases/{DEV}"),
    Sight("release", "release", f"{HELLO}releases/2/"),
    Sight("release-diff", "releases", f"{HELLO}releases/{DEV}&compare=1&compare=2"),
    Sight("console", "console", f"{HELLO}console/{DEV}"),
    Sight("metrics", "metrics", f"{HELLO}metrics/{DEV}"),
    Sight("timeline", "timeline", f"{HELLO}timeline/{DEV}"),
    Sight("settings", "app_settings", f"{HELLO}settings/{DEV}"),
    Sight("activity", "activity", f"{SHOP}activity/"),
    Sight("tenant-activity", "tenant_activity", "/t/demo/activity/"),
    Sight("projects", "projects", "/t/demo/projects/"),
    Sight("project-new", "project_new", "/t/demo/projects/new/"),
    Sight("project-settings", "project_settings", f"{SHOP}settings/"),
    Sight("project-tokens", "project_tokens", f"{SHOP}settings/tokens/"),
    Sight("lifecycle", "project_lifecycle", f"{SHOP}lifecycle/"),
    Sight("audit", "audit", "/t/demo/audit/"),
    Sight("audit-entry", "audit_entry", "/t/demo/audit/2/"),
    Sight("quota", "quota", "/t/demo/quota/"),
    Sight("quota-ask", "quota", "/t/demo/quota/?ask=more"),
    Sight("quota-limits", "quota_limits", "/t/demo/quota/limits/?project=shop"),
    Sight("tenants", "tenants", "/tenants/"),
    Sight("clusters", "clusters", "/clusters/"),
    Sight("cluster", "cluster", "/clusters/local/"),
    Sight("members", "members", "/t/demo/members/"),
    Sight("project-members", "project_members", f"{SHOP}members/"),
    Sight("roles", "member_roles", "/t/demo/members/roles/"),
    Sight("groups", "groups", "/t/demo/members/groups/"),
    Sight("who-could", "who_could", "/t/demo/members/who-could/"),
    Sight("requests", "requests", "/requests/"),
    Sight("invitations", "invitations", "/t/demo/members/invitations/"),
    Sight("ask", "ask_access", f"{SHOP}ask/?permission=console.protected"),
    Sight("join", "join", "/join/"),
    Sight("keystone", "keystone", "/keystone/"),
    Sight("notices", "notices", "/accounts/notices/"),
    Sight("profile", "profile", "/accounts/profile/"),
    Sight("password", "password", "/accounts/password/"),
    Sight("sessions", "sessions", "/accounts/sessions/"),
    Sight("tokens", "tokens", "/accounts/tokens/"),
    Sight("missing", "", "/nothing/here/"),
]
DOORS = [Sight("door", "sign_in", "/accounts/sign-in/")]  # seen by nobody signed in
NO_PAGES = {
    "healthz": "for machines",
    "readyz": "for machines",
    "sign_out": "a button",
    "set_language": "a button",
    "set_theme": "a button",
    "favicon.ico": "a picture",
    "api_docs": "drawn by Swagger UI, which is not ours",
    "app_delete": "a button",
    "app_rename": "a button",
    "app_restart": "a button",
    "app_scale": "a button",
    "app_start": "a button",
    "app_stop": "a button",
    "app_withdraw": "a button",
    "audit_verify": "a button",
    "grant_end": "a button",
    "group": "one group, whose id is made anew each time",
    "group_remove": "a button",
    "group_take": "a button",
    "invitation": "opened by a link that is made anew each time",
    "invitation_revoke": "a button",
    "member": "one person, whose id is made anew each time",
    "member_remove": "a button",
    "project_member": "one person, whose id is made anew each time",
    "project_member_remove": "a button",
    "request": "one request, which nobody has asked yet",
    "requests_count": "a part of every page",
    "request_decide": "a button",
    "request_withdraw": "a button",
    "keystone_map": "a button",
    "keystone_mend": "a button",
    "keystone_unmap": "a button",
    "sign_in_code": "a step of the door, tried with a real Keystone",
    "sign_in_expired": "a step of the door, tried with a real Keystone",
    "notices_bell": "a part of every page",
    "notices_read": "a button",
    "session_end": "a button",
    "sessions_end_others": "a button",
    "token_revoke": "a button",
    "environment_new": "a button",
    "environment_protect": "a button",
    "environment_remove": "a button",
    "project_archive": "a button",
    "project_delete": "a button",
    "project_restore": "a button",
    "project_resume": "a button",
    "project_suspend": "a button",
    "project_token_revoke": "a button",
    "robot_new": "a button",
    "robot_remove": "a button",
    "deployment_cancel": "a button",
    "deployment_rollback": "a button",
    "instance_end": "a part of the timeline, for ends that have happened",
    "portal_metrics": "for machines",
    "release_serve": "a button",
    "quota_ask": "a button",
    "quota_lend": "a button",
    "quota_return": "a button",
    "running": "a part of every page",
    "search": "a part of every page",
    "search_places": "a part of every page",
}
