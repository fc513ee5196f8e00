"""What is exported a real API server takes, strictly: no field that it does not know, no value out of its bounds."""

import pytest
import yaml

from apps.specification import Specification, exported, import_of, read_data, read_text
from backends.formats import format_named
from launcher.problems import Problem
from tests.apps.specification.stage import COMPLETE
from tests.apps.specification.test_exporting import MORE
from tests.apps.specification.test_foreign import FILE
from tests.cluster import LiveCluster

pytestmark = pytest.mark.kubernetes
STRICTLY = ("apply", "--namespace=default", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")


def specifications() -> dict[str, Specification]:
    imported = import_of(FILE).specification
    assert imported is not None
    found = {name: read_data(document).specification for name, document in MORE.items()}
    return found | {"complete": read_text(COMPLETE).specification, "imported": imported}


def written(spec: Specification) -> str:
    form = format_named("kubernetes")
    assert form is not None
    return exported(spec, app="shop", form=form)


@pytest.mark.parametrize("name", list(specifications()))
def test_what_is_exported_is_taken_strictly(name: str, kubernetes: LiveCluster) -> None:
    text = written(specifications()[name])
    wanted = list(yaml.safe_load_all(text))
    said = kubernetes.kubectl(*STRICTLY, text=text).splitlines()
    assert len(said) == len(wanted)
    assert all(line.endswith("serverside-applied (server dry run)") for line in said), said


def test_the_check_sees_what_is_wrong(kubernetes: LiveCluster) -> None:
    text = written(specifications()["complete"]).replace("readinessProbe:", "readyProbe:")
    with pytest.raises(Problem, match="readyProbe"):
        kubernetes.kubectl(*STRICTLY, text=text)
