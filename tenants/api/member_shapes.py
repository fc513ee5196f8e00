"""Shapes of members, roles, requests and what they explain."""

from rest_framework import serializers

from core.api.inputs import Input, Query, Searchable, WholeNumber
from tenants.requests.models import Request as AskedFor
from tenants.roles import PERMISSIONS


class HeldGrant(serializers.Serializer[None]):
    id = serializers.UUIDField()
    role = serializers.CharField()
    tenant = serializers.CharField(allow_null=True, help_text="None: on the platform.")
    project = serializers.CharField(allow_null=True, help_text="None: on the whole tenant.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    granted_by = serializers.CharField(allow_blank=True)
    group = serializers.CharField(allow_null=True, help_text="The group by which it is held; null: by the person.")
    origin = serializers.CharField(help_text="local, or the service that keeps it.")
    request_id = serializers.UUIDField(allow_null=True, help_text="The request it came of.")


class MemberOutput(serializers.Serializer[None]):
    """A person with the roles that count at the place."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    origin = serializers.CharField()
    seen_at = serializers.DateTimeField(allow_null=True)
    grants = HeldGrant(many=True)


class OfProject(Query):
    project = serializers.CharField(max_length=40, required=False, help_text="Only what counts in this project.")


class Removal(OfProject):
    hand_over_to = serializers.CharField(
        max_length=150, required=False, help_text="User name of the member who takes over what the person keeps here."
    )


class MemberListing(Searchable, OfProject):
    role = serializers.CharField(max_length=60, required=False, help_text="Only who holds this role here.")


class PathOutput(serializers.Serializer[None]):
    """One way to a permission: the grant whose role holds it."""

    permission = serializers.CharField()
    words = serializers.CharField()
    cut = serializers.CharField(
        allow_blank=True, help_text="Of a robot: why it does not count now, in your language. Empty: it does."
    )
    grant = HeldGrant()


class WhyOutput(serializers.Serializer[None]):
    person = serializers.CharField()
    paths = PathOutput(many=True)


class CutOutput(serializers.Serializer[None]):
    kind = serializers.CharField(help_text="consoles, operations, tokens, robots, requests, and others.")
    count = serializers.IntegerField()
    words = serializers.CharField()


class KeptOutput(serializers.Serializer[None]):
    """One thing that the person keeps for others."""

    kind = serializers.CharField(help_text="role, robot, request, review, token or owner.")
    name = serializers.CharField(help_text="The role, the name, or the id of a request.")
    project = serializers.CharField(allow_null=True, help_text="null: of the whole tenant.")
    words = serializers.CharField()
    goes_over = serializers.BooleanField(
        allow_null=True, help_text="null: nobody is named, and somebody could have it."
    )
    why_not = serializers.CharField(allow_null=True, help_text="Why it goes over to nobody, or not to the one named.")


class RemovalOutput(serializers.Serializer[None]):
    """What ends at once when the person is removed."""

    person = serializers.CharField()
    grants = HeldGrant(many=True)
    cuts = CutOutput(many=True)
    keeps = KeptOutput(many=True, help_text="Only for who could remove the person.")


class RoleOutput(serializers.Serializer[None]):
    key = serializers.CharField(help_text="What a grant names.")
    name = serializers.CharField(help_text="The last part of the key.")
    own = serializers.BooleanField(help_text="Whether the tenant made it; built-in ones stay as they are.")
    level = serializers.CharField(help_text="tenant or project: what it is given on.")
    title = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    held_by = serializers.IntegerField(help_text="How many hold it now.")
    may_give = serializers.BooleanField(help_text="Whether you hold all that it allows, and may give roles.")


class RolesOutput(serializers.Serializer[None]):
    results = RoleOutput(many=True)


class OwnRoleOutput(RoleOutput):
    version = serializers.IntegerField()


class _Permissions(serializers.ListField):
    child = serializers.CharField(max_length=60)


class RoleInput(Input):
    name = serializers.CharField(max_length=40, trim_whitespace=False, help_text="A DNS label, fixed for life.")
    level = serializers.ChoiceField(["tenant", "project"], help_text="What it is given on.")
    title = serializers.CharField(max_length=100, allow_blank=True, required=False)
    permissions = _Permissions(max_length=len(PERMISSIONS), help_text="Codes of what you hold yourself.")


class RoleChangeInput(Input):
    title = serializers.CharField(max_length=100, allow_blank=True, required=False)
    permissions = _Permissions(max_length=len(PERMISSIONS), required=False, help_text="All of them, not only new ones.")


class RoleRemoval(Query):
    end_grants = serializers.BooleanField(required=False, help_text="true: end it for all who hold it.")


class HistoryQuery(Query):
    at = serializers.DateTimeField(required=False, help_text="The moment; now where it is left out.")
    person = serializers.CharField(max_length=150, required=False, help_text="A user name.")
    permission = serializers.ChoiceField(list(PERMISSIONS), required=False)
    project = serializers.CharField(max_length=40, required=False)


class HistoryGrant(HeldGrant):
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_by = serializers.CharField(allow_blank=True)


class HeldOutput(serializers.Serializer[None]):
    person = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    grant = HistoryGrant()
    now = serializers.BooleanField(help_text="Whether it counts still.")


class HistoryOutput(serializers.Serializer[None]):
    at = serializers.DateTimeField()
    results = HeldOutput(many=True)


class RequestOutput(serializers.Serializer[None]):
    """What somebody asked for and somebody else decides."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    tenant = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    asked_by = serializers.CharField()
    words = serializers.CharField(help_text="What is asked for, in your language.")
    payload = serializers.DictField()
    reason = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(AskedFor.State.values)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)


