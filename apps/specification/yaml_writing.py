"""A specification as a Compose file: plain words plain, everything that could be misread in quotes."""

import io
import re

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode
from ruamel.yaml.representer import SafeRepresenter

PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]*[A-Za-z0-9])?\Z", re.ASCII)
MISREAD = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
BLOCK = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]*\Z")


class _Representer(SafeRepresenter):
    def ignore_aliases(self, data: object) -> bool:
        """What stands twice is written twice: people read it, and other programs."""
        return True


def _text(representer: SafeRepresenter, text: str) -> ScalarNode:
    tag = "tag:yaml.org,2002:str"
    if PLAIN.match(text) and text.lower() not in MISREAD:
        return representer.represent_scalar(tag, text)
    if text and _fits_a_block(text):
        return representer.represent_scalar(tag, text, style="|")
    return representer.represent_scalar(tag, text, style='"')


def _fits_a_block(text: str) -> bool:
    """Several lines of printable text, none of which begins or ends the whole with a space."""
    at_the_edge = text[0] in " \n" or re.search(r" (\n|\Z)", text)
    return "\n" in text and not at_the_edge and bool(BLOCK.match(text))


def _map(representer: SafeRepresenter, data: dict[str, object]) -> MappingNode:
    """In the order given; a dict itself would be sorted."""
    return representer.represent_mapping("tag:yaml.org,2002:map", list(data.items()))


_Representer.add_representer(str, _text)
_Representer.add_representer(dict, _map)


def as_yaml(data: object) -> str:
    yaml = YAML(typ="rt", pure=True)  # block style
    yaml.Representer = _Representer
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
