"""That something be taken out of the registry. `apps.images.removing` does it then."""

from django.utils.translation import gettext as _

from apps.images.breaking import Breaks, breaks_of
from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict, NotFound
from images.models import Artifact, Repository, Tag

MOST_NAMED = 5


@command("image.remove", permission="image.delete")
def remove_image(actor: Actor, repository: Repository, *, digest: str) -> Artifact:
    """Refused while it runs somewhere. What one could only go back to does not hold it."""
    row = repository.artifacts.select_related("repository").filter(digest=digest).first()
    if row is None or not repository.path:
        raise NotFound()
    found = breaks_of(actor, row)
    if found.stands:
        raise _in_use(found)
    describe(before={"tags": found.tags, "releases": [f"{one.app.name} {one.number}" for one in found.back]})
    return row


@command("image.remove_tag", permission="image.delete")
def remove_tag(actor: Actor, repository: Repository, *, tag: str) -> Tag:
    """The image it means stays, by its digest; so nothing that runs is in the way."""
    row = repository.tags.select_related("artifact", "repository").filter(name=tag).first()
    if row is None or not repository.path:
        raise NotFound()
    describe(before={"digest": row.artifact.digest})
    return row


def _in_use(found: Breaks) -> Conflict:
    places = list(dict.fromkeys(f"{use.app.name} / {use.environment.name}" for use in found.runs))
    named = ", ".join(places[:MOST_NAMED])
    if not places:
        message = _("This image runs where you may not look, so it stays.")
    elif len(places) > MOST_NAMED:
        message = _("This image runs in %(places)s and more, so it stays.") % {"places": named}
    else:
        message = _("This image runs in %(places)s, so it stays.") % {"places": named}
    hint = _("Deploy another image there, or withdraw the app; then it can be deleted.")
    return Conflict(message, code="image_in_use", hint=hint, extra={"runs_in": places[:MOST_NAMED]})
