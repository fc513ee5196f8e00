"""What taking an image out would break: said before, and asked again when it is done."""

from dataclasses import dataclass, field

from apps.selectors.running_images import MOST_RELEASES, Use, WayBack, ways_back, where_runs
from core.access import Actor
from images.models import Artifact
from images.repositories import selectors

MOST_LISTS = 50
MOST_TAGS = 200


@dataclass(frozen=True)
class Breaks:
    """`runs`: as far as the actor may see it; `elsewhere`: it runs where they may not look, too.

    `lists`: for which it is one platform's image. `back`: releases that could not be gone back to.
    """

    runs: list[Use] = field(default_factory=list)
    elsewhere: bool = False
    tags: list[str] = field(default_factory=list)
    lists: list[Artifact] = field(default_factory=list)
    back: list[WayBack] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        """Whether it has to stay."""
        return bool(self.runs) or self.elsewhere

    @property
    def many_back(self) -> bool:
        return len(self.back) >= MOST_RELEASES


def breaks_of(actor: Actor, artifact: Artifact) -> Breaks:
    """Of an image that is part of lists for several platforms, what runs of those counts as well."""
    lists = list(selectors.lists_with(artifact)[:MOST_LISTS])
    digests = [artifact.digest, *(row.digest for row in lists)]
    home = artifact.repository
    all_there = _flat(where_runs(None, digests, of=home))
    seen = _flat(where_runs(actor, digests, of=home)) if all_there else []
    return Breaks(
        runs=seen,
        elsewhere=len(all_there) > len(seen),
        tags=list(artifact.tags.order_by("name").values_list("name", flat=True)[:MOST_TAGS]),
        lists=lists,
        back=ways_back(actor, digests, of=home),
    )


def _flat(found: dict[str, list[Use]]) -> list[Use]:
    return [use for uses in found.values() for use in uses]
