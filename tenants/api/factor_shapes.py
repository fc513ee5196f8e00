"""Shapes of second factors over HTTP."""

from rest_framework import serializers

from core.api.inputs import Input


class FactorOutput(serializers.Serializer[None]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(["totp", "webauthn"], help_text="An app that makes codes, or a passkey.")
    name = serializers.CharField()
    host = serializers.CharField(allow_blank=True, help_text="Where a passkey works.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class FactorsOutput(serializers.Serializer[None]):
    """Empty for people of Keystone, whose factors are there."""

    results = FactorOutput(many=True)
    recovery_codes_left = serializers.IntegerField(allow_null=True, help_text="null: none were ever made.")


class ProofInput(Input):
    """One of the two."""

    password = serializers.CharField(max_length=1024, trim_whitespace=False, required=False)
    code = serializers.CharField(max_length=20, required=False, help_text="Of your app, or a recovery code.")


class CodesOutput(serializers.Serializer[None]):
    codes = serializers.ListField(child=serializers.CharField(), help_text="Each works once.")


class LostReasonInput(Input):
    reason = serializers.CharField(max_length=500, help_text="The person and auditors read it.")


class LostInput(LostReasonInput):
    person = serializers.CharField(max_length=150, help_text="A user name.")


class ResetOutput(serializers.Serializer[None]):
    taken = serializers.IntegerField(help_text="How many factors it were.")
