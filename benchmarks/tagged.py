"""Puts a repository of many tags, each an image of its own, into a project: rows alone, nothing is in a registry.

`python -m benchmarks.inside benchmarks.tagged --tags 10000`
"""

import argparse
from datetime import timedelta

from django.utils import timezone

from images.models import Artifact, Repository, Scan, Tag
from tenants.models import Project

BATCH = 1000
PATH = "demo/shop/bench"
STEP = {"created_at": "", "created_by": "RUN make all # " + "x" * 200, "comment": "", "empty": False}


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tags", type=int, required=True)
    asked = parser.parse_args(words)
    shop = Project.objects.get(tenant__name="demo", name="shop")
    home = Repository.objects.create(tenant_id=shop.tenant_id, project=shop, path=PATH, name=f"registry.test/{PATH}")
    artifacts = [artifact(home, number) for number in range(asked.tags)]
    Artifact.objects.bulk_create(artifacts, batch_size=BATCH)
    now = timezone.now()
    Tag.objects.bulk_create(
        (
            Tag(repository=home, name=f"1.{number}", artifact=row, moved_at=now - timedelta(minutes=number))
            for number, row in enumerate(artifacts)
        ),
        batch_size=BATCH,
    )
    Scan.objects.bulk_create((Scan(artifact=row, rating="A", at_best="A") for row in artifacts[::2]), batch_size=BATCH)


def artifact(home: Repository, number: int) -> Artifact:
    """As large a row as an image makes that says much of itself."""
    digest = f"sha256:{number:064x}"
    return Artifact(
        repository=home,
        digest=digest,
        pinned=f"{home.name}@{digest}",
        size_bytes=80_000_000 + number,
        platform="linux/amd64",
        layers=[{"digest": f"sha256:{layer:064x}", "size": 8_000_000} for layer in range(10)],
        labels={f"org.example.label-{label}": "x" * 60 for label in range(10)},
        configuration={"environment": [[f"NAME_{one}", "x" * 60] for one in range(10)]},
        history=[STEP] * 10,
    )


if __name__ == "__main__":
    main()
