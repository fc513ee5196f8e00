"""A full pass over recorded objects: `python -m benchmarks.inside benchmarks.recorded FOLDER --objects 10000`.

FOLDER holds what a real API answered to the lists of the driver, one file for each path. Its objects are repeated under
other names until there are so many, and answered from memory, in pages as the API does; prints the processor seconds of
one pass, over how many objects, as JSON, and those of a look at what a watch has kept of them. A pass includes reading
the JSON, but neither the network nor the database.
"""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from backends.kubernetes import kinds
from backends.kubernetes.access import from_kubeconfig
from backends.kubernetes.client import ApiServer
from backends.kubernetes.driver import KubernetesDriver
from backends.kubernetes.pages import SIZE, page_of
from backends.kubernetes.store import SELECTORS, Store

PASSES = 5


def repeated(folder: Path, objects: int) -> Mapping[str, list[bytes]]:
    """By path, the pages that an API answers that holds so many."""
    lists = {told["path"]: told["answer"] for told in (json.loads(one.read_text()) for one in folder.glob("*.json"))}
    times = objects // sum(len(answer["items"]) for path, answer in lists.items() if not path.endswith("/nodes"))
    made = {}
    for path, answer in lists.items():
        items = answer["items"]
        if not path.endswith("/nodes"):
            items = [renamed(thing, turn) for turn in range(times) for thing in items]
        made[path] = pages_of(answer, items)
    return made


def pages_of(answer: dict[str, Any], items: list[dict[str, Any]]) -> list[bytes]:
    """Each but the last names the next by its number."""
    pages = [items[first : first + SIZE] for first in range(0, len(items), SIZE)] or [[]]
    about = answer["metadata"]
    more = [{"continue": str(number + 1)} if number + 1 < len(pages) else {} for number in range(len(pages))]
    return [
        json.dumps(answer | {"items": page, "metadata": about | rest}).encode()
        for page, rest in zip(pages, more, strict=True)
    ]


def renamed(thing: dict[str, Any], turn: int) -> dict[str, Any]:
    """Another app's: its name, its id and every label."""
    text = json.dumps(thing)
    app = thing["metadata"]["labels"]["berth/app"]
    uid = thing["metadata"]["uid"]
    found: dict[str, Any] = json.loads(text.replace(app, f"{app}-{turn}").replace(uid, f"{uid}-{turn}"))
    return found


def one_pass(driver: KubernetesDriver, answers: Mapping[str, list[bytes]]) -> tuple[float, int]:
    """Processor seconds, and how many instances were seen."""

    def read(_self: ApiServer, path: str, **query: Any) -> bytes:
        return answers[path][int(query.get("continue", 0))]

    def holds(_self: ApiServer) -> None:
        """It does."""

    with patch.object(ApiServer, "read", read), patch.object(ApiServer, "holds", holds):
        began = time.process_time()
        snapshot = driver.snapshot()
        return time.process_time() - began, sum(len(service.instances) for service in snapshot.services)


def kept_by(store: Store, answers: Mapping[str, list[bytes]]) -> None:
    """As a watch leaves it after its list."""
    for kind in SELECTORS:
        things: dict[str, Any] = {}
        for page in answers[kinds.path(kind)]:
            things |= page_of(kind, page).things
        store.fill(kind, things, "1")
        store.opened(kind)


def main(folder: Path, objects: int) -> None:
    answers = repeated(folder, objects)
    driver = KubernetesDriver(from_kubeconfig((folder / "kubeconfig").read_text()))
    number = sum(len(json.loads(page)["items"]) for pages in answers.values() for page in pages)
    seconds, instances = zip(*(one_pass(driver, answers) for _turn in range(PASSES)), strict=True)
    assert instances[0] > 0, "no instance was seen"
    kept_by(driver.store, answers)
    looks, seen = zip(*(one_pass(driver, {}) for _turn in range(PASSES)), strict=True)
    assert seen == instances, "a watch shows something else than a list"
    mebibytes = sum(len(page) for pages in answers.values() for page in pages) / 2**20
    print(json.dumps({"seconds": min(seconds), "look": min(looks), "objects": number, "mebibytes": mebibytes}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objects", type=int, default=10_000)
    asked = parser.parse_args()
    main(asked.folder, asked.objects)
