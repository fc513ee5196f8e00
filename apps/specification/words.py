"""Commands: a list of words, or one line split as a shell would, without ever being given to one."""

import shlex
from typing import Annotated

from apps.specification.problems import Gathering, fault
from apps.specification.scalars import Read, as_text

MOST_WORDS = 200
LONGEST_WORD = 32 * 1024


def read_words(value: object) -> tuple[str, ...]:
    """1 to 200 words."""
    if isinstance(value, str):
        words = _split(value)
    elif isinstance(value, list | tuple):
        words = _texts(value)
    else:
        raise fault("not_a_list")
    if not words or words == ("",):
        raise fault("empty")
    if len(words) > MOST_WORDS:
        raise fault("too_many", limit=MOST_WORDS)
    if max(map(len, words)) > LONGEST_WORD:
        raise fault("too_long", limit=LONGEST_WORD)
    return words


def _split(line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line))
    except ValueError:
        raise fault("bad_command") from None


def _texts(value: list[object] | tuple[object, ...]) -> tuple[str, ...]:
    wrong = Gathering()
    words: list[str] = []
    for index, word in enumerate(value):
        with wrong.at(index):
            words.append(as_text(word))
    wrong.finish()
    return tuple(words)


Words = Annotated[
    tuple[str, ...] | None,
    Read(
        read_words,
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_WORDS},
            ]
        },
    ),
]
