"""Shapes of webhooks over HTTP."""

from rest_framework import serializers

from core.api.inputs import Input, Listing
from images.hooks.messages import KINDS
from images.hooks.models import Webhook, WebhookDelivery
from images.hooks.services import LONGEST_ADDRESS

PROBLEMS = ("status", "redirect", "no_answer", "refused")


class WebhookOutput(serializers.Serializer[Webhook]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    host = serializers.CharField(help_text="Of the address, which is not shown again: it may hold a key.")
    events = serializers.ListField(child=serializers.ChoiceField(KINDS))
    state = serializers.ChoiceField(Webhook.State.choices)
    waiting = serializers.IntegerField(help_text="Messages that are to be sent.")
    missed = serializers.IntegerField(help_text="Events that found too many messages waiting.")
    failing_since = serializers.DateTimeField(allow_null=True)
    made_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    version = serializers.IntegerField()


class NewWebhookOutput(WebhookOutput):
    secret = serializers.CharField(help_text="What messages are signed with. Shown this once only.")


class ChangedWebhookOutput(WebhookOutput):
    secret = serializers.CharField(required=False, help_text="Where another address made a new one. Shown this once.")


class NewSecretOutput(serializers.Serializer[None]):
    secret = serializers.CharField(help_text="Shown this once only.")


class WebhookInput(Input):
    name = serializers.CharField(max_length=60)
    address = serializers.CharField(max_length=LONGEST_ADDRESS, help_text="https://host/path")
    events = serializers.ListField(child=serializers.ChoiceField(KINDS), min_length=1, max_length=len(KINDS))
    secret = serializers.CharField(
        max_length=200, required=False, help_text="24 to 64 bytes in Base64; left out, one is made."
    )


class WebhookChange(Input):
    name = serializers.CharField(max_length=60, required=False)
    address = serializers.CharField(
        max_length=LONGEST_ADDRESS, required=False, help_text="Another one has another secret, too."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(KINDS), min_length=1, max_length=len(KINDS), required=False
    )
    secret = serializers.CharField(max_length=200, required=False)
    active = serializers.BooleanField(required=False, help_text="False pauses it: what happens meanwhile is not kept.")


class DeliveryListing(Listing):
    state = serializers.ChoiceField(WebhookDelivery.State.choices, required=False)


class DeliveryOutput(serializers.Serializer[WebhookDelivery]):
    id = serializers.UUIDField()
    message = serializers.UUIDField(help_text="The header `webhook-id`; the same when it is sent again.")
    event = serializers.ChoiceField((*KINDS, "ping"))
    state = serializers.ChoiceField(WebhookDelivery.State.choices)
    asked_by = serializers.CharField(help_text="Who had it sent; empty where it happened.")
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="What the receiver answered the last time.")
    problem = serializers.ChoiceField(PROBLEMS, allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class TryOutput(serializers.Serializer[None]):
    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    problem = serializers.CharField(allow_blank=True)
    ms = serializers.IntegerField()


class OneDeliveryOutput(DeliveryOutput):
    tries = TryOutput(many=True)
    body = serializers.CharField(help_text="What is sent, byte by byte.")
