"""Lists of many of one kind: a table with a caption and sortable heads that becomes blocks on a phone."""

from dataclasses import dataclass, field
from typing import Any

from django import template
from django.template.context import Context
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.markup import Components
from core.tags.layout import address_with

register = Components()

TABLE = "_component_table"


@dataclass
class Column:
    title: str
    num: bool
    lead: bool
    wide: bool
    pick: bool
    extra: bool
    tools: bool
    sort: str
    address: str = ""
    order: str = ""
    """aria-sort while this column sorts the list: "ascending", "descending" or nothing."""
    drawn: dict[tuple[str, bool], SafeString] = field(default_factory=dict)
    """The attributes of its cells, by their own classes and whether they name the row: the same in every row."""

    @property
    def cell_css(self) -> str:
        words = {
            "num": self.num,
            "is-lead": self.lead,
            "is-wide": self.wide,
            "is-pick fit": self.pick,
            "extra": self.extra,
            "fit": self.tools,
        }
        return " ".join(word for word, holds in words.items() if holds)

    def attributes(self, css: str, *, heading: bool) -> SafeString:
        """Of a cell with these classes besides."""
        if (css, heading) not in self.drawn:
            words = {"class": f"{self.cell_css} {css}".strip()}
            if not (heading or self.lead or self.pick):
                words["data-label"] = self.title
            self.drawn[css, heading] = _attributes(words)
        return self.drawn[css, heading]

    @property
    def head_css(self) -> str:
        return " ".join(
            word
            for word, holds in {"num": self.num, "fit": self.pick or self.tools, "extra": self.extra}.items()
            if holds
        )


@dataclass
class Table:
    columns: list[Column] = field(default_factory=list)
    place: int = 0

    @property
    def heading(self) -> int:
        """Index of the column that names the row."""
        return next((place for place, one in enumerate(self.columns) if not one.pick), 0)


def _table(context: Context) -> Table:
    table = context.get(TABLE)
    if not isinstance(table, Table):
        raise template.TemplateSyntaxError("col, row and cell stand only inside a list.")
    return table


def _new_table(context: Context, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {TABLE: Table()}


@register.block("list.html", name="list", before=_new_table)
def make_list(context: Context, body: str, caption: str, stacked: bool | None = None, id: str = "") -> dict[str, Any]:
    """A table: first its `{% col %}`s, then `{% row %}`s of `{% cell %}`s. Stacks on a phone past four columns."""
    table = _table(context)
    stack = len(table.columns) > 4 if stacked is None else stacked
    return {"caption": caption, "columns": table.columns, "stacked": stack, "id": id}


@register.simple_tag(takes_context=True)
def col(
    context: Context, title: str = "", num: bool = False, lead: bool = False, wide: bool = False,
    pick: bool = False, extra: bool = False, tools: bool = False, sort: str = "",
) -> str:  # fmt: skip
    """Declares a column. `num` stands right; `lead` is the state beside the name on a phone; `wide` takes a line
    there; `pick` holds the check box; `extra` hides beside a sheet; `tools` holds `{% tool_link %}`s
    and has no head that is seen; `sort` is the value of ?sort= (or "-" + it)."""
    column = Column(str(title), num, lead, wide, pick, extra, tools, sort)
    if sort:
        _set_order(context, column)
    _table(context).columns.append(column)
    return ""


def _set_order(context: Context, column: Column) -> None:
    request = context.get("request")
    current = request.GET.get("sort", "") if request is not None else ""
    if current.lstrip("-") == column.sort:
        column.order = "descending" if current.startswith("-") else "ascending"
    turned = f"-{column.sort}" if column.order == "ascending" else column.sort
    column.address = address_with(context, {"sort": turned, "cursor": None})


def _start_row(context: Context, *args: Any, **kwargs: Any) -> dict[str, Any]:
    _table(context).place = 0
    return {}


@register.drawn(before=_start_row)
def row(context: Context, body: str, open: bool = False, selected: bool = False, id: str = "") -> SafeString:
    """`open`: a sheet shows this row. `selected`: its box is checked."""
    words = {"class": "is-open" if open else "is-selected" if selected else "", "id": id}
    return SafeString(f"<tr{_attributes(words)}>{body}</tr>")  # both are safe


@register.drawn()
def cell(context: Context, body: str, two: bool = False, css: str = "") -> SafeString:
    """The next cell of the row; `two` holds a second line in <small>. The first one names the row."""
    table = _table(context)
    place, table.place = table.place, table.place + 1
    if place >= len(table.columns):
        raise template.TemplateSyntaxError("A row has more cells than the list has columns.")
    column = table.columns[place]
    own = f"two {css}".strip() if two else css
    if place == table.heading:
        return SafeString(f'<th scope="row"{column.attributes(own, heading=True)}>{body}</th>')
    return SafeString(f"<td{column.attributes(own, heading=False)}>{body}</td>")  # both are safe


def _attributes(words: dict[str, str]) -> SafeString:
    """Those that say something."""
    return format_html_join("", ' {}="{}"', ((name, word) for name, word in words.items() if word))


@register.component("pager.html")
def pager(context: Context, said: str = "", previous: str = "", next: str = "") -> dict[str, Any]:
    """`said` tells what is shown; `previous` and `next` are cursors, empty at the ends."""
    return {
        "said": said,
        "previous": address_with(context, {"cursor": previous}) if previous else "",
        "next": address_with(context, {"cursor": next}) if next else "",
    }
