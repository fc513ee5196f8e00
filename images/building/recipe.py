"""A Dockerfile as Berth reads it: which images it is built upon, and nothing by which it leaves its own sources.

What the builder gets is written anew from what was read here, one instruction a line, so that both mean the same.
Images stand in it by the builder's own ids: a name could be anything that lies on that engine.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from images.building.problems import BuildProblem

LONGEST = 256 * 1024
MOST_INSTRUCTIONS = 500
MOST_STAGES = 50
NOTHING = "scratch"
OURS = "build.berth."  # how labels of the builder begin
INSTRUCTIONS = frozenset(
    ("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER")
    + ("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")
)
FLAGS = {
    "COPY": ("from", "chown"),
    "ADD": ("chown",),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "retries"),
}
_SPACE = re.compile(r"[\t\v\f\r ]+")
_GOES_ON = re.compile(r"\\[ \t]*\Z")
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*\Z")
_FLAG = re.compile(r"--([a-z-]+)(?:=(.*))?\Z")
_STAGE = re.compile(r"[a-z][a-z0-9_.-]{0,127}\Z", re.ASCII)
_HERE = re.compile(r"[0-9]*<<-?[^<]+\Z")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::([-+])([^${}]*))?\})", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w{0,99}\Z", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,399}\Z", re.ASCII)
_PLAIN_SOURCE = re.compile(r"[^$\\\"'`]+\Z")


@dataclass(frozen=True)
class Line:
    """One instruction. `number`: where it begins in the file."""

    number: int
    word: str
    flags: tuple[tuple[str, str], ...]
    rest: str

    def text(self) -> str:
        flags = "".join(f" --{name}={value}" for name, value in self.flags)
        return f"{self.word}{flags} {self.rest}"


@dataclass(frozen=True)
class Recipe:
    """`images`: every image it is built upon or takes files from, with the line that names it first."""

    lines: tuple[Line, ...]
    images: Mapping[str, int]

    def written(self, grounds: Mapping[str, str], *, label: tuple[str, str]) -> str:
        """For the builder: `grounds` are its ids of the images; `label` stands in every stage."""
        found = []
        for line in self.lines:
            if line.word == "FROM":
                image, *name = line.rest.split(" ")
                found.append(" ".join(["FROM", grounds.get(image, image), *name]))
                found.append(f"LABEL {label[0]}={label[1]}")
                continue
            source = dict(line.flags).get("from", "")
            if source in grounds:
                flags = tuple((name, grounds.get(value, value)) for name, value in line.flags)
                line = Line(line.number, line.word, flags, line.rest)
            found.append(line.text())
        return "\n".join(found) + "\n"


def read(text: str, arguments: Mapping[str, str]) -> Recipe:
    """Errors: BuildProblem, with the line."""
    if len(text) > LONGEST:
        raise BuildProblem("recipe_large", most=LONGEST)
    lines = [_line(number, told) for number, told in _told(text)]
    if len(lines) > MOST_INSTRUCTIONS:
        raise BuildProblem("recipe_large", most=MOST_INSTRUCTIONS)
    return _Reading(arguments).all_of(lines)


def check_triggers(triggers: Sequence[str], image: str) -> None:
    """What an image adds to whatever is built upon it has to keep to its sources too. Errors: BuildProblem."""
    for told in triggers:
        try:
            line = _line(0, told)
            _check(line)
            if line.word in ("FROM", "ONBUILD") or dict(line.flags).get("from"):
                raise BuildProblem("recipe_trigger")
        except BuildProblem:
            raise BuildProblem("recipe_trigger", image=image, said=told[:200]) from None


class _Reading:
    """Goes through the instructions in their order."""

    def __init__(self, arguments: Mapping[str, str]) -> None:
        self.given = arguments
        self.known: dict[str, str] = {}  # what may stand in FROM: arguments before the first of them
        self.stages: list[str] = []
        self.lines: list[Line] = []
        self.images: dict[str, int] = {}

    def all_of(self, lines: Sequence[Line]) -> Recipe:
        for line in lines:
            if line.word == "FROM":
                self.lines.append(self._stage(line))
                continue
            if not self.stages and line.word != "ARG":
                raise BuildProblem("recipe_no_from", line=line.number)
            _check(line)
            if not self.stages:
                self._argument(line)
            self.lines.append(self._copied(line) if line.word == "COPY" else line)
        if not self.stages:
            raise BuildProblem("recipe_no_from", line=1)
        return Recipe(tuple(self.lines), self.images)

    def _argument(self, line: Line) -> None:
        name, equals, value = line.rest.partition("=")
        if not _NAME.match(name):
            raise BuildProblem("recipe_argument", line=line.number)
        told = self.given.get(name, value.strip("\"'") if equals else "")
        self.known[name] = told

    def _stage(self, line: Line) -> Line:
        parts = line.rest.split(" ")
        if line.flags or not (len(parts) == 1 or (len(parts) == 3 and parts[1].lower() == "as")):
            raise BuildProblem("recipe_from", line=line.number)
        image = self._filled(parts[0], line.number)
        name = parts[2].lower() if len(parts) == 3 else ""
        if name and (not _STAGE.match(name) or name == NOTHING or name in self.stages):
            raise BuildProblem("recipe_from", line=line.number)
        if image.lower() in self.stages:
            image = image.lower()
        else:
            self._image(image, line.number)
        self.stages.append(name)
        if len(self.stages) > MOST_STAGES:
            raise BuildProblem("recipe_large", most=MOST_STAGES)
        return Line(line.number, "FROM", (), f"{image} AS {name}" if name else image)

    def _filled(self, text: str, number: int) -> str:
        def value(found: re.Match[str]) -> str:
            told = self.known.get(found[1] or found[2], "")
            if found[3] == "-":
                return told or found[4]
            return (found[4] if told else "") if found[3] == "+" else told

        image = _VARIABLE.sub(value, text).strip("\"'")
        if not _IMAGE.match(image):
            raise BuildProblem("recipe_image", line=number, image=text[:200])
        return image

    def _image(self, image: str, number: int) -> None:
        if image != NOTHING:
            self.images.setdefault(image, number)

    def _copied(self, line: Line) -> Line:
        source = dict(line.flags).get("from")
        if source is None:
            return line
        known = [name for name in self.stages[:-1] if name]
        if source.lower() in known:
            source = str(self.stages.index(source.lower()))
        elif not (source.isascii() and source.isdigit() and int(source[:4]) < len(self.stages) - 1 and len(source) < 4):
            if not _IMAGE.match(source) or source.isdigit():
                raise BuildProblem("recipe_image", line=line.number, image=source[:200])
            self._image(source, line.number)
        flags = tuple((name, source if name == "from" else value) for name, value in line.flags)
        return Line(line.number, line.word, flags, line.rest)


def _told(text: str) -> list[tuple[int, str]]:
    """Instructions with the line they begin in: comments are left out, and what goes on is put together."""
    found: list[tuple[int, str]] = []
    begun, parts = 0, list[str]()
    directives = True
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.rstrip("\r")
        if "\0" in line:
            raise BuildProblem("recipe_word", line=number, word="\\0")
        plain = line.strip()
        if directives and (told := _DIRECTIVE.match(plain)):
            if told[1].lower() == "escape" and told[2] != "\\":
                raise BuildProblem("recipe_escape", line=number)
            continue
        directives = False
        if not plain or plain.startswith("#"):
            continue
        goes_on = bool(_GOES_ON.search(line))
        begun = begun or number
        parts.append(_GOES_ON.sub("", line))
        if not goes_on:
            found.append((begun, "".join(parts).strip()))
            begun, parts = 0, []
    if parts:
        found.append((begun, "".join(parts).strip()))
    return [(number, told) for number, told in found if told]


def _line(number: int, told: str) -> Line:
    word, _space, rest = _SPACE.sub(" ", told, count=1).partition(" ")
    if word.upper() not in INSTRUCTIONS:
        raise BuildProblem("recipe_word", line=number, word=word[:40])
    word, rest, flags = word.upper(), rest.strip(), []
    while rest.startswith("--") and word not in ("CMD", "ENTRYPOINT", "ENV", "LABEL", "ARG"):
        first, *more = _SPACE.split(rest, maxsplit=1)
        flag = _FLAG.match(first)
        if flag is None or flag[1] not in FLAGS.get(word, ()) or not flag[2]:
            raise BuildProblem("recipe_flag", line=number, word=f"{word} {first[:40]}")
        flags.append((flag[1], flag[2]))
        rest = more[0].strip() if more else ""
    rest = _SPACE.sub(" ", rest) if word == "FROM" else rest
    if not rest or rest.endswith("\\"):
        raise BuildProblem("recipe_word", line=number, word=word)
    if word in ("RUN", "COPY", "ADD") and any(_HERE.match(part) for part in _SPACE.split(rest)):
        raise BuildProblem("recipe_here", line=number)
    if len({name for name, _value in flags}) != len(flags):
        raise BuildProblem("recipe_flag", line=number, word=word)
    return Line(number, word, tuple(flags), rest)


def _check(line: Line) -> None:
    """What does not keep to the sources: addresses that the engine itself would fetch."""
    if line.word == "ADD":
        for source in _sources(line):
            if not _PLAIN_SOURCE.match(source) or "://" in source or source.startswith("git@"):
                raise BuildProblem("recipe_address", line=line.number)
    if line.word == "LABEL" and _names_ours(line.rest):
        raise BuildProblem("recipe_label", line=line.number)
    if line.word == "ONBUILD":
        inner = _line(line.number, line.rest)
        if inner.word in ("FROM", "ONBUILD", "MAINTAINER") or dict(inner.flags).get("from"):
            raise BuildProblem("recipe_trigger_own", line=line.number)
        _check(inner)


def _names_ours(rest: str) -> bool:
    """Whether a label may turn out to be one by which the builder knows whose its containers are."""
    if OURS in re.sub(r"[\"'\\]", "", rest).lower():
        return True
    first, *others = _SPACE.split(rest)
    return "$" in first.partition("=")[0] or any("$" in one.partition("=")[0] for one in others if "=" in one)


def _sources(line: Line) -> list[str]:
    """Of ADD: all but its last word, which is where they go."""
    if not line.rest.startswith("["):
        return _SPACE.split(line.rest)[:-1]
    try:
        found = json.loads(line.rest)
    except ValueError:
        return _SPACE.split(line.rest)  # then the builder takes it for words too
    return [str(one) for one in found[:-1]] if isinstance(found, list) else [line.rest]
