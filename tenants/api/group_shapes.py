"""Shapes of groups over HTTP."""

from rest_framework import serializers

from core.api.inputs import Input, Query
from tenants.api.member_shapes import CutOutput, HeldGrant
from tenants.api.shapes import name, title


class GroupRow(serializers.Serializer[None]):
    """A group of people of one tenant."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    made_by = serializers.CharField(allow_blank=True)
    people = serializers.IntegerField(help_text="How many are in it.")
    roles = serializers.IntegerField(help_text="How many roles it has.")


class GroupOutput(GroupRow):
    grants = HeldGrant(many=True)


class GroupInput(Input):
    name = name()
    title = title()


class GroupChange(Input):
    name = serializers.CharField(max_length=40, trim_whitespace=False, required=False, help_text="A DNS label.")
    title = title()


class GroupMemberOutput(serializers.Serializer[None]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField()
    added_by = serializers.CharField(allow_blank=True)


class GroupMemberInput(Input):
    person = serializers.CharField(max_length=150, help_text="User name of somebody with a role in the tenant.")


class LosingQuery(Query):
    person = serializers.UUIDField(required=False, help_text="Only this person goes out; left out: the group goes.")


class CutAtPlace(CutOutput):
    place = serializers.CharField(help_text="The tenant, or tenant/project.")


class LosingOutput(serializers.Serializer[None]):
    """What ends at once when the group is removed, or one person goes out of it."""

    people = serializers.IntegerField(help_text="How many go out.")
    losing = serializers.IntegerField(help_text="How many of them lose a right, which no other role gives them.")
    grants = HeldGrant(many=True)
    cuts = CutAtPlace(many=True, help_text="What they have open where they lose a right.")
