"""Images of shop, scans of them, and people who ask and answer."""

from datetime import UTC, datetime
from typing import Any

from apps.models import AppEnvironment
from apps.services import create_app
from images.models import Artifact, Repository, Tag
from images.promotion import services
from images.promotion.models import Promotion
from images.scanning.models import Scan
from tenants.models import Project
from tests.conftest import Cast

ADDRESS = "registry.test:5000"


def digest_of(letter: str) -> str:
    return f"sha256:{letter * 64}"


def pushed(
    cast: Cast, letter: str, *, tag: str = "1", name: str = "web", by: str = "", project: Project | None = None
) -> Artifact:
    """An image in the registry: `registry.test:5000/acme/shop/web:1`, with a digest of one letter."""
    home = project or cast.shop
    path = f"{home.tenant.name}/{home.name}/{name}"
    repository, _made = Repository.objects.get_or_create(
        path=path, defaults={"name": f"{ADDRESS}/{path}", "tenant": home.tenant, "project": home}
    )
    digest = digest_of(letter)
    artifact, _made = Artifact.objects.get_or_create(
        repository=repository,
        digest=digest,
        defaults={"pinned": f"{repository.name}@{digest}", "pushed_by": by, "size_bytes": 10_000_000},
    )
    Tag.objects.update_or_create(repository=repository, name=tag, defaults={"artifact": artifact})
    return artifact


def scanned(artifact: Artifact, rating: str, **more: Any) -> Scan:
    best = rating if rating != "unknown" else "A"
    return Scan.objects.create(
        artifact=artifact, rating=rating, at_best=best, tool="berth", data_as_of=datetime.now(UTC), **more
    )


def gated(cast: Cast, stage: str = "prod", **asks: Any) -> None:
    services.set_policy(cast.actor("owner"), cast.shop, stage=stage, **asks)


def asked(cast: Cast, artifact: Artifact, stage: str = "prod", *, by: str = "developer") -> Promotion:
    return services.ask(cast.actor(by), cast.shop, stage=stage, artifact=artifact)


def approved(cast: Cast, artifact: Artifact, stage: str = "prod", *, by: str = "releaser") -> Promotion:
    """Asked for by the developer, approved by the release manager."""
    return services.approve(cast.actor(by), asked(cast, artifact, stage))


def place_in(cast: Cast, environment: str, *, app: str = "hello") -> AppEnvironment:
    rows = AppEnvironment.objects.select_related("app", "environment__cluster", "project__tenant", "release")
    found = rows.filter(app__name=app, app__project=cast.shop, environment__name=environment).first()
    if found is None:
        create_app(cast.actor("developer"), cast.shop, name=app)
        found = rows.get(app__name=app, app__project=cast.shop, environment__name=environment)
    return found
