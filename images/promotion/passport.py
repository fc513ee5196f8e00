"""All that is known of one image in one project, in one document: for people to read and for others to keep."""

from typing import Any

from images.building import selectors as builds
from images.building.models import Build
from images.models import Artifact
from images.promotion import rating, selectors
from images.promotion.models import Approval, Evidence, Promotion
from images.promotion.words import why_suspended
from tenants.models import Project

SOURCE = "org.opencontainers.image."
FORM = "berth.passport/1"
MOST_BUILDS = 20


def passport(project: Project, artifact: Artifact) -> dict[str, Any]:
    """Plain JSON. Scans stand twice: as it is now, and with each decision as whoever decided saw it."""
    digest = artifact.digest
    scan = rating.scan_of(project.pk, digest, artifact.repository.name)
    asked = selectors.promotions(project).filter(digest=digest)
    approvals = selectors.approvals(project).filter(digest=digest)
    return {
        "form": FORM,
        "project": str(project),
        "digest": digest,
        "image": _image(artifact),
        "builders": sorted(selectors.builders(digest, tenant=project.tenant_id)),
        "builds": [_build(one) for one in builds.of_digest(digest, tenant=project.tenant_id)[:MOST_BUILDS]],
        "origin": {
            name.removeprefix(SOURCE): value for name, value in artifact.labels.items() if name.startswith(SOURCE)
        },
        "scan": rating.seen(scan),
        "evidence": [shown_evidence(row) for row in selectors.evidence(project, digest)],
        "promotions": [shown_promotion(row) for row in asked],
        "approvals": [shown_approval(row) for row in approvals],
    }


def _build(row: Build) -> dict[str, Any]:
    """One build by Berth that this very image came of."""
    return {
        "id": str(row.pk), "built_by": row.owner_name, "address": row.address, "revision": row.revision,
        "commit": row.commit, "file_name": row.file_name, "recipe": row.recipe, "ended_at": _time(row.ended_at),
    }  # fmt: skip


def _image(artifact: Artifact) -> dict[str, Any]:
    columns = ("size_bytes", "platform", "ports", "user", "labels", "layers")
    return {name: getattr(artifact, name) for name in columns} | {
        "repository": artifact.repository.name,
        "tags": list(artifact.tags.order_by("name").values_list("name", flat=True)),
        "built_at": _time(artifact.built_at),
        "seen_at": _time(artifact.created_at),
    }


def shown_evidence(row: Evidence) -> dict[str, Any]:
    return {
        "id": str(row.pk), "kind": row.kind, "passed": row.passed, "text": row.text,
        "added_by": row.added_by_name, "added_at": _time(row.created_at),
    }  # fmt: skip


def shown_promotion(row: Promotion) -> dict[str, Any]:
    """A request with its answers."""
    return {
        "id": str(row.pk), "stage": row.stage, "repository": row.name, "digest": row.digest, "tags": row.tags,
        "state": row.state, "asked_by": row.asked_by_name, "asked_at": _time(row.created_at), "reason": row.reason,
        "expires_at": _time(row.expires_at), "ended_at": _time(row.ended_at),
        "decisions": [
            {
                "person": one.person_name, "approves": one.approves, "reason": one.reason,
                "at": _time(one.created_at), "scan": one.scan,
            }
            for one in row.decisions.all()
        ],
    }  # fmt: skip


def shown_approval(row: Approval) -> dict[str, Any]:
    return {
        "id": str(row.pk), "stage": row.stage, "repository": row.name, "digest": row.digest,
        "approved_at": _time(row.approved_at), "valid_until": _time(row.valid_until),
        "suspended_at": _time(row.suspended_at), "why": why_suspended(row.why), "promotion": str(row.promotion_id),
    }  # fmt: skip


def _time(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
