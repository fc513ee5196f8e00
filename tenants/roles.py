"""Every permission of the site, and the built-in roles made of them. One table; nothing else decides."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext_lazy as _

from core.errors import Text

Level = Literal["platform", "tenant", "project"]

PERMISSIONS: dict[str, Text] = {
    "account.own": _("manage one's own account and tokens"),
    "cluster.view": _("see clusters and hosts"),
    "cluster.manage": _("register, change and remove clusters"),
    "identity.manage": _("map Keystone's roles and mend what differs"),
    "tenant.create": _("create tenants"),
    "tenant.view": _("see the tenant"),
    "tenant.manage": _("change the tenant"),
    "member.view": _("see members and their roles"),
    "member.manage": _("give and take roles"),
    "factor.reset": _("take away second factors that somebody lost"),
    "project.view": _("see the project"),
    "project.create": _("create projects"),
    "project.manage": _("change the project and its environments, suspend and archive it"),
    "project.delete": _("delete projects and bring them back"),
    "image.view": _("see and use images"),
    "image.pull": _("pull images from the registry"),
    "image.push": _("push images to the registry"),
    "image.delete": _("delete images of the registry"),
    "image.promote": _("ask that an image may run in a stage"),
    "image.approve": _("approve images of others for a stage, and withdraw that"),
    "app.view": _("see apps, instances and operations"),
    "app.deploy": _("deploy, roll back, stop, start and restart in unprotected environments"),
    "app.test": _("deploy in test environments"),
    "app.scale": _("change the number of instances in unprotected environments"),
    "app.release": _("deploy, scale, stop and roll back in protected environments"),
    "app.delete": _("delete apps"),
    "log.view": _("read and download logs"),
    "console.open": _("open a console in an instance"),
    "console.protected": _("open a console in a protected environment"),
    "audit.view": _("read the audit"),
    "quota.view": _("see limits, what is used, and loans"),
    "quota.manage": _("set the limits of projects, lend between them"),
    "quota.tenant": _("set the limits of tenants"),
    "review.manage": _("begin access reviews and call them off"),
    "access.review": _("say whether a right that was taken at once was rightly taken"),
}

_LOOK = {"project.view", "image.view", "image.pull", "app.view", "log.view", "quota.view"}
_DEVELOP = _LOOK | {"image.push", "image.promote", "app.deploy", "app.test", "app.scale", "console.open"}
_PROJECT_ADMIN = _DEVELOP | {
    "image.delete",
    "image.approve",
    "console.protected",
    "app.release",
    "app.delete",
    "project.manage",
    "member.view",
    "member.manage",
}
_TENANT_ADMIN = _LOOK | {
    "tenant.view",
    "tenant.manage",
    "member.view",
    "member.manage",
    "project.create",
    "project.manage",
    "quota.manage",
    "project.delete",
    "image.delete",
}
_AUDIT = {"tenant.view", "audit.view", "member.view", "quota.view", "access.review", "review.manage"}
_OWN = {"account.own"}
_PLATFORM_ONLY = {"cluster.view", "cluster.manage", "identity.manage", "tenant.create", "quota.tenant"}
_TENANT_ONLY = {"tenant.view", "tenant.manage", "project.create", "quota.manage", "access.review"}

# What a role that a tenant makes for itself can be made of: nothing of the platform, nothing of one's own account.
CHOOSABLE: dict[str, frozenset[str]] = {
    "tenant": frozenset(PERMISSIONS) - _PLATFORM_ONLY - _OWN,
    "project": frozenset(PERMISSIONS) - _PLATFORM_ONLY - _OWN - _TENANT_ONLY,
}


@dataclass(frozen=True)
class Role:
    key: str
    level: Level
    title: Text
    permissions: frozenset[str]
    custom_id: uuid.UUID | None = None  # of a role that a tenant made; built-in ones have none


def _role(key: str, level: Level, title: Text, permissions: set[str]) -> Role:
    return Role(key, level, title, frozenset(permissions))


ROLES: dict[str, Role] = {
    role.key: role
    for role in (
        _role(
            "platform.operator",
            "platform",
            _("operator"),
            _PLATFORM_ONLY | {"tenant.view", "quota.view", "factor.reset"},
        ),
        _role("platform.auditor", "platform", _("platform auditor"), {"audit.view", "access.review"}),
        _role("tenant.owner", "tenant", _("owner"), set(PERMISSIONS) - _PLATFORM_ONLY - _OWN),
        _role("tenant.admin", "tenant", _("admin"), _TENANT_ADMIN),
        _role("tenant.auditor", "tenant", _("auditor"), _AUDIT),
        _role("tenant.member", "tenant", _("member"), {"tenant.view"}),
        _role("project.admin", "project", _("project admin"), _PROJECT_ADMIN),
        _role(
            "project.release_manager",
            "project",
            _("release manager"),
            _LOOK | {"image.promote", "image.approve", "app.release", "app.deploy", "app.test", "app.scale"},
        ),
        _role("project.developer", "project", _("developer"), _DEVELOP),
        _role("project.tester", "project", _("tester"), _LOOK | {"app.test"}),
        _role(
            "project.console",
            "project",
            _("console in protected environments"),
            {"project.view", "app.view", "log.view", "console.open", "console.protected"},
        ),
        _role("project.guest", "project", _("guest"), {"project.view", "app.view", "image.pull"}),
    )
}


def allowed(key: str, own: Iterable[str] | None) -> frozenset[str]:
    """What a role allows: of one that a tenant made what is kept with it (`own`), else what the table says."""
    return ROLES[key].permissions if own is None else CHOOSABLE["tenant"] & frozenset(own)
