"""Who and where: organizations, tenants, projects, people and what they were granted."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from core.access import PLATFORM_SCOPE, Scope
from core.names import label_validators
from core.rows import DeclaredRow, Row, new_id


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox is untyped
    """A person (or, later, a robot). Linked to an identity service by id, never by name."""

    scope = PLATFORM_SCOPE
    view_permission = "member.view"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=40, default="local")
    external_id = models.CharField(max_length=100, null=True)  # noqa: DJ001  no id at all is not an empty id
    disabled_at = models.DateTimeField(null=True)
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=5, blank=True)

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="user_source_id")]


class Organization(DeclaredRow):
    scope = PLATFORM_SCOPE
    view_permission = "tenant.view"

    name = models.CharField(max_length=40, unique=True, validators=label_validators)
    title = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=40, default="local")
    external_id = models.CharField(max_length=100, null=True)  # noqa: DJ001

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="organization_source_id")]

    def __str__(self) -> str:
        return self.name


class Tenant(DeclaredRow):
    """The unit of isolation, members, quota and bill."""

    scope = Scope("id", None)
    view_permission = "tenant.view"

    organization = models.ForeignKey(Organization, models.PROTECT)
    name = models.CharField(max_length=40, unique=True, validators=label_validators)
    title = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=40, default="local")
    external_id = models.CharField(max_length=100, null=True)  # noqa: DJ001
    state = models.CharField(max_length=12, default="active")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="tenant_source_id")]

    def __str__(self) -> str:
        return self.name


class Project(DeclaredRow):
    """One business system inside a tenant."""

    scope = Scope("tenant_id", "id")
    view_permission = "project.view"

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        ARCHIVED = "archived", _("archived")
        DELETED = "deleted", _("deleted")

    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="projects")
    name = models.CharField(max_length=40, validators=label_validators)
    title = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="project_name_in_tenant", condition=Q(deleted_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant.name}/{self.name}"


class Grant(Row):
    """A role given to a person on the platform, a tenant or a project. Never deleted: it ends."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "member.view"

    user = models.ForeignKey(User, models.PROTECT, related_name="grants")
    role = models.CharField(max_length=60)
    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, related_name="grants")
    project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="grants")
    starts_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    granted_by = models.CharField(max_length=150, blank=True)
    source = models.CharField(max_length=40, default="local")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"],
                name="grant_once_platform",
                condition=Q(ended_at__isnull=True, tenant__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["user", "role", "tenant"],
                name="grant_once_tenant",
                condition=Q(ended_at__isnull=True, tenant__isnull=False, project__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["user", "role", "project"],
                name="grant_once_project",
                condition=Q(ended_at__isnull=True, project__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["user", "ended_at"], name="grant_user")]

    def __str__(self) -> str:
        return f"{self.role} for {self.user_id}"


class Token(AbstractAuthToken):  # type: ignore[misc]  # knox is untyped
    """A program's key: stored hashed, named, limited, never more than its maker may."""

    scope = PLATFORM_SCOPE
    view_permission = "member.view"

    id = models.UUIDField(default=new_id, unique=True, editable=False)
    name = models.CharField(max_length=60)
    scopes = models.JSONField(default=list)  # permission codes; empty: all of the maker's
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="+")  # set: it counts only there
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="+")
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="token_name_of_user")]

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"
