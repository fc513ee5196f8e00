"""What a Dockerfile is built upon, and what of it leads out of its sources."""

import pytest

from images.building.problems import BuildProblem
from images.building.recipe import check_triggers, read

LABEL = ("owner", "x")


def test_it_is_written_anew_with_the_images_in_their_place() -> None:
    text = (
        "# syntax=docker/dockerfile:1\nARG BASE=busybox\nFROM ${BASE}:1 AS One\n"
        "RUN echo a \\\n  # between\n\n  && echo b\n"
        'from scratch\nCOPY --from=one --chown=1:1 /a /b\ncopy --from=tools:2 /x /y\nFROM One\nCMD ["--x"]\n'
    )
    recipe = read(text, {"BASE": "given"})
    assert recipe.images == {"given:1": 3, "tools:2": 10}
    assert recipe.written({"given:1": "sha256:a", "tools:2": "sha256:b"}, label=LABEL).splitlines() == [
        "ARG BASE=busybox",
        "FROM sha256:a AS one",
        "LABEL owner=x",
        "RUN echo a   && echo b",
        "FROM scratch",
        "LABEL owner=x",
        "COPY --from=0 --chown=1:1 /a /b",
        "COPY --from=sha256:b /x /y",
        "FROM one",
        "LABEL owner=x",
        'CMD ["--x"]',
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "recipe_no_from"),
        ("RUN x", "recipe_no_from"),
        ("FROM a\nADD http://inside/ /", "recipe_address"),
        ("FROM a\nADD HTTP://inside/ /", "recipe_address"),
        ("FROM a\nADD $WHERE /", "recipe_address"),
        ('FROM a\nADD ht"tp://inside" /', "recipe_address"),
        ("FROM a\nADD http:\\/\\/inside /", "recipe_address"),
        ('FROM a\nADD ["http\\u003a//inside/", "/"]', "recipe_address"),
        ("FROM a\nADD git@inside:x.git /", "recipe_address"),
        ("FROM a\nADD \\\n https://inside /", "recipe_address"),
        ("FROM a\nADD --checksum=x y /", "recipe_flag"),
        ("FROM a\nRUN --mount=type=bind,from=b x", "recipe_flag"),
        ("FROM a\nRUN --network=host x", "recipe_flag"),
        ("FROM --platform=linux/arm64 a", "recipe_flag"),
        ("FROM a\nCOPY --from=$X /a /b", "recipe_image"),
        ("FROM a\nCOPY --from=7 /a /b", "recipe_image"),
        ("FROM a\nCOPY --from=0 /a /b", "recipe_image"),
        ("FROM a\nCOPY <<EOF /x\nFROM b\nEOF", "recipe_here"),
        ("FROM a\nRUN cat <<EOF\nx\nEOF", "recipe_here"),
        ("FROM a\nONBUILD ADD http://inside /", "recipe_address"),
        ("FROM a\nONBUILD COPY --from=b / /", "recipe_trigger_own"),
        ("FROM a\nONBUILD ONBUILD RUN x", "recipe_trigger_own"),
        ("FROM a\nLABEL build.berth.owner=another", "recipe_label"),
        ('FROM a\nLABEL "build.ber"th.owner=another', "recipe_label"),
        ("FROM a\nLABEL x=y $NAME=another", "recipe_label"),
        ("FROM a\nLABEL $NAME another", "recipe_label"),
        ("FROM a AS scratch", "recipe_from"),
        ("FROM a AS x\nFROM b AS X", "recipe_from"),
        ("FROM a b", "recipe_from"),
        ("FROM $NOTHING", "recipe_image"),
        ("FROM a;b", "recipe_image"),
        ("# escape=`\nFROM a", "recipe_escape"),
        ("FROM a\nSMUGGLE x", "recipe_word"),
        ("FROM a\nRUN \0", "recipe_word"),
        ("FROM a\n" + "RUN x\n" * 600, "recipe_large"),
    ],
)
def test_what_leads_out_is_refused(text: str, code: str) -> None:
    with pytest.raises(BuildProblem) as refused:
        read(text, {})
    assert refused.value.code == code, refused.value.params


def test_what_an_image_adds_is_held_to_the_same() -> None:
    check_triggers(["COPY . /src", "RUN make"], "a")
    for told in ("COPY --from=b / /", "ADD http://inside /", "ADD $X /", "FROM b", "ONBUILD RUN x", "SMUGGLE"):
        with pytest.raises(BuildProblem) as refused:
            check_triggers([told], "a")
        assert refused.value.code == "recipe_trigger"
