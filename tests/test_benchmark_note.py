"""The written benchmarks stay one true whole when a part of them is measured anew."""

from benchmarks.note import note, with_anew
from benchmarks.result import Line, Section


def test_what_is_over_its_budget_is_told_of_what_stands_in_the_tables_and_of_nothing_else() -> None:
    late = Line("POST until 202", "80 ms", budget="60 ms", kept=False, cause="others write")
    swarm = Section("Deploy", "On a Swarm.", [late])
    broken = Section(
        "Kubernetes", "On a cluster.", [Line("the rest", "not measured", kept=False, cause="it was cut off")]
    )
    whole = note([swarm, broken], "- two cores", minutes=1)
    assert "- the rest: not measured" in whole
    quick = Line("POST until 202", "50 ms", budget="60 ms", kept=True)
    slow = Line("echo", "3 ms", budget="1 ms", kept=False, cause="one core")
    anew = with_anew(whole, [Section("Kubernetes", "On a cluster.", [quick, slow])], load="0.1", minutes=2)
    assert anew.partition("## Over budget\n")[2].splitlines() == [
        "- POST until 202: 80 ms (budget 60 ms). Others write.",
        "- echo: 3 ms (budget 1 ms). One core.",
    ]
    assert "not measured" not in anew
    assert (
        with_anew(anew, [Section("Deploy", "On a Swarm.", [quick])], load="0.1", minutes=2).count("POST until 202") == 2
    )
