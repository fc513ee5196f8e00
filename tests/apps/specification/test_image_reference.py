"""References to images: a strict grammar, so that nothing else ever reaches an engine."""

import pytest

from apps.specification import BadImageReference, is_pinned, parse_image
from tests.apps.specification.stage import codes, kept, one_service

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"


@pytest.mark.parametrize(
    ("written", "shown", "complete"),
    [
        ("nginx", "nginx:latest", "docker.io/library/nginx:latest"),
        ("nginx:1.29", "nginx:1.29", "docker.io/library/nginx:1.29"),
        ("library/nginx", "nginx:latest", "docker.io/library/nginx:latest"),
        ("docker.io/nginx", "nginx:latest", "docker.io/library/nginx:latest"),
        ("index.docker.io/library/nginx:1", "nginx:1", "docker.io/library/nginx:1"),
        ("grafana/grafana", "grafana/grafana:latest", "docker.io/grafana/grafana:latest"),
        ("berth/hello:2", "berth/hello:2", "docker.io/berth/hello:2"),
        ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
        ("host:5000/a/b/c:v1", "host:5000/a/b/c:v1", "host:5000/a/b/c:v1"),
        ("Registry.Example.com/x", "registry.example.com/x:latest", "registry.example.com/x:latest"),
        (f"nginx@{DIGEST}", f"nginx@{DIGEST}", f"docker.io/library/nginx@{DIGEST}"),
        (f"nginx:1@{DIGEST}", f"nginx:1@{DIGEST}", f"docker.io/library/nginx:1@{DIGEST}"),
        ("docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest"),
        ("docker.io/library/a.b/c", "library/a.b/c:latest", "docker.io/library/a.b/c:latest"),
        ("a__b/c--d.e", "a__b/c--d.e:latest", "docker.io/a__b/c--d.e:latest"),
    ],
)
def test_references(written: str, shown: str, complete: str) -> None:
    found = parse_image(written)
    assert (str(found), found.complete) == (shown, complete)
    assert parse_image(shown) == parse_image(complete) == found
    assert kept(image=written)["image"] == shown


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", " nginx", "nginx ", "nginx\n", "--privileged", "-v/:/host", ";id", "nginx;id", "$(id)", "`id`"),
        *("nginx|sh", "../x", "a//b", "/a", "a/", "a:", "a:b:c", "a:-x", "a@b", "nginx@sha256:abc", "a@", ":tag"),
        *("https://registry/x", "user:pass@host/x", "http:/x", "[::1]:5000/x", "host:port/x", "Nginx", "a/B"),
        *("a..b", "a___b", "a.-b", ".a", "a.", "nginx:" + "t" * 129, "a" * 600, "é", "a\x00b", HEX, DIGEST),
        *(f"nginx@sha512:{HEX}{HEX}", f"nginx@{DIGEST}0", f"nginx@{DIGEST.upper()}", "a/" * 200 + "b", "-h.com/x"),
    ],
)
def test_references_that_are_refused(written: str) -> None:
    with pytest.raises(BadImageReference):
        parse_image(written)
    (code,) = codes(one_service(image=written)).values()
    assert code.startswith("image_") or code in ("nul", "variable")


@pytest.mark.parametrize("written", [5, None, ["nginx"], {"name": "nginx"}, True])
def test_an_image_is_text(written: object) -> None:
    assert codes(one_service(image=written))["services.web.image"] in ("not_text", "missing")


def test_hostile_length_costs_nothing() -> None:
    for text in ("a-" * 255 + "!", "a" * 511 + "!", "a." * 250 + "/", "_" * 500, "-" * 500):
        with pytest.raises(BadImageReference):
            parse_image(text)


def test_pinned() -> None:
    assert is_pinned(f"docker.io/library/nginx@{DIGEST}")
    assert is_pinned(f"nginx:1@{DIGEST}")
    assert is_pinned(DIGEST)
    assert not is_pinned("nginx:1")
    assert not is_pinned("")
    assert not is_pinned(f"--x@{DIGEST}")
    assert parse_image("nginx:1").pinned(DIGEST) == f"docker.io/library/nginx@{DIGEST}"
