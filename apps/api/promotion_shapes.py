"""Shapes of images on their way through stages, over HTTP."""

from rest_framework import serializers

from core.api.inputs import Input, Query
from images.promotion.models import MOST_APPROVERS, MOST_DAYS, Approval, Evidence, Promotion, Stage
from images.scanning.rating import LETTERS

OWN_TIME = "As kept with the decision; null where nobody had scanned the image."


class PolicyInput(Input):
    approvers = serializers.IntegerField(min_value=1, max_value=MOST_APPROVERS, default=1)
    rating = serializers.ChoiceField(
        choices=["", *LETTERS], default="", help_text="The worst rating that passes; empty: no scan is asked for."
    )
    valid_days = serializers.IntegerField(
        min_value=1, max_value=MOST_DAYS, required=False, allow_null=True, default=None, help_text="null: no end"
    )


class StageOutput(serializers.Serializer[None]):
    stage = serializers.CharField(help_text="dev, test or prod")
    title = serializers.CharField()
    environments = serializers.ListField(child=serializers.CharField())
    by_approval = serializers.BooleanField(help_text="False: it takes every image.")
    approvers = serializers.IntegerField(help_text="How many have to approve.")
    rating = serializers.CharField(help_text="The worst rating that passes; empty: no scan is asked for.")
    valid_days = serializers.IntegerField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)


class StagesOutput(serializers.Serializer[None]):
    results = StageOutput(many=True)


class PromotionInput(Input):
    stage = serializers.ChoiceField(choices=Stage.values)
    digest = serializers.CharField(max_length=80)
    repository = serializers.CharField(
        max_length=300, required=False, default="", help_text="Where several have the image."
    )
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class AnswerInput(Input):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class SuspensionInput(Input):
    reason = serializers.CharField(max_length=500, help_text="Everybody concerned reads it.")


class EvidenceInput(Input):
    kind = serializers.ChoiceField(choices=Evidence.Kind.values)
    passed = serializers.BooleanField()
    text = serializers.CharField(max_length=2000, help_text="Words, an address, or the digest of a file.")


class PromotionsQuery(Query):
    state = serializers.ChoiceField(choices=Promotion.State.choices, required=False)


class SeenScan(serializers.Serializer[None]):
    rating = serializers.CharField()
    at_best = serializers.CharField()
    counts = serializers.DictField()
    tool = serializers.CharField()
    scanned_at = serializers.DateTimeField()
    data_as_of = serializers.DateTimeField(allow_null=True)


class DecisionOutput(serializers.Serializer[None]):
    person = serializers.CharField()
    approves = serializers.BooleanField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()
    scan = SeenScan(allow_null=True, help_text=OWN_TIME)


class PromotionOutput(serializers.Serializer[Promotion]):
    id = serializers.UUIDField()
    stage = serializers.CharField()
    repository = serializers.CharField()
    digest = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField(), help_text="That meant it when somebody asked.")
    state = serializers.CharField(help_text=", ".join(Promotion.State.values))
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    reason = serializers.CharField()
    expires_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    decisions = DecisionOutput(many=True)


class PromotionsOutput(serializers.Serializer[None]):
    results = PromotionOutput(many=True)


class RunOutput(serializers.Serializer[None]):
    app = serializers.CharField()
    service = serializers.CharField()
    environment = serializers.CharField()
    stage = serializers.CharField()
    release = serializers.IntegerField()


class OnePromotionOutput(PromotionOutput):
    difference = serializers.DictField(
        allow_null=True, help_text="To what of the same repository runs in the stage; null where nothing does."
    )


class ApprovalOutput(serializers.Serializer[Approval]):
    id = serializers.UUIDField()
    stage = serializers.CharField()
    repository = serializers.CharField()
    digest = serializers.CharField()
    approved_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    suspended_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(help_text="Why it is suspended; empty where it is not.")
    promotion = serializers.UUIDField()
    runs = RunOutput(many=True, help_text="Where it is declared now, suspended or not.")


class ApprovalsOutput(serializers.Serializer[None]):
    results = ApprovalOutput(many=True)


class EvidenceOutput(serializers.Serializer[Evidence]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    passed = serializers.BooleanField()
    text = serializers.CharField()
    added_by = serializers.CharField()
    added_at = serializers.DateTimeField()


class PassportOutput(serializers.Serializer[None]):
    form = serializers.CharField()
    project = serializers.CharField()
    digest = serializers.CharField()
    image = serializers.DictField()
    builders = serializers.ListField(child=serializers.CharField())
    builds = serializers.ListField(child=serializers.DictField(), help_text="Builds by Berth that it came of.")
    origin = serializers.DictField(help_text="What the image says of its source.")
    scan = SeenScan(allow_null=True)
    evidence = EvidenceOutput(many=True)
    promotions = PromotionOutput(many=True)
    approvals = serializers.ListField(child=serializers.DictField())
    runs = RunOutput(many=True)
    differences = serializers.ListField(child=serializers.DictField(), help_text="By stage, to what runs there.")
