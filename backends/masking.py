"""Values that nobody is to read, taken out before anything is written of them: there is then nothing to leak."""

from dataclasses import replace
from typing import Any

from backends.contract.documents import MASK
from backends.contract.spec import FileMount, ServiceSpec


def masked(spec: ServiceSpec) -> ServiceSpec:
    """The same with every variable's value and every secret file's content covered.

    Which variable is a secret cannot be told from here, so all are covered. A secret file's name ends in a
    fingerprint of its content, by which a short secret could be guessed; it is covered too.
    """
    return replace(
        spec,
        environment=tuple((name, MASK) for name, _value in spec.environment),
        files=tuple(_masked_file(file, place) if file.secret else file for place, file in enumerate(spec.files)),
    )


def _masked_file(file: FileMount, place: int) -> FileMount:
    return replace(file, content=MASK.encode(), name=f"secret-{place}-{MASK}")


def without_fingerprint(document: Any, spec: ServiceSpec) -> Any:
    """A document made of a masked spec, without its revision, which is the masked one's and so nobody's."""
    if isinstance(document, str):
        return document.replace(spec.revision, MASK)
    if isinstance(document, dict):
        return {key: without_fingerprint(value, spec) for key, value in document.items()}
    return [without_fingerprint(one, spec) for one in document] if isinstance(document, list) else document
