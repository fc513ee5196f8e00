"""In which forms apps come from elsewhere and go there, beside the one of the specification itself."""

from collections.abc import Sequence

from backends.contract.documents import Format
from backends.kubernetes.format import KubernetesYaml

FORMATS: tuple[Format, ...] = (KubernetesYaml(),)


def format_of(documents: Sequence[object]) -> Format | None:
    return next((one for one in FORMATS if one.recognises(documents)), None)


def format_named(code: str) -> Format | None:
    return next((one for one in FORMATS if one.code == code), None)
