"""What is to be judged: who wants what, and where, with what is known of it. Reads rows only."""

from dataclasses import dataclass
from functools import cached_property

from apps.models import AppEnvironment
from apps.pinning import known
from apps.selectors.state import wanted_instances
from apps.specification import Specification, stored
from core.access import Actor
from images.models import Artifact


@dataclass(frozen=True)
class Plan:
    """`place` may be a row that was never saved, of an app that does not exist yet."""

    actor: Actor
    place: AppEnvironment
    spec: Specification

    @property
    def new(self) -> bool:
        """The app is made with this deployment."""
        return self.place.app._state.adding

    @cached_property
    def artifacts(self) -> dict[str, Artifact | None]:
        """What our list knows of each service's image."""
        images = {service.image for service in self.spec.services.values()}
        found = {image: known(self.place.project, image) for image in images}
        return {name: found[service.image] for name, service in self.spec.services.items()}

    @cached_property
    def runs(self) -> Specification | None:
        """What is declared here now; None where nothing is deployed."""
        return stored(self.place.release.specification) if self.place.release else None

    @cached_property
    def running(self) -> dict[str, int]:
        """How many instances of each service are declared here now; none where it is stopped."""
        return wanted_instances(self.place) if self.place.release and not self.place.stopped else {}


def at(service: str, *below: str) -> str:
    """The path of something of a service, as the sender of a deployment writes it."""
    return ".".join(("spec.services", service, *below))
