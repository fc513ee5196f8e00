"""Changing a text that a person wrote so that it means something else, their comments and their order kept."""

import io
import re
from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from apps.specification.diff import differences
from apps.specification.model import Specification
from apps.specification.pointing import loc_of, value_at
from apps.specification.problems import Loc, SpecificationError
from apps.specification.reading import read_text

LIST_UNDER_ITS_KEY = re.compile(r"^( *)[^\s#-][^\n]*:[ ]*\n\1- ", re.MULTILINE)


def edited(text: str, wanted: Specification) -> str:
    """`text` changed as little as it takes to mean `wanted`; written anew where that cannot be done in place."""
    try:
        before = read_text(text, mode="import").specification
    except SpecificationError:
        return wanted.to_yaml()
    if before == wanted:
        return text
    changes = [(loc_of(one.path), one.after) for one in differences(before, wanted)]
    changed = _in_place(text, changes, wanted)
    return changed if changed and _means(changed, wanted) else wanted.to_yaml()


def _means(text: str, wanted: Specification) -> bool:
    try:
        return read_text(text, mode="import", most_instances=1000).specification == wanted
    except SpecificationError:
        return False


def rewritten(text: str, values: Mapping[str, object]) -> str:
    """`text` with other values at some paths, None taking out what is there; empty where it cannot be done in place."""
    return _in_place(text, [(loc_of(path), value) for path, value in values.items()], None)


def _in_place(text: str, values: list[tuple[Loc, object]], wanted: Specification | None) -> str:
    """The text was read before, so it is small and harmless."""
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    flush = LIST_UNDER_ITS_KEY.search(text) is not None
    yaml.indent(mapping=2, sequence=2 if flush else 4, offset=0 if flush else 2)
    try:
        document = yaml.load(text)
        for loc, value in values:
            _put(document, loc, value, wanted)
        stream = io.StringIO()
        yaml.dump(document, stream)
    except (YAMLError, ValueError, TypeError, KeyError, AttributeError):
        return ""  # what ruamel's round trip cannot hold is written anew
    return stream.getvalue()


def _put(document: object, loc: Loc, value: object, wanted: Specification | None) -> None:
    """Put a value where it belongs; where the way there is written as a list, the whole of it is replaced."""
    at = document
    for depth, part in enumerate(loc[:-1], start=1):
        below = value_at(at, (part,))
        if isinstance(at, dict) and isinstance(below, list) and wanted is not None:
            at[part] = value_at(wanted.canonical(), loc[:depth])
            return
        if below is None and isinstance(at, dict):
            below = at.setdefault(part, {})
        at = below
    if isinstance(at, dict) and value is None:
        at.pop(loc[-1], None)
    elif isinstance(at, dict):
        at[loc[-1]] = value
