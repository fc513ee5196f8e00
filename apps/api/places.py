"""One app in one environment over HTTP: what runs, and changing it."""

import uuid
from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps import services
from apps.api.inputs import InstanceQuery, RestartInput, RollbackInput, ScaleInput
from apps.api.shapes import InstanceOutput, PlaceOutput
from apps.models import AppEnvironment
from apps.selectors import listing
from apps.selectors.newer_images import newer_there, shown_newer
from core import access
from core.api.endpoint import View, endpoint
from core.api.inputs import Change
from core.api.paging import page
from core.api.schema import page_of
from operations.api.changes import ChangeView
from operations.api.shapes import STARTED
from operations.models import Operation


class Place(View):
    @endpoint("show_place", answers={200: PlaceOutput})
    def get(self, request: Request, **names: str) -> Response:
        """What is declared for an app in an environment, and what runs there."""
        return self.one(listing.shown_place(listing.place(self.actor, names)))


class Instances(View):
    @endpoint("list_instances", query=InstanceQuery, answers={200: page_of(InstanceOutput)})
    def get(self, request: Request, **names: str) -> Response:
        """The instances that run or ended of late, by service and number."""
        filters = {name: self.query[name] for name in ("service", "wanted") if self.query.get(name) is not None}
        rows = listing.instances(listing.place(self.actor, names)).filter(**filters)
        return Response(page(self.slip("service", "number", "id"), rows, show=listing.shown_instances))


class OneInstance(View):
    @endpoint("show_instance", answers={200: InstanceOutput})
    def get(self, request: Request, instance: uuid.UUID, **names: str) -> Response:
        """One instance."""
        return self.one(listing.instance(listing.place(self.actor, names), instance))


class NewerOutput(serializers.Serializer[None]):
    service = serializers.CharField()
    reference = serializers.CharField(help_text="What to write as `image` in a new release.")
    before = serializers.CharField(help_text="The tag that runs.")
    digest = serializers.CharField(help_text="What the reference means now.")
    pushed = serializers.BooleanField(help_text="The same tag was pushed anew; else it is a higher version.")
    at = serializers.DateTimeField()
    by = serializers.CharField(help_text="Who pushed it; empty where nobody told.")


class NewerImagesOutput(serializers.Serializer[None]):
    images = NewerOutput(many=True)


class NewerImages(View):
    @endpoint("show_newer_images", answers={200: NewerImagesOutput})
    def get(self, request: Request, **names: str) -> Response:
        """For each service that runs there: a higher version in its repository, or its tag pushed anew."""
        place = listing.place(self.actor, names)
        access.check(self.actor, "image.view", place)
        return self.one({"images": [shown_newer(one) for one in newer_there(self.actor, place)]})


class PlaceChange(ChangeView):
    """Base of the changes below."""

    def change(self, names: dict[str, str], act: Callable[[AppEnvironment], Operation]) -> Response:
        place = listing.place(self.actor, names)
        self.check_unchanged(place)
        return self.operate(lambda: act(place))


def changing(name: str, **more: Any) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    return endpoint(name, query=Change, answers=STARTED, versioned=True, repeatable=True, **more)


class Scale(PlaceChange):
    @changing("scale", body=ScaleInput)
    def post(self, request: Request, **names: str) -> Response:
        """Set how many instances of a service run."""
        return self.change(names, lambda place: services.scale(self.actor, place, **self.sent))


class Restart(PlaceChange):
    @changing("restart", body=RestartInput)
    def post(self, request: Request, **names: str) -> Response:
        """Replace every instance, one after the other."""
        return self.change(names, lambda place: services.restart(self.actor, place, **self.sent))


class Stop(PlaceChange):
    @changing("stop")
    def post(self, request: Request, **names: str) -> Response:
        """End all instances; release, settings and history stay."""
        return self.change(names, lambda place: services.stop(self.actor, place))


class Start(PlaceChange):
    @changing("start")
    def post(self, request: Request, **names: str) -> Response:
        """Run again what was stopped."""
        return self.change(names, lambda place: services.start(self.actor, place))


class Withdraw(PlaceChange):
    @changing("withdraw")
    def post(self, request: Request, **names: str) -> Response:
        """Take the app out of this environment; releases and history stay."""
        return self.change(names, lambda place: services.withdraw(self.actor, place))


class Rollback(PlaceChange):
    @changing("rollback", body=RollbackInput)
    def post(self, request: Request, **names: str) -> Response:
        """Serve an earlier release again."""
        return self.change(names, self._act)

    def _act(self, place: AppEnvironment) -> Operation:
        release = listing.release_in(place.app, self.sent["release"])
        return services.rollback(self.actor, place, release=release)  # type: ignore[arg-type]  # a number was sent
