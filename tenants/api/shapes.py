"""Shapes of people, tenants and projects over HTTP."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.inputs import Input, Listing
from tenants.models import Grant, Notice, Tenant, Token
from tenants.profile.forms import LANGUAGES, THEMES, zone_names
from tenants.roles import PERMISSIONS, ROLES


def title(*, required: bool = False) -> serializers.CharField:
    return serializers.CharField(max_length=100, allow_blank=True, required=required, help_text="Free text for people.")


def name() -> serializers.CharField:
    return serializers.CharField(
        max_length=40, trim_whitespace=False, help_text="A DNS label, unique in its parent, fixed for life."
    )


class TenantOutput(serializers.Serializer[Tenant]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    state = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class TenantInput(Input):
    name = name()
    title = title()
    organization = serializers.CharField(
        max_length=40, required=False, help_text="Made if it does not exist; default: the name."
    )
    owner = serializers.CharField(max_length=150, required=False, help_text="User name of the first owner.")


class TitleInput(Input):
    title = title(required=True)


class ProjectOutput(TenantOutput):
    tenant_id = serializers.UUIDField()
    state_since = serializers.DateTimeField()
    state_by = serializers.CharField(help_text="Who brought it into this state.")
    state_reason = serializers.CharField()
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="It can be restored for 30 days.")


class ProjectInput(Input):
    name = name()
    title = title()


class GrantOutput(serializers.Serializer[Grant]):
    """A role of a person or a group, on the tenant or (with `project`) on one of its projects."""

    id = serializers.UUIDField()
    subject = serializers.CharField(allow_null=True, help_text="User name; null where a group has the role.")
    user_id = serializers.UUIDField(allow_null=True)
    group = serializers.CharField(allow_null=True, help_text="Name of the group; null where a person has the role.")
    group_id = serializers.UUIDField(allow_null=True)
    role = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    granted_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class GrantInput(Input):
    subject = serializers.CharField(max_length=150, required=False, help_text="A user name.")
    group = serializers.CharField(max_length=40, required=False, help_text="Instead of a person: name of a group.")
    role = serializers.CharField(max_length=60, help_text=", ".join(key for key in ROLES if "platform" not in key))
    project = serializers.CharField(max_length=40, required=False, help_text="Name of a project of this tenant.")
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class ExtensionInput(Input):
    ends_at = serializers.DateTimeField(help_text="After its present end.")
    reason = serializers.CharField(max_length=500)


class TokenOutput(serializers.Serializer[Token]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField(), help_text="Empty: all that its maker may.")
    tenant = serializers.CharField(allow_null=True, help_text="Set: it counts only in this tenant.")
    project = serializers.CharField(allow_null=True, help_text="Set: it counts only in this project.")
    prefix = serializers.CharField(help_text="The first characters, to tell tokens apart.")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class NewTokenOutput(TokenOutput):
    token = serializers.CharField(help_text="Shown this once only.")


class TokenInput(Input):
    name = serializers.CharField(max_length=60)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=len(PERMISSIONS), required=False,
        help_text="Permission codes, of: " + ", ".join(PERMISSIONS),
    )  # fmt: skip
    tenant = serializers.CharField(max_length=40, required=False, help_text="Let it count only in this tenant.")
    project = serializers.CharField(max_length=40, required=False, help_text="And there only in this project.")
    expires_at = serializers.DateTimeField(
        required=False, help_text="At most 366 days away, and no later than the token used to make it; default 90 days."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "project" in attrs and "tenant" not in attrs:
            raise serializers.ValidationError({"tenant": _("Say whose project it is.")}, code="required")
        return attrs


class _TenantRights(serializers.Serializer[None]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class TenantRights(_TenantRights):
    pass


class ProjectRights(_TenantRights):
    tenant = serializers.CharField()


class MeOutput(serializers.Serializer[None]):
    """What you hold in a tenant you hold in all its projects too. With a token, only what its scopes leave."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(help_text="What the pages call you.")
    language = serializers.CharField()
    theme = serializers.CharField()
    time_zone = serializers.CharField()
    keys = serializers.BooleanField()
    reader = serializers.BooleanField()
    platform = serializers.ListField(child=serializers.CharField())
    tenants = TenantRights(many=True)
    projects = ProjectRights(many=True)
    token = TokenOutput(allow_null=True)


class AccountInput(Input):
    """What is left out stays as it is; an empty text means: as the browser has it."""

    title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    language = serializers.ChoiceField([code for code, _words in LANGUAGES], required=False)
    theme = serializers.ChoiceField([code for code, _words in THEMES], required=False)
    time_zone = serializers.CharField(
        max_length=64, required=False, allow_blank=True, help_text="Such as Asia/Shanghai."
    )
    keys = serializers.BooleanField(required=False, help_text="Single keys do something on pages.")
    reader = serializers.BooleanField(required=False, help_text="Draw terminal and logs for a screen reader.")

    def validate_time_zone(self, value: str) -> str:
        if value and value not in zone_names():
            raise serializers.ValidationError(_("There is no such time zone."), code="unknown")
        return value


class SessionOutput(serializers.Serializer[None]):
    """A browser that is signed in as you."""

    id = serializers.UUIDField()
    address = serializers.CharField()
    client = serializers.CharField()
    created_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    current = serializers.BooleanField(help_text="The one that asks.")


class NoticeOutput(serializers.Serializer[None]):
    """Something you should know of; kept for 30 days."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    level = serializers.ChoiceField(Notice.Level.values)
    title = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True, help_text="The page it is about.")
    tenant = serializers.CharField(allow_null=True)
    project = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class NoticeListing(Listing):
    unread = serializers.BooleanField(required=False, help_text="true: only what you have not read.")


class NoticesReadInput(Input):
    ids = serializers.ListField(
        child=serializers.UUIDField(), max_length=200, required=False, help_text="Left out: all of them."
    )


class NoticesReadOutput(serializers.Serializer[None]):
    read = serializers.IntegerField(help_text="How many were new until now.")
