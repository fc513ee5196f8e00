"""How an image is built: whose turn it is, and what is left when it ends, however it ends."""

import contextlib

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from backends.contract import DriverError
from core.errors import Unavailable
from images.building import room, words
from images.building.models import Build
from images.building.services import KIND
from images.building.telling import tell
from images.uploading import room as uploads
from images.uploading.models import Upload
from images.uploading.telling import tell as tell_of_upload
from operations.models import Operation
from operations.registry import Wait, register, register_words

WAITS_SECONDS = 2.0
AWAY_SECONDS = 10.0
LOOK_SECONDS, MOST_LOOKS = 1.0, 30


class BuildImage:
    """`build.work`: how often it was tried, and the image that the builder made."""

    deadline_seconds = 24 * 3600  # others may be before it
    long_steps = True

    def step(self, operation: Operation) -> Wait | None:
        build = Build.objects.select_related("project__tenant").get(pk=operation.params["build"])
        if not operation.step:
            if not _is_its_turn(build):
                return Wait(WAITS_SECONDS, "build_waits")
            return Wait(0.0, "build_fetching", step="fetching")
        from images.building import working  # asks by libraries that a page need not load

        try:
            return working.go_on(operation, build)
        except Unavailable:
            return Wait(AWAY_SECONDS, "build_registry_away", level="warn")

    def undo(self, operation: Operation) -> Wait | None:
        """The builder ended with the call to it; what it had done so far is forgotten there."""
        from images.building import working

        build = Build.objects.filter(pk=operation.params["build"]).first()
        looks = build.work.get("looks", 0) if build is not None else MOST_LOOKS
        if build is None or not build.started_at or looks >= MOST_LOOKS:
            return None
        with contextlib.suppress(DriverError):
            if working.tidy(build):  # the builder has not noticed yet that nobody listens
                working.note(operation, build, work=build.work | {"looks": looks + 1})
                return Wait(LOOK_SECONDS)
        return None

    def settled(self, operation: Operation) -> None:
        build = Build.objects.get(pk=operation.params["build"])
        ends = {Operation.State.SUCCEEDED: Build.State.DONE, Operation.State.CANCELLED: Build.State.CANCELLED}
        state = ends.get(Operation.State(operation.state), Build.State.FAILED)
        found = {"failure": operation.failure} if state != Build.State.DONE else {}
        Build.objects.filter(pk=build.pk).update(state=state, ended_at=Now(), work={}, secret=None, user="", **found)
        tell(build)
        if build.upload_id:
            _end_upload(build, done=state == Build.State.DONE)
        transaction.on_commit(lambda: room.give_back(build.pk), robust=True)


def _is_its_turn(build: Build) -> bool:
    """So many of the project and of the cluster at a time, in the order in which they were asked for."""
    before = Build.objects.filter(state__in=Build.OPEN, created_at__lte=build.created_at).exclude(pk=build.pk)
    of_project = before.filter(project=build.project_id).count()
    of_cluster = before.filter(cluster=build.cluster_id, state=Build.State.WORKING).count()
    most, most_of_cluster = int(settings.BUILDS["at_once"]), int(settings.BUILDS["cluster_at_once"])
    return of_project < most and of_cluster < most_of_cluster


def _end_upload(build: Build, *, done: bool) -> None:
    upload = Upload.objects.filter(pk=str(build.upload_id), state=Upload.State.WORKING).first()
    if upload is None:
        return
    Upload.objects.filter(pk=upload.pk).update(state=Upload.State.DONE if done else Upload.State.FAILED)
    tell_of_upload(upload)
    transaction.on_commit(lambda: uploads.give_back(upload.pk), robust=True)


register(KIND, BuildImage())
register_words(words.sentences())
register_words(
    {
        "build_waits": _("Waiting for other builds"),
        "build_fetching": _("Fetching the sources"),
        "build_building": _("Building"),
        "build_pushing": _("Putting the image into the registry"),
        "build_registry_away": _("The registry does not answer just now; trying again"),
        "build_push_again": _("The image did not get into the registry; trying again. %(said)s"),
        "build_registry_closed": _("The registry is being tidied up and takes nothing new until that is done; waiting"),
    }
)
