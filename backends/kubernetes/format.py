"""The form in which apps come from other clusters of this kind, and go to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from backends.contract.documents import Format, Translated, Written
from backends.kubernetes import reading, writing


class KubernetesYaml(Format):
    code = "kubernetes"
    label = "Kubernetes YAML"

    def mentions(self, text: str) -> bool:
        return "apiVersion" in text

    def recognises(self, documents: Sequence[object]) -> bool:
        return reading.recognised(documents)

    def read(self, documents: Sequence[object]) -> Translated:
        return reading.translated(documents)

    def write(self, app: str, document: Mapping[str, Any]) -> list[Written]:
        return writing.written(app, document)

    def with_rest(self, written: Written, rest: Mapping[str, Any]) -> Written:
        return writing.with_rest(written, rest)
