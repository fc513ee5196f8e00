"""Template tags that render one file of templates/components/: plain ones, and blocks with slots.

    {% state app.status %}
    {% panel "Instances" %}{% slot "tools" %}<a ...>All</a>{% endslot %} ...body... {% endpanel %}

A registered function returns the variables of its file. What comes out is stripped, so that a tag can
stand in the middle of a sentence. What a long list has hundreds of (`row`, `cell`) returns its own text instead.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import getfullargspec, unwrap
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.library import parse_bits
from django.utils.safestring import SafeString, mark_safe

SLOTS = "_component_slots"
KEPT_FROM_PAGE = ("csrf_token", "request")

Build = Callable[..., dict[str, Any]]
Draw = Callable[..., SafeString]


@dataclass
class Call:
    """The arguments a tag was written with."""

    args: list[FilterExpression]
    kwargs: dict[str, FilterExpression]
    target: str | None = None

    def resolve(self, context: Context) -> tuple[list[Any], dict[str, Any]]:
        args = [value.resolve(context) for value in self.args]
        return args, {name: value.resolve(context) for name, value in self.kwargs.items()}


@dataclass
class Component:
    """One tag: its name, its file, and the function that makes the variables of the file, or without one the text."""

    name: str
    file: str
    build: Callable[..., Any]
    before: Build | None = None
    leading: int = 1
    """How many first arguments of `build` the template does not write: context, and body of a block."""

    def read(self, parser: Parser, bits: list[str]) -> Call:
        target = None
        if len(bits) >= 2 and bits[-2] == "as":
            target, bits = bits[-1], bits[:-2]
        spec = getfullargspec(unwrap(self.build))
        params, takes_context = spec.args[self.leading :], False
        args, kwargs = parse_bits(  # type: ignore[call-arg]  # the stubs are those of Django 6, without takes_context
            parser, bits, params, spec.varargs, spec.varkw, spec.defaults, spec.kwonlyargs, spec.kwonlydefaults,
            takes_context, self.name,  # type: ignore[arg-type]  # likewise
        )  # fmt: skip
        return Call(args, kwargs, target)

    def render(self, context: Context, variables: dict[str, Any]) -> SafeString:
        inner = context.new(variables)
        for kept in KEPT_FROM_PAGE:
            if kept in context:
                inner[kept] = context[kept]
        engine = context.template.engine  # type: ignore[union-attr]  # set for as long as a template renders
        # safe: it is what the template engine has just escaped
        return mark_safe(engine.get_template(self.file).render(inner).strip())  # noqa: S308


@dataclass
class InlineNode(template.Node):
    component: Component
    call: Call

    child_nodelists = ()

    def render(self, context: Context) -> SafeString:
        args, kwargs = self.call.resolve(context)
        text = self.component.render(context, self.component.build(context, *args, **kwargs))
        if self.call.target is None:
            return text
        context[self.call.target] = text
        return mark_safe("")


@dataclass
class BlockNode(template.Node):
    """Renders the body first, collecting its slots, then the component's own file around both."""

    component: Component
    call: Call
    nodelist: NodeList = field(default_factory=NodeList)

    def render(self, context: Context) -> SafeString:
        args, kwargs = self.call.resolve(context)
        slots: dict[str, SafeString] = {}
        before = self.component.before
        prepared = before(context, *args, **kwargs) if before else {}
        with context.push(**{SLOTS: slots}, **prepared):
            body = mark_safe(self.nodelist.render(context).strip())  # noqa: S308  # escaped by the nodes of the body
            variables = self.component.build(context, body, *args, **kwargs)
        return self.component.render(context, {"body": body, "slots": slots, **variables})


@dataclass
class DrawnNode(BlockNode):
    """A block without a file, for whose function there are no slots: it gets the body and returns the text."""

    def render(self, context: Context) -> SafeString:
        args, kwargs = self.call.resolve(context)
        if self.component.before:
            self.component.before(context, *args, **kwargs)
        body = SafeString(self.nodelist.render(context).strip())  # escaped by the nodes of the body
        drawn: SafeString = self.component.build(context, body, *args, **kwargs)
        return drawn


@dataclass
class SlotNode(template.Node):
    name: FilterExpression
    nodelist: NodeList

    def render(self, context: Context) -> SafeString:
        slots = context.get(SLOTS)
        if slots is None:
            raise template.TemplateSyntaxError("A slot stands only in the body of a component.")
        slots[self.name.resolve(context)] = mark_safe(self.nodelist.render(context).strip())  # noqa: S308
        return mark_safe("")


class Components(template.Library):
    """A template library whose tags are components."""

    def component(self, file: str, *, name: str | None = None) -> Callable[[Build], Build]:
        """Register a function of (context, ...) as a tag that renders `file`."""

        def decorate(build: Build) -> Build:
            made = Component(name or build.__name__, f"components/{file}", build)

            def compile_inline(parser: Parser, token: Token) -> InlineNode:
                return InlineNode(made, made.read(parser, token.split_contents()[1:]))

            self.tag(made.name, compile_inline)
            return build

        return decorate

    def block(self, file: str, *, name: str | None = None, before: Build | None = None) -> Callable[[Build], Build]:
        """Register a function of (context, body, ...) as a tag ended by `end<name>`.

        `before`, called with the same arguments but no body, returns variables that only the body sees.
        """

        def decorate(build: Build) -> Build:
            made = Component(name or build.__name__, f"components/{file}", build, before, leading=2)
            self._register(made, BlockNode)
            return build

        return decorate

    def drawn(self, *, before: Build | None = None) -> Callable[[Draw], Draw]:
        """As `block`, of a function that returns what stands in the page: safe text around the safe body."""

        def decorate(draw: Draw) -> Draw:
            made = Component(draw.__name__, "", draw, before, leading=2)
            self._register(made, DrawnNode)
            return draw

        return decorate

    def _register(self, made: Component, node: type[BlockNode]) -> None:
        def compile_block(parser: Parser, token: Token) -> BlockNode:
            call = made.read(parser, token.split_contents()[1:])
            body = parser.parse((f"end{made.name}",))
            parser.delete_first_token()
            return node(made, call, body)

        self.tag(made.name, compile_block)


def compile_slot(parser: Parser, token: Token) -> SlotNode:
    """Compile `{% slot "name" %}...{% endslot %}`."""
    bits = token.split_contents()
    if len(bits) != 2:
        raise template.TemplateSyntaxError("A slot takes one argument, its name.")
    body = parser.parse(("endslot",))
    parser.delete_first_token()
    return SlotNode(parser.compile_filter(bits[1]), body)
