"""How an image of our registry is looked through: layer after layer, each safe to be begun again by any worker."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from images.models import Artifact
from images.scanning import words
from images.scanning.ordering import KIND, target_of
from operations.changes import register_kind
from operations.models import Operation
from operations.registry import StepFailed, Wait, register, register_words

AWAY_SECONDS = 15.0
MOST_WAIT_SECONDS = 60.0
MOST_WAITING = 5000


class ScanImage:
    """Reads, compares, keeps. Of what was read before, here or for another image, nothing is read again."""

    deadline_seconds = 24 * 60 * 60  # the registry may be away, or many others wait
    long_steps = True

    def step(self, operation: Operation) -> Wait | None:
        if ahead := waiting_before(operation):
            return Wait(min(MOST_WAIT_SECONDS, float(ahead)), "scan_waits")
        rows = Artifact.objects.select_related("repository__project__tenant")
        artifact = rows.filter(pk=operation.params["artifact"]).first()
        if artifact is None:
            raise StepFailed("scan_gone")
        from core.errors import Unavailable
        from images.scanning import working  # its libraries are large, and a page needs none of them
        from images.scanning.looking import Failed
        from images.scanning.problems import ScanProblem

        try:
            return working.go_on(operation, artifact)
        except ScanProblem as problem:
            raise StepFailed(problem.code, problem.params) from problem
        except Failed as problem:
            raise StepFailed(problem.problem["code"], problem.problem["params"]) from problem
        except Unavailable:
            return Wait(AWAY_SECONDS, "registry_away", level="warn")

    def undo(self, operation: Operation) -> Wait | None:
        return None  # nothing was changed; what was read is forgotten by itself

    def settled(self, operation: Operation) -> None:
        """The report is kept beside the operation."""


def waiting_before(operation: Operation) -> int:
    """How many are to be looked at before this one's turn: each tenant has one in turn."""
    rows = Operation.objects.filter(kind=KIND, state__in=Operation.ACTIVE, failure__isnull=True)
    taken: dict[object, int] = {}
    ranks: list[tuple[int, int]] = []
    own = (0, 0)
    for at, (pk, tenant) in enumerate(rows.order_by("created_at", "pk").values_list("pk", "tenant_id")[:MOST_WAITING]):
        taken[tenant] = taken.get(tenant, 0) + 1
        ranks.append((taken[tenant], at))
        own = ranks[-1] if pk == operation.pk else own
    before = sum(rank < own for rank in ranks)
    at_once: int = settings.SCANS_AT_ONCE
    return max(0, before + 1 - at_once)


def last_try(artifact: Artifact) -> Operation | None:
    """The newest operation that looks, or looked, through this image."""
    return Operation.objects.filter(target=target_of(artifact)).order_by("-created_at", "-pk").first()


register_kind("scan", "image.view")  # told by `noting`
register(KIND, ScanImage())
register_words(
    {
        "scan_waits": _("Waiting for other images that are being looked through"),
        "scan_layer": _("Layer %(done)s of %(count)s is looked through"),
        "scan_gone": _("The image was deleted."),
        "registry_away": _("The registry does not answer; trying again"),
        **words.stops(),
    }
)
