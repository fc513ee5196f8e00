"""Where nobody leads Berth to, however it is written, and what operators open."""

import socket
from ipaddress import ip_network
from typing import Any

import pytest
from pytest_django import Settings

from core.foreign import Refused, target

PUBLIC = "93.184.215.14"


@pytest.fixture
def meaning(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names mean here; what is a number means itself."""
    names: dict[str, list[str]] = {"example.com": [PUBLIC]}
    real = socket.getaddrinfo

    def look_up(host: str, *rest: Any, **more: Any) -> Any:
        if host not in names:
            return real(host, *rest, flags=socket.AI_NUMERICHOST, **more)
        return [found for number in names[host] for found in real(number, 80, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.fixture
def opened(settings: Settings) -> None:
    inside = ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0", "fe80::/10")
    settings.OUTBOUND = settings.OUTBOUND | {"networks": [ip_network(one) for one in inside]}


INSIDE = [
    "127.0.0.1", "0177.1", "0x7f.1", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
    "169.254.169.254", "[fd00:ec2::254]", "100.64.0.1", "100.100.100.200", "10.1.2.3", "192.168.0.1", "172.16.0.1",
    "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.1", "224.0.0.1", "240.0.0.1", "[::]",
    "[ff02::1]", "255.255.255.255", "198.18.0.1", "nothing.invalid",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_inside_is_refused_however_it_is_written(host: str, meaning: dict[str, list[str]]) -> None:
    with pytest.raises(Refused) as refused:
        target(f"https://{host}/v2/")
    assert refused.value.hint


def test_whether_a_name_means_something_inside_is_not_told(meaning: dict[str, list[str]]) -> None:
    meaning["redis.example"] = ["10.0.0.5"]
    told = []
    for host in ("redis.example", "gone.example"):
        with pytest.raises(Refused) as refused:
            target(f"https://{host}/")
        told.append((str(refused.value.message).replace(host, "HOST"), str(refused.value.hint)))
    assert told[0] == told[1]


def test_one_number_inside_is_enough_to_refuse(meaning: dict[str, list[str]]) -> None:
    meaning["both.example"] = [PUBLIC, "127.0.0.1"]
    with pytest.raises(Refused):
        target("https://both.example/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "//example.com/", "example.com",
        "https://", "https://ok@evil.example/", "https://example.com:22/", "https://example.com:0/",
        "https://example.com:99999/", "https://exa mple.com/", "https://example.com/\r\nHost: x", "https://-a.com/",
        "https://example.com\\@evil.example/", "https://[::1%25lo]/", "https://exämple.com/", "https://a..b/",
        "https://example.com/" + "a" * 2000, "https://" + "a" * 64 + ".com/", "https://[::1/", "",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str, meaning: dict[str, list[str]]) -> None:
    with pytest.raises(Refused):
        target(url)


def test_the_numbers_found_are_those_to_be_called(meaning: dict[str, list[str]]) -> None:
    found = target("https://Example.com./v2/?n=1#there")
    assert (found.host, found.port, found.path, found.numbers) == ("example.com", 443, "/v2/?n=1", (PUBLIC,))
    assert (found.place, found.shown) == ("https://example.com:443", "example.com")
    assert target("https://example.com:8443").shown == "example.com:8443"


def test_without_encryption_only_where_operators_opened(meaning: dict[str, list[str]], opened: None) -> None:
    assert target("http://10.1.2.3:5000/").numbers == ("10.1.2.3",)


def test_without_encryption_nowhere_else(meaning: dict[str, list[str]]) -> None:
    with pytest.raises(Refused):
        target("http://example.com/")


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.1", "100.100.100.200", "0177.1"])
def test_what_no_operator_opens(host: str, meaning: dict[str, list[str]], opened: None) -> None:
    with pytest.raises(Refused):
        target(f"https://{host}/")