class RequestsQuery(Query):
    state = serializers.ChoiceField(AskedFor.State.values, required=False)


class RequestsOutput(serializers.Serializer[None]):
    results = RequestOutput(many=True)


class RequestInput(Input):
    kind = serializers.CharField(max_length=20, help_text="access: a role for hours; join: one without an end; quota.")
    project = serializers.CharField(max_length=40, required=False, help_text="Name of a project of this tenant.")
    payload = serializers.DictField(help_text='Of access: {"role": "project.console", "hours": 2}.')
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class DecisionInput(Input):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class WaitingReview(serializers.Serializer[None]):
    review_id = serializers.UUIDField()
    name = serializers.CharField()
    tenant = serializers.CharField()
    ends_at = serializers.DateTimeField()
    open = serializers.IntegerField(help_text="Roles that wait for your answer.")


class NeedsOutput(serializers.Serializer[None]):
    """What waits for you: requests you may decide, roles of yours that end within a week, and reviews that run."""

    count = serializers.IntegerField()
    requests = RequestOutput(many=True)
    ending = HeldGrant(many=True)
    reviews = WaitingReview(many=True)


class InvitationOutput(serializers.Serializer[None]):
    """A role held ready for whoever comes with the link."""

    id = serializers.UUIDField()
    person = serializers.CharField()
    role = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    ends_at = serializers.DateTimeField(allow_null=True, help_text="When the role ends.")
    expires_at = serializers.DateTimeField(help_text="When the link ends.")
    created_at = serializers.DateTimeField()
    invited_by = serializers.CharField()


class NewInvitationOutput(InvitationOutput):
    link = serializers.CharField(help_text="Shown this once only.")


class InvitationsOutput(serializers.Serializer[None]):
    results = InvitationOutput(many=True)


class InvitationInput(Input):
    person = serializers.CharField(max_length=150, help_text="Whom it is for, for the record.")
    role = serializers.CharField(max_length=60)
    project = serializers.CharField(max_length=40, required=False, help_text="Name of a project of this tenant.")
    ends_at = serializers.DateTimeField(required=False, help_text="When the role is to end.")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class AcceptInput(Input):
    link = serializers.CharField(max_length=300, help_text="The last part of the link.")


class BreakGlassInput(Input):
    project = serializers.CharField(max_length=40)
    role = serializers.CharField(max_length=60, help_text="A role of a project.")
    hours = WholeNumber(help_text="1 to 8.")
    reason = serializers.CharField(max_length=500)
