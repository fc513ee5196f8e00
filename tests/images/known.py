"""What stands for the gaps in addresses of images: a request with its approval, and rules."""

import uuid
from datetime import timedelta

from django.utils import timezone

from images.models import Approval, Promotion, RetentionRule, TagRule
from tests.conftest import Cast


def promotion_of(cast: Cast, digest: str) -> dict[str, str]:
    """A request, and what came of it, by the parts of addresses."""
    whose = {"tenant": cast.acme, "project": cast.shop, "stage": "prod", "digest": digest, "name": "own"}
    asked = Promotion.objects.create(
        **whose, asked_by=cast.developer, asked_by_name="developer", expires_at=timezone.now() + timedelta(days=7)
    )
    approval = Approval.objects.create(**whose, promotion=asked, approved_at=timezone.now())
    return {"promotion": str(asked.pk), "approval": str(approval.pk), "stage": "prod"}


def rule_of(cast: Cast) -> uuid.UUID:
    """The id of one rule of each kind about images."""
    rule = TagRule.objects.create(tenant=cast.acme, project=cast.shop, repositories="*", tags="v*", made_by="owner")
    RetentionRule.objects.create(
        pk=rule.pk, tenant=cast.acme, project=cast.shop, repositories="*", newest=1, made_by="owner"
    )
    return rule.pk
