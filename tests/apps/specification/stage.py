"""What the tests of the specification share."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from apps.specification import BuildContext, Problem, SpecificationError, read_data
from apps.specification.reading import Mode

COMPLETE = (Path(__file__).parent / "complete.yaml").read_text()
DIGEST = "sha256:" + "ab" * 32


def one_service(**keys: Any) -> dict[str, Any]:
    """A document with one service `web`; `x_berth` stands for x-berth."""
    service = {"image": "nginx:1.29"} | {key.replace("x_berth", "x-berth"): value for key, value in keys.items()}
    return {"services": {"web": service}}


def kept(**keys: Any) -> dict[str, Any]:
    """The canonical form of that service."""
    canonical: Any = read_data(one_service(**keys)).specification.canonical()
    return dict(canonical["services"]["web"])


def problems(data: object, *, mode: Mode = "strict") -> dict[str, Problem]:
    """Field to problem; fails when the document is accepted."""
    with pytest.raises(SpecificationError) as raised:
        read_data(data, mode=mode)
    return {problem.field: problem for problem in raised.value.errors}


def codes(data: object, *, mode: Mode = "strict") -> dict[str, str]:
    return {field: problem.code for field, problem in problems(data, mode=mode).items()}


def context(services: Iterable[str], **more: Any) -> BuildContext:
    settings: dict[str, Any] = {
        "environment": "env-1",
        "app": "app-1",
        "pinned": {name: f"docker.io/library/{name}@{DIGEST}" for name in services},
        "volume_name": lambda name: f"app-1-{name}",
        "file_name": lambda kind, name, content: f"{kind}-{name}-{len(content)}",
    }
    return BuildContext(**settings | more)
