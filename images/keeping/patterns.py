"""Patterns of names: `*` for any characters, `?` for one."""

import re
from functools import lru_cache

FORM = re.compile(r"[A-Za-z0-9_.*?/-]+\Z", re.ASCII)


def matches(pattern: str, name: str) -> bool:
    return _compiled(pattern).match(name) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Stars in a row mean one, so that no pattern takes long on any name."""
    pieces = [re.escape(piece).replace(r"\?", ".") for piece in re.sub(r"\*+", "*", pattern).split("*")]
    if len(pieces) == 1:
        return re.compile(pieces[0] + r"\Z")
    # each piece as early as it can be, and never again: no going back over what was matched
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1])
    return re.compile(f"{pieces[0]}{middle}.*{pieces[-1]}" + r"\Z", re.DOTALL)
