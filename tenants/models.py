"""Who and where: organizations, tenants, projects, people and what they were granted."""

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
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
    checked_at = models.DateTimeField(null=True)  # when the identity service last said that this account is good
    title = models.CharField(max_length=100, blank=True)  # what others read; the user name stays for life
    language = models.CharField(max_length=10, blank=True)  # empty, here and below: as the browser has it
    theme = models.CharField(max_length=5, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    keys = models.BooleanField(default=True)  # single keys do something
    reader = models.BooleanField(default=False)  # terminal and logs are drawn for a screen reader
    recent = models.JSONField(default=list, blank=True)  # "tenant/project" and "tenant/project/app", the last one first

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="user_source_id")]

    @property
    def shown_name(self) -> str:
        return self.title or self.get_username()


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

    DISABLED = "disabled"  # a state: nobody holds anything in it

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
    state_since = models.DateTimeField(db_default=Now())
    state_by = models.CharField(max_length=150, blank=True)
    state_reason = models.CharField(max_length=500, blank=True)
    earlier = models.CharField(max_length=40, blank=True)  # states to go back to, the last one first
    deleted_at = models.DateTimeField(null=True)  # out of sight since then; for 30 days it can be brought back
    purged_at = models.DateTimeField(null=True)  # gone for good; until then the name is kept

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="project_name_in_tenant", condition=Q(purged_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant.name}/{self.name}"


_TO_ONE = Q(user__isnull=False, group__isnull=True) | (
    Q(user__isnull=True, group__isnull=False, tenant__isnull=False) & ~Q(role="tenant.owner")  # an owner is a person
)


class Grant(Row):
    """A role given to a person on the platform, a tenant or a project, or to a group. Never deleted: it ends."""

    scope = Scope("tenant_id", "project_id")
    view_permission = "member.view"

    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="grants")
    group = models.ForeignKey("tenants.Group", models.PROTECT, null=True, related_name="grants")  # instead of a person
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
    last_used_at = models.DateTimeField(null=True)  # the last command under it, written once an hour at most
    request = models.ForeignKey("tenants.Request", models.PROTECT, null=True, related_name="grants")  # it came of
    custom = models.ForeignKey("tenants.CustomRole", models.PROTECT, null=True, related_name="grants")  # of the tenant

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
            models.CheckConstraint(name="grant_to_one", condition=_TO_ONE),
            models.UniqueConstraint(
                fields=["group", "role", "tenant"],
                name="grant_once_group_tenant",
                condition=Q(ended_at__isnull=True, group__isnull=False, project__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["group", "role", "project"],
                name="grant_once_group_project",
                condition=Q(ended_at__isnull=True, group__isnull=False, project__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["user", "ended_at"], name="grant_user")]

    def __str__(self) -> str:
        return f"{self.role} for {self.user_id or self.group_id}"

    @property
    def subject(self) -> str:
        """Name of the person, or of the group."""
        return self.user.get_username() if self.user else str(self.group)


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
    barred = models.TextField(blank=True, default="", db_default="")  # ids of tenants: there it counts no more
    made_with = models.ForeignKey("self", models.CASCADE, null=True, related_name="+")  # the token its maker used

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="token_name_of_user")]

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"


class Session(AbstractBaseSession):
    """A browser that somebody signed in with. `id` is made of the key, which itself is never shown."""

    scope = PLATFORM_SCOPE
    view_permission = "member.view"

    id = models.UUIDField(unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    address = models.CharField(max_length=45, blank=True)
    client = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"session of {self.user_id}"


class Notice(Row):
    """Something one person should know of. Words are made of `kind` and `params` in the reader's language."""

    scope = Scope("tenant_id", "project_id", shared=True)
    view_permission = "project.view"

    class Level(models.TextChoices):
        OK = "ok"
        WARN = "warn"
        BAD = "bad"

    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    level = models.CharField(max_length=4, choices=Level)
    params = models.JSONField(default=dict)
    link = models.CharField(max_length=400, blank=True)
    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="+")
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="+")
    about = models.CharField(max_length=120, blank=True)  # one notice for each thing that must not be told twice
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "about"], name="notice_once", condition=~Q(about="")),
        ]
        indexes = [
            models.Index(fields=["user", "read_at"], name="notice_unread"),
            models.Index(fields=["created_at"], name="notice_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


from tenants.custom.models import CustomRole as CustomRole  # noqa: E402  they need what is above
from tenants.groups.models import Group, Membership  # noqa: E402, F401  likewise
from tenants.identity.models import KeystoneWrite, RoleMapping, SyncState  # noqa: E402, F401  they need what is above
from tenants.invitations.models import Invitation as Invitation  # noqa: E402  likewise
from tenants.quota.models import Quota as Quota  # noqa: E402  likewise
from tenants.requests.models import Request as Request  # noqa: E402  likewise
from tenants.reviews.models import Review as Review  # noqa: E402  likewise
from tenants.reviews.models import ReviewLine as ReviewLine  # noqa: E402  likewise
from tenants.robots.models import Robot as Robot  # noqa: E402  likewise
