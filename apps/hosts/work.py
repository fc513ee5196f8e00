"""What is to be done with a host, as it travels in an operation."""

from dataclasses import dataclass
from uuid import UUID

from backends.contract import ReasonCode
from backends.models import Cluster, Host
from operations.models import Operation
from operations.registry import StepFailed

KIND = "host."
DRAIN = f"{KIND}drain.run"
NEEDS = "cluster.manage"


@dataclass(frozen=True)
class Work:
    """`host` is the engine's id and `name` what people call it: its row may be gone when the work is done.

    `open_before`: whether it took new instances when this was asked for.
    """

    cluster: str
    host: str
    name: str
    open_before: bool

    @classmethod
    def on(cls, host: Host) -> "Work":
        return cls(str(host.cluster_id), host.engine_id, host.name, host.schedulable)

    @classmethod
    def read(cls, operation: Operation) -> "Work":
        return cls(**operation.params["work"])

    @property
    def home(self) -> Cluster:
        found = Cluster.objects.filter(pk=UUID(self.cluster)).first()
        if found is None:
            raise self.gone
        return found

    @property
    def gone(self) -> StepFailed:
        """The host is no part of the cluster any more, or the cluster is not known any more."""
        return StepFailed(str(ReasonCode.HOST_GONE), {"host": self.name})


def being_emptied() -> set[UUID]:
    """Hosts that are being emptied at this moment."""
    rows = Operation.objects.filter(kind=DRAIN, state__in=Operation.ACTIVE).values_list("target", flat=True)
    return {UUID(target.partition(":")[2]) for target in rows}


def target_of(host: Host) -> str:
    """The key that lets one change of a host run at a time."""
    return f"host:{host.pk}"
