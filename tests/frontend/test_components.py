"""Each component comes out as the look asks, and nothing a person typed comes out as markup."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import TemplateSyntaxError
from django.utils import timezone
from django.utils.translation import override

from console.styleguide import STAGES
from core.lanes import Box, draw
from core.status import Status
from tests.frontend.samples import Render

EVIL = '<script>alert("x")</script>'
PLACE = SimpleNamespace(name=EVIL, stage=EVIL, protected=True)
LINE = SimpleNamespace(
    kind="bad", title=EVIL, detail=EVIL, number=EVIL, status=EVIL, url=EVIL, word=EVIL, took=EVIL,
    fix=SimpleNamespace(label=EVIL, url="", name=EVIL, value=EVIL),
)  # fmt: skip
PART = SimpleNamespace(
    key="a", title=EVIL, about=EVIL, label=EVIL, url=EVIL, status=Status.FAILED, cells=(EVIL,)
)  # fmt: skip
DRAWING = draw([Box("a", 0, 50)], [])
NOW = timezone.now()

WITH_EVIL = [
    "{% state 'running' evil %}",
    "{% env place %}{% env place passed=False %}{% rungs places passed %}",
    "{% chip evil strong=evil until=evil icon=evil %}{% tally evil evil %}{% grade evil %}",
    "{% person evil %}{% person evil only_mark=True %}",
    "{% fresh word=evil %}{% note evil icon=evil %}{{ evil }}{% slot 'actions' %}{{ evil }}{% endslot %}"
    "{% endnote %}",
    "{% proof evil detail=evil url=evil link=evil %}{% icon evil %}{% glyph evil %}",
    "{% command evil label=evil %}{% diff evil evil label=evil %}{% diff evil 'b' %}",
    "{% log evil %}{% log_line evil at=now source=evil level=evil series=evil %}{% endlog %}",
    "{% story evil %}{% day evil %}{% told at=now icon=evil detail=evil %}{{ evil }}{% endtold %}{% endstory %}",
    "{% notice evil kind='ok' detail=evil undo=evil %}",
    "{% crumb evil evil %}{% crumb evil %}",
    "{% page_head evil %}{{ evil }}{% slot 'actions' %}{{ evil }}{% endslot %}{% endpage_head %}",
    "{% panel evil aside=evil id=evil %}{{ evil }}{% slot 'tools' %}{{ evil }}{% endslot %}{% endpanel %}",
    "{% facts %}{% fact evil %}{{ evil }}{% endfact %}{% endfacts %}{% empty evil icon=evil %}"
    "{{ evil }}{% endempty %}",
    "{% button evil href=evil icon=evil kind=evil %}{% button evil why_not=evil %}{% button evil opens=evil %}"
    "{% button evil name=evil value=evil submit=True %}",
    "{% tabs evil %}{% tab evil evil count=evil %}{% endtabs %}{% switch evil %}"
    "{% way evil evil environment=place %}{% endswitch %}",
    "{% filters evil %}{% filter_chip evil evil evil %}{% endfilters %}",
    "{% sheet evil back=evil action=evil id=evil earlier=evil later=evil %}{{ evil }}{% slot 'foot' %}"
    "{{ evil }}{% endslot %}{% endsheet %}",
    "{% part evil aside=evil %}{{ evil }}{% endpart %}{% folds %}{% fold evil said=evil %}"
    "{{ evil }}{% endfold %}{% endfolds %}",
    "{% dialog evil evil evil evil name=evil keep=evil %}{{ evil }}{% enddialog %}",
    "{% live evil fragment=evil socket=evil %}{{ evil }}{% endlive %}{% todo %}{% need evil %}"
    "{{ evil }}{% endneed %}{% endtodo %}",
    "{% list evil id=evil %}{% col evil sort=evil %}{% col evil %}{% row id=evil %}{% cell css=evil %}"
    "{{ evil }}{% endcell %}"
    "{% cell %}{{ evil }}{% endcell %}{% endrow %}{% endlist %}{% pager evil previous=evil next=evil %}",
    "{% choice evil %}{% option evil evil evil detail=evil why_not=evil %}{{ evil }}{% endoption %}{% endchoice %}",
    "{% preflight lines title=evil id=evil %}{% step_list lines %}{% instance_grid lines label=evil %}"
    "{% instance_grid lines mini=True label=evil %}{% legend %}<li>{{ evil }}</li>{% endlegend %}",
    "{% board evil places %}{% stage_head place 'failed' evil %}{{ evil }}{% endstage_head %}"
    "{% board_row evil evil evil %}"
    "{% stage_card evil evil 'running' word=evil count=evil environment=place %}{{ evil }}{% endstage_card %}"
    "{% stage_card environment=place %}{{ evil }}{% endstage_card %}{% lift evil evil %}{% endboard %}",
    "{% spark numbers evil kind=evil %}{% spark none evil %}{% bar 1 2 label=evil %}"
    "{% quota evil evil 1 2 note=evil %}",
    "{% figures %}{% figure evil evil unit=evil %}{{ evil }}{% endfigure %}{% endfigures %}",
    "{% topology drawing parts lanes evil said=evil %}{% parts evil %}{% part_line evil_part %}{{ evil }}"
    "{% slot 'actions' %}{{ evil }}{% endslot %}{% endpart_line %}{% endparts %}{% tool_link evil evil evil %}",
    "{% hosts evil %}{% host evil evil url=evil %}{{ evil }}{% load_bar evil 1 2 %}{% endhost %}{% endhosts %}",
]  # fmt: skip


@pytest.mark.parametrize("source", WITH_EVIL)
def test_no_argument_becomes_markup(render: Render, source: str) -> None:
    html = render(
        source, evil=EVIL, place=PLACE, places=[PLACE], passed=[EVIL], lines=[LINE], now=NOW, numbers=[1, 2], none=[],
        drawing=DRAWING, parts=[PART], evil_part=PART, lanes=[(0.0, EVIL)],
    )  # fmt: skip
    assert "<script" not in html.lower()
    assert "&lt;script&gt;" in html or "%3Cscript%3E" in html


def test_every_component_is_in_the_test_above() -> None:
    from core.templatetags.components import register

    written = set(re.findall(r"{% (\w+)", " ".join(WITH_EVIL)))
    without_text = {"time", "skeleton", "words", "product_mark", "toasts", "field", "problems"}
    assert set(register.tags) - written - without_text == set()


@pytest.mark.parametrize("status", list(Status))
def test_a_state_is_a_glyph_and_a_word(render: Render, status: Status) -> None:
    html = render("{% state status %}", status=status)
    assert f"#{status.glyph}" in html
    assert f"<span>{status.word}</span>" in html
    assert html == render("{% state key %}", key=status.value)


def test_a_state_nobody_knows_is_unknown_and_no_error(render: Render) -> None:
    assert "unknown" in render("{% state 'sparkling' %}")


def test_production_is_boxed_with_a_lock(render: Render) -> None:
    html = render("{% env e %}", e=STAGES[2])
    assert 'class="env is-prod"' in html
    assert "#lock" in html
    assert "#lock" not in render("{% env e %}", e=STAGES[0])


def test_a_time_says_how_long_ago_and_carries_the_moment(render: Render) -> None:
    html = render("{% time when %}", when=timezone.now() - timedelta(minutes=12, seconds=1))
    assert "12 min ago" in html
    assert re.search(r'datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" title="\d{4}-', html)
    assert "data-relative" in html
    assert "never" in render("{% time none %}", none=None)


def test_a_slot_belongs_to_the_nearest_block(render: Render) -> None:
    html = render(
        "{% panel 'Outer' %}{% slot 'foot' %}outer foot{% endslot %}"
        "{% note 'Inner' %}said{% slot 'actions' %}inner deed{% endslot %}{% endnote %}{% endpanel %}"
    )
    assert html.count("outer foot") == html.count("inner deed") == 1
    assert html.index("inner deed") < html.index("outer foot")
    assert "<footer>outer foot</footer>" in html


def test_a_slot_outside_a_block_is_a_mistake(render: Render) -> None:
    with pytest.raises(TemplateSyntaxError):
        render("{% slot 'foot' %}x{% endslot %}")


LIST = (
    "{% list 'Instances' %}{% col 'Name' sort='name' %}{% col 'State' lead=True %}{% col 'Host' %}"
    "{% col 'Starts' num=True sort='starts' %}{% col 'Age' num=True %}{% for one in rows %}{% row %}"
    "{% cell %}{{ one }}{% endcell %}{% cell %}s{% endcell %}{% cell %}h{% endcell %}"
    "{% cell %}1{% endcell %}{% cell %}2{% endcell %}{% endrow %}{% endfor %}{% endlist %}"
)


def test_a_list_has_a_caption_row_heads_and_says_how_it_is_sorted(render: Render) -> None:
    html = render(LIST, rows=["web 1", "web 2"])
    assert "<caption>Instances</caption>" in html
    assert html.count('<th scope="row">') == 2
    assert html.count('aria-sort="ascending"') == 1
    assert 'href="?sort=-name"' in html
    assert 'href="?sort=starts"' in html, "a new order starts at the first page"
    assert html.count('data-label="Host"') == 2
    assert "is-stacked" in html


def test_cells_outside_a_list_or_past_its_columns_are_mistakes(render: Render) -> None:
    with pytest.raises(TemplateSyntaxError):
        render("{% cell %}x{% endcell %}")
    with pytest.raises(TemplateSyntaxError):
        render(
            "{% list '' %}{% col %}{% row %}{% cell %}x{% endcell %}{% cell %}{% endcell %}{% endrow %}{% endlist %}"
        )


def test_the_pager_keeps_the_order_and_drops_the_old_cursor(render: Render) -> None:
    html = render("{% pager 'said' next='n+1' %}")
    assert 'href="?sort=name&amp;cursor=n%2B1"' in html
    assert 'rel="prev"' not in html


def test_preflight_puts_the_worst_first_with_its_remedy(render: Render) -> None:
    line: Any = SimpleNamespace
    fix = SimpleNamespace(label="Use 1.5.0", url="/fix/")
    html = render("{% preflight lines %}", lines=[
        line(kind="ok", title="fine", detail="", fix=None), line(kind="bad", title="broken", detail="why", fix=fix),
    ])  # fmt: skip
    assert html.index("broken") < html.index("fine")
    assert "1 must be mended" in html
    assert "1 of 2 pass" in html
    assert 'href="/fix/"' in html


def test_steps_tell_how_long_they_took(render: Render) -> None:
    step = SimpleNamespace(status=Status.DOING, title="Replace web", detail="", took_seconds=112)
    html = render("{% step_list steps %}", steps=[step])
    assert "1 min 52 s" in html
    assert 'aria-current="step"' in html


def test_bars_never_pass_their_end(render: Render) -> None:
    html = render("{% bar 90 100 label='l' held=50 lent=50 %}")
    widths = [float(width) for width in re.findall(r'width="([\d.]+)%"', html)]
    assert sum(widths) == 100
    assert "is-bad" in html


def test_amounts_are_numbers_of_svg_in_any_language(render: Render) -> None:
    with override("de"):
        assert 'width="33.3%"' in render("{% bar 1 3 label='l' %}")


def test_a_disabled_button_keeps_the_focus_and_says_why(render: Render) -> None:
    html = render("{% button 'Approve' why_not='You asked for it. rita can.' %}")
    assert 'aria-disabled="true"' in html
    assert re.search(r'aria-describedby="(\S+)">Approve</button><span class="quiet small" id="\1">You asked', html)
    assert " disabled" not in html.replace("aria-disabled", "")


def test_a_dialog_opens_without_scripts_by_its_address(render: Render, page_request: Any) -> None:
    source = "{% dialog 'Delete?' '/x/' 'Delete' 'ask' name='shop' %}Gone.{% enddialog %}"
    assert "<dialog" in render(source)
    assert " open>" not in render(source)
    page_request.GET = page_request.GET.copy()
    page_request.GET["ask"] = "ask"
    html = render(source)
    assert " open>" in html
    assert 'name="typed_name"' in html
    assert "csrfmiddlewaretoken" in html


def test_diff_shows_signs_and_colour(render: Render) -> None:
    html = render("{% diff before after %}", before="A=1\nB=2", after="A=1\nB=3")
    assert '<span class="is-gone" data-sign="−">B=2</span>' in html
    assert '<span class="is-new" data-sign="+">B=3</span>' in html
    assert '<span data-sign=" ">A=1</span>' in html
