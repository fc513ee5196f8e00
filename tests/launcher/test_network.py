"""Which addresses a private engine takes, and what its firewall says."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from launcher.network import POOL, Link, choose, remembered, rules
from launcher.problems import Problem


def test_a_folder_always_gets_the_same_subnet(tmp_path: Path) -> None:
    first = choose("0000002a", kept=tmp_path / "a.json", taken=[])
    again = choose("0000002a", kept=tmp_path / "b.json", taken=[])
    assert first == again
    assert first.subnet == IPv4Network("10.207.0.168/30")
    assert (first.machine, first.engine) == ("10.207.0.169", "10.207.0.170")


def test_a_taken_subnet_is_stepped_over_and_the_new_one_kept(tmp_path: Path) -> None:
    kept = tmp_path / "network.json"
    link = choose("00000000", kept=kept, taken=[IPv4Network("10.207.0.0/29"), IPv4Network("192.168.0.0/16")])
    assert link.subnet == IPv4Network("10.207.0.8/30")
    assert choose("00000000", kept=kept, taken=[]).subnet == link.subnet


def test_the_last_subnet_steps_on_to_the_first(tmp_path: Path) -> None:
    link = choose("00003fff", kept=tmp_path / "n.json", taken=[IPv4Network("10.207.255.252/30")])
    assert link.subnet == IPv4Network("10.207.0.0/30")


def test_a_full_pool_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No free network"):
        choose("00000000", kept=tmp_path / "n.json", taken=[POOL])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"subnet": "10.0.0.0/30"}', '{"subnet": "10.207.0.0/24"}'])
def test_a_spoiled_note_is_ignored(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "network.json"
    kept.write_text(text)
    assert remembered(kept) is None


def test_names_of_links_fit_the_kernel() -> None:
    link = Link("deadbeef", IPv4Network("10.207.0.0/30"))
    assert max(len(link.outside), len(link.tap)) <= 15


def test_rules_close_the_machine_to_containers() -> None:
    link = Link("deadbeef", IPv4Network("10.207.0.0/30"))
    text = rules(link, machine=["192.168.1.5", link.machine])
    assert "-A PREROUTING -i berth0 ! -s 10.207.0.1/32 -j DROP" in text
    for closed in ("192.168.1.5", "10.207.0.0/16", "10.78.0.0/16", "169.254.0.0/16"):
        assert f"-A FORWARD -o out-deadbeef -d {closed} -j DROP" in text
