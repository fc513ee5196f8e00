"""Shapes of registries elsewhere, copies and replication over HTTP."""

from rest_framework import serializers

from core.api.inputs import Input, WholeNumber
from core.names import label_validators
from images.replication.models import ImageCopy, RemoteRegistry, ReplicationRule, ReplicationRun

ADDRESS = "https://HOST or https://HOST:PORT. It is asked before it is kept."
SIGNS_IN_AT = "HOST of where it gives tokens, if that is another. The password goes there and to `address` alone."
LONGEST_SECRET = 10_000


class RegistryInput(Input):
    name = serializers.CharField(max_length=40, validators=label_validators)
    address = serializers.CharField(max_length=200, help_text=ADDRESS)
    signs_in_at = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text=SIGNS_IN_AT)
    user = serializers.CharField(max_length=100, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=LONGEST_SECRET, required=False, allow_blank=True, trim_whitespace=False, write_only=True
    )


class RegistryChange(Input):
    address = serializers.CharField(
        max_length=200, required=False, help_text=f"{ADDRESS} A new one without `password` forgets the old password."
    )
    signs_in_at = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text=SIGNS_IN_AT)
    user = serializers.CharField(max_length=100, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=LONGEST_SECRET, required=False, allow_blank=True, trim_whitespace=False, write_only=True
    )


class RegistryOutput(serializers.Serializer[RemoteRegistry]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    address = serializers.CharField()
    signs_in_at = serializers.CharField()
    user = serializers.CharField()
    has_password = serializers.BooleanField(help_text="It is never shown again.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class RegistryCheckOutput(serializers.Serializer[None]):
    answers = serializers.BooleanField()


class CopyInput(Input):
    image = serializers.CharField(max_length=400, help_text="HOST/NAME:TAG or HOST/NAME@DIGEST, as people write it.")
    name = serializers.CharField(max_length=200, help_text="Of the project's repository it is copied to.")
    tag = serializers.CharField(
        max_length=128, required=False, allow_blank=True, help_text="Without one it keeps the tag it has there."
    )


class CopyReason(serializers.Serializer[None]):
    code = serializers.CharField()
    message = serializers.CharField()


class CopyOutput(serializers.Serializer[ImageCopy]):
    id = serializers.UUIDField()
    host = serializers.CharField(help_text="Of the other registry.")
    remote = serializers.CharField(help_text="The repository's name there.")
    path = serializers.CharField(help_text="And here.")
    reference = serializers.CharField(help_text="The tag or digest that was asked for.")
    tag = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(allow_blank=True)
    outward = serializers.BooleanField(help_text="From here to there.")
    state = serializers.ChoiceField(ImageCopy.State.choices)
    reason = CopyReason(allow_null=True)
    layers = serializers.IntegerField()
    layers_done = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    done_bytes = serializers.IntegerField(help_text="With what was there before.")
    sent_bytes = serializers.IntegerField(help_text="What had to travel.")
    operation_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class RuleChange(Input):
    direction = serializers.ChoiceField(ReplicationRule.Direction.choices, required=False)
    remote_path = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="What stands before a repository's name there."
    )
    names = serializers.CharField(max_length=200, required=False, help_text="Of repositories, with * and ?.")
    tags = serializers.CharField(max_length=200, required=False, help_text="With * and ?.")
    labels = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True), required=False,
        help_text="That an image must have, with their values.",
    )  # fmt: skip
    schedule = serializers.CharField(
        max_length=40, required=False, allow_blank=True,
        help_text="hourly, every 6 hours, daily at 03:00, weekly on monday at 03:00; UTC. Empty: none.",
    )  # fmt: skip
    on_push = serializers.BooleanField(required=False, help_text="As soon as something is pushed here.")
    conflict = serializers.ChoiceField(
        ReplicationRule.Conflict.choices, required=False, help_text="Where a tag means different images at the ends."
    )
    kilobytes_per_second = WholeNumber(min_value=1, max_value=10**7, required=False, allow_null=True)
    paused = serializers.BooleanField(required=False)


class RuleInput(RuleChange):
    name = serializers.CharField(max_length=40, validators=label_validators)
    registry = serializers.CharField(max_length=40, help_text="Its name.")
    direction = serializers.ChoiceField(ReplicationRule.Direction.choices)


class RuleOutput(serializers.Serializer[ReplicationRule]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    registry = serializers.CharField()
    direction = serializers.ChoiceField(ReplicationRule.Direction.choices)
    remote_path = serializers.CharField(allow_blank=True)
    names = serializers.CharField()
    tags = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    schedule = serializers.CharField(allow_blank=True)
    on_push = serializers.BooleanField()
    conflict = serializers.ChoiceField(ReplicationRule.Conflict.choices)
    kilobytes_per_second = serializers.IntegerField(allow_null=True)
    paused = serializers.BooleanField()
    next_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ReplicationRunOutput(serializers.Serializer[ReplicationRun]):
    id = serializers.UUIDField()
    state = serializers.CharField(help_text="As its operation's.")
    copied = serializers.IntegerField()
    skipped = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()
    copied_bytes = serializers.IntegerField(help_text="That had to travel.")
    more = serializers.BooleanField(help_text="More images fit the rule than one run takes.")
    operation_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
