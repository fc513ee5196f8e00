"""`deploy`: how many, with how much, how replaced, how started again, and where."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apps.specification.part import Canonical, Part, canonical, checked
from apps.specification.problems import Gathering, fault
from apps.specification.reserved import check_label
from apps.specification.scalars import (
    GI,
    MI,
    Read,
    cpus,
    cpus_text,
    duration,
    duration_text,
    memory,
    memory_text,
    one_of,
    ratio,
    whole,
)

MOST_INSTANCES = 1000
MOST_CONSTRAINTS = 10
CONSTRAINT = re.compile(r"node\.labels\.([A-Za-z0-9][A-Za-z0-9._/-]{0,127}) ?== ?([A-Za-z0-9][A-Za-z0-9._-]{0,127})\Z")

Cpus = Annotated[int, Read(cpus, {"type": ["string", "number"]})]
Memory = Annotated[int, memory(4 * MI, 512 * GI)]
Delay = Annotated[float, duration(0, 3600)]


class Limits(Part):
    """Cores in thousandths, memory in bytes; None is no limit (Berth limits processes anyway)."""

    cpus: Cpus | None = None
    memory: Memory | None = None
    pids: Annotated[int | None, whole(8, 65536)] = None

    def canonical(self) -> Canonical:
        return amounts(self.cpus, self.memory) | canonical(pids=self.pids)


class Reservations(Part):
    cpus: Cpus | None = None
    memory: Memory | None = None

    def canonical(self) -> Canonical:
        return amounts(self.cpus, self.memory)


def amounts(millicores: int | None, size: int | None) -> Canonical:
    return canonical(
        cpus=None if millicores is None else cpus_text(millicores),
        memory=None if size is None else memory_text(size),
    )


class Resources(Part):
    limits: Limits = Limits()
    reservations: Reservations = Reservations()

    @model_validator(mode="after")
    def _reserve_within_limits(self) -> Self:
        checked(self._check)
        return self

    def _check(self) -> None:
        wrong = Gathering()
        for key in ("cpus", "memory"):
            limit, reserved = getattr(self.limits, key), getattr(self.reservations, key)
            with wrong.at("reservations", key):
                if limit is not None and reserved is not None and reserved > limit:
                    raise fault("reservation_over_limit")
        wrong.finish()

    def canonical(self) -> Canonical:
        return canonical(limits=self.limits.canonical(), reservations=self.reservations.canonical())


def read_failure_action(value: object) -> str:
    if value != "rollback":
        raise fault("failure_action")
    return "rollback"


class UpdateConfig(Part):
    """`order` None: start-first, but stop-first for a service that keeps data in a volume."""

    parallelism: Annotated[int, whole(1, MOST_INSTANCES)] = 1
    delay: Delay = 0.0
    monitor: Delay = 5.0
    max_failure_ratio: Annotated[float, Read(ratio, {"type": "number", "minimum": 0, "maximum": 1})] = 0.0
    order: Annotated[Literal["start-first", "stop-first"] | None, one_of("start-first", "stop-first")] = None
    failure_action: Annotated[str, Read(read_failure_action, {"enum": ["rollback"]})] = "rollback"

    def canonical(self) -> Canonical:
        return canonical(
            parallelism=self.parallelism,
            delay=duration_text(self.delay),
            monitor=duration_text(self.monitor),
            max_failure_ratio=self.max_failure_ratio,
            order=self.order,
        )


class RollbackConfig(Part):
    parallelism: Annotated[int, whole(1, MOST_INSTANCES)] = 1
    delay: Delay = 0.0
    monitor: Delay = 5.0
    max_failure_ratio: Annotated[float, Read(ratio, {"type": "number", "minimum": 0, "maximum": 1})] = 0.0
    order: Annotated[Literal["start-first", "stop-first"] | None, one_of("start-first", "stop-first")] = None

    def canonical(self) -> Canonical:
        return canonical(
            parallelism=self.parallelism,
            delay=duration_text(self.delay),
            monitor=duration_text(self.monitor),
            max_failure_ratio=self.max_failure_ratio,
            order=self.order,
        )


class RestartPolicy(Part):
    condition: Annotated[Literal["none", "on-failure", "any"], one_of("none", "on-failure", "any")] = "any"
    delay: Delay = 2.0
    max_attempts: Annotated[int | None, whole(1, 1000)] = None
    window: Annotated[float | None, duration(0, 86400)] = None

    def canonical(self) -> Canonical:
        return canonical(
            condition=self.condition,
            delay=duration_text(self.delay),
            max_attempts=self.max_attempts,
            window=None if self.window is None else duration_text(self.window),
        )


def read_constraints(value: object) -> tuple[tuple[str, str], ...]:
    """Pairs of host label and value, sorted."""
    if not isinstance(value, list | tuple):
        raise fault("not_a_list")
    if len(value) > MOST_CONSTRAINTS:
        raise fault("too_many", limit=MOST_CONSTRAINTS)
    found: dict[str, str] = {}
    wrong = Gathering()
    for index, written in enumerate(value):
        with wrong.at(index):
            match = CONSTRAINT.match(written) if isinstance(written, str) else None
            if match is None:
                raise fault("bad_constraint", value=written)
            check_label(match[1], match[2])
            if found.setdefault(match[1], match[2]) != match[2]:
                raise fault("twice", name=match[1])
    wrong.finish()
    return tuple(sorted(found.items()))


class Placement(Part):
    constraints: Annotated[
        tuple[tuple[str, str], ...],
        Read(
            read_constraints,
            {"type": "array", "items": {"type": "string", "pattern": r"^node\.labels\.\S+ ?== ?\S+$"}},
        ),
    ] = ()
    max_replicas_per_node: Annotated[int | None, whole(1, MOST_INSTANCES)] = None

    def canonical(self) -> Canonical:
        return canonical(
            constraints=[f"node.labels.{key} == {value}" for key, value in self.constraints],
            max_replicas_per_node=self.max_replicas_per_node,
        )


def read_mode(value: object) -> str:
    if value == "global":
        raise fault("mode_global")
    if value != "replicated":
        raise fault("not_one_of", words="replicated", value=value)
    return "replicated"


class Deploy(Part):
    replicas: Annotated[int, whole(0, MOST_INSTANCES)] = 1
    mode: Annotated[str, Read(read_mode, {"enum": ["replicated"]})] = "replicated"
    resources: Resources = Resources()
    update_config: UpdateConfig | None = None
    rollback_config: RollbackConfig | None = None
    restart_policy: RestartPolicy | None = None
    placement: Placement = Field(default=Placement())

    def canonical(self) -> Canonical:
        return canonical(
            replicas=self.replicas,
            resources=self.resources.canonical(),
            update_config=self.update_config and self.update_config.canonical(),
            rollback_config=self.rollback_config and self.rollback_config.canonical(),
            restart_policy=self.restart_policy and self.restart_policy.canonical(),
            placement=self.placement.canonical(),
        )
