"""What may be sent about clusters."""

from rest_framework import serializers

from backends.connecting import WAYS
from core.api.inputs import Input, Query

LARGEST = 200_000


class ClusterChange(Input):
    title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    reachable_at = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="Where published ports answer, if not at the hosts."
    )
    credentials = serializers.CharField(
        max_length=LARGEST,
        required=False,
        write_only=True,
        trim_whitespace=False,
        help_text="A kubeconfig that holds all it needs, instead of the fields below; never shown again.",
    )
    context_name = serializers.CharField(
        max_length=200, required=False, help_text="Which of its contexts; else its current one."
    )
    address = serializers.CharField(
        max_length=300, required=False, help_text="unix:///..., tcp:// or https://host:port"
    )
    client_key = serializers.CharField(
        max_length=20_000, required=False, write_only=True, help_text="PEM, or a token; never shown again."
    )
    client_certificate = serializers.CharField(max_length=20_000, required=False, allow_blank=True, help_text="PEM")
    authority = serializers.CharField(max_length=60_000, required=False, allow_blank=True, help_text="PEM")


class ClusterInput(ClusterChange):
    name = serializers.CharField(max_length=40, trim_whitespace=False)
    kind = serializers.ChoiceField(
        choices=[str(way.kind) for way in WAYS], required=False, help_text="Left out: what `credentials` are of."
    )
    everyone = serializers.BooleanField(default=False, help_text="Offer it to every tenant at once.")


class RemovalInput(Input):
    typed_name = serializers.CharField(
        max_length=81, required=False, default="", help_text="The cluster's name, so that nobody removes the wrong one."
    )
    gone = serializers.BooleanField(
        default=False, help_text="It does not answer and never will; remove it without looking what is left there."
    )


class OfferInput(Input):
    everyone = serializers.BooleanField(help_text="Every tenant may put environments there.")
    tenants = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=10_000, required=False, default=list
    )


class RightsQuery(Query):
    usage = serializers.BooleanField(default=True, help_text="With the right to ask hosts what instances use.")
