"""What is sent and answered about the identity service."""

from rest_framework import serializers

from core.api.inputs import Input
from tenants.identity.models import RoleMapping
from tenants.roles import ROLES


class MappingOutput(serializers.Serializer[RoleMapping]):
    id = serializers.UUIDField()
    place = serializers.ChoiceField(RoleMapping.Place.values, help_text="Where the role is held in Keystone.")
    keystone_role = serializers.CharField()
    role = serializers.CharField()
    created_at = serializers.DateTimeField()


class MappingInput(Input):
    place = serializers.ChoiceField(RoleMapping.Place.values)
    keystone_role = serializers.CharField(max_length=255, help_text="Its name; never admin.")
    role = serializers.CharField(max_length=60, help_text=", ".join(ROLES))


class RoleDifferenceOutput(serializers.Serializer[None]):
    kind = serializers.ChoiceField(["missing", "extra", "unwritten", "refused"])
    person = serializers.CharField()
    role = serializers.CharField()
    tenant = serializers.CharField(allow_blank=True, help_text="Empty: the platform.")
    said = serializers.CharField(allow_blank=True, help_text="Why Keystone refused it.")


class DriftOutput(serializers.Serializer[None]):
    configured = serializers.BooleanField()
    reachable = serializers.BooleanField()
    synced_at = serializers.DateTimeField(allow_null=True)
    differences = RoleDifferenceOutput(many=True)
    more = serializers.IntegerField(help_text="How many differences are not listed.")
    unmapped = serializers.ListField(child=serializers.CharField(), help_text="Roles in use that give nothing.")
