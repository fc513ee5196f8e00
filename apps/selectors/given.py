"""What the cluster of an environment is given for a release, in its own words; secrets covered, nothing asked of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from apps import reserving
from apps.building import environment_ref, pinned_images, services_of
from apps.models import AppEnvironment, Release
from apps.specification import SpecificationError, as_yaml
from backends import words
from backends.contract import DriverError, Given
from backends.registry import driver_for
from images.registry.accounts import known_credentials

YAML, JSON = "yaml", "json"


@dataclass(frozen=True)
class GivenWords:
    """`speaks`: what the documents are called. `why_not` and `hint`: why there are none. `serves`: they were given
    already; else they would be."""

    speaks: str
    serves: bool
    documents: Sequence[Given] = ()
    why_not: str = ""
    hint: str = ""

    @property
    def parts(self) -> list[tuple[str, list[Given]]]:
        """By service; first what the whole environment needs, under no name."""
        names = dict.fromkeys(one.service for one in self.documents)
        return [(name, [one for one in self.documents if one.service == name]) for name in names]

    def text(self, way: str = YAML, service: str | None = None) -> str:
        """All of them, or those of one service."""
        wanted = [one.document for one in self.documents if service is None or one.service == service]
        if way == JSON:
            return json.dumps(wanted, indent=2, ensure_ascii=False)
        return "---\n".join(as_yaml(one) for one in wanted)


def given(place: AppEnvironment, release: Release) -> GivenWords:
    driver = driver_for(place.environment.cluster)
    pull = known_credentials(place.environment.engine_name)
    environment = environment_ref(place, ceiling=reserving.ceiling(place), pull=pull)
    speaks, serves = driver.capabilities().speaks, place.release_id == release.pk
    try:
        specs = services_of(place, release, pinned=pinned_images(release))
        return GivenWords(speaks, serves, driver.given(environment, specs))
    except SpecificationError as error:
        first = error.errors[0]
        return GivenWords(speaks, serves, why_not=str(first.message), hint=str(first.hint))
    except DriverError as error:
        return GivenWords(speaks, serves, why_not=words.sentence(error.reason), hint=words.hint(error.reason))
