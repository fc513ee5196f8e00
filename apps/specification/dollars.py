"""Dollar signs: the written form is Compose's, where `$$` is a dollar and `$NAME` a variable of the shell."""

import re

from apps.specification.problems import Loc, Problem, problem

VARIABLE = re.compile(r"\$\$|\$\{[^}]{0,40}\}?|\$[A-Za-z_][A-Za-z0-9_]{0,40}", re.ASCII)


def escaped(data: object) -> object:
    """Every dollar of every value doubled; keys stay."""
    if isinstance(data, str):
        return data.replace("$", "$$")
    if isinstance(data, dict):
        return {key: escaped(value) for key, value in data.items()}
    return [escaped(value) for value in data] if isinstance(data, list) else data


def literal(data: dict[str, object]) -> tuple[dict[str, object], list[Problem]]:
    """`data` with `$$` made one dollar, and a problem for every value that uses a variable."""
    problems: list[Problem] = []
    return {key: _literal(value, (key,), problems) for key, value in data.items()}, problems


def _literal(data: object, loc: Loc, problems: list[Problem]) -> object:
    if isinstance(data, str):
        return _text(data, loc, problems) if "$" in data else data
    if isinstance(data, dict):
        return {key: _literal(value, (*loc, key), problems) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_literal(value, (*loc, index), problems) for index, value in enumerate(data)]
    return data


def _text(text: str, loc: Loc, problems: list[Problem]) -> str:
    used = next((found[0] for found in VARIABLE.finditer(text) if found[0] != "$$"), None)
    if used is not None:
        problems.append(problem(loc, "variable", name=used))
    return text.replace("$$", "$")
