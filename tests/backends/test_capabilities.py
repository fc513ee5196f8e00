"""Where clusters differ: known without an engine, said in words, printed, and written down."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from backends.contract import Capabilities
from backends.differences import ways
from backends.models import Cluster
from backends.registry import capabilities_of

GUIDE = Path(__file__).parents[2] / "docs/guide/operators/what-is-different.md"
ABILITIES = [one for one in fields(Capabilities) if one.type is bool]
REAL = [Cluster.Kind.SWARM, Cluster.Kind.KUBERNETES]


def test_each_capability_is_said_with_it_and_without_it() -> None:
    named = [one.name for one in ABILITIES]
    with_all, without = (list(ways(Capabilities(**dict.fromkeys(named, has)))) for has in (True, False))
    assert {one.code for one in with_all} == set(named)
    assert all(one.has and one.said for one in with_all)
    assert not any(one.has for one in without)
    assert len({one.said for one in (*with_all, *without)}) == 2 * len(named)


def test_what_truly_differs_is_printed_and_in_the_guide(record_property: Callable[[str, object], None]) -> None:
    guide = GUIDE.read_text()
    kinds = {kind: capabilities_of(Cluster(kind=kind)) for kind in REAL}
    for one in ABILITIES:
        said = {kind: getattr(capabilities, one.name) for kind, capabilities in kinds.items()}
        assert len(set(said.values())) == 2, f"{one.name} is the same everywhere: it is no difference"
        assert f"`{one.name}`" in guide, f"{one.name} is not in {GUIDE.name}"
        words = ", ".join(f"{kind} {'yes' if has else 'no'}" for kind, has in said.items())
        record_property("differs", f"{one.name}: {words}")
