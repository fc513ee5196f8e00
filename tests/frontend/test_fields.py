"""Form fields: what a screen reader needs ties label, help and error to the box."""

from html.parser import HTMLParser

from django import forms

from tests.frontend.samples import Render

EVIL = "<script>x</script>"


class Ask(forms.Form):
    name = forms.SlugField(label="Name", help_text="Small letters.")
    kind = forms.ChoiceField(choices=[("a", "One"), ("b", EVIL)], widget=forms.RadioSelect)
    agree = forms.BooleanField(required=False, label="Agree")
    note = forms.CharField(required=False, widget=forms.Textarea)

    def clean(self) -> None:
        self.add_error(None, f"Together they are {EVIL}")


class Ids(HTMLParser):
    """Collects ids, and what refers to them."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.wanted: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("for", "aria-describedby", "aria-labelledby"):
                self.wanted.update((value or "").split())


FORM = (
    "{% problems form %}{% field form.name %}{% field form.kind %}{% field form.agree %}{% field form.note unit='MB' %}"
)


def test_labels_help_and_errors_refer_to_what_is_there(render: Render) -> None:
    parser = Ids()
    parser.feed(render(FORM, form=Ask({"name": "Not A Slug", "kind": "z"})))
    assert parser.wanted - set(parser.ids) == set()
    assert len(parser.ids) == len(set(parser.ids))
    assert {"id_name_error", "id_name_help", "id_kind_error"} <= parser.wanted


def test_a_wrong_field_is_told_beside_it_and_in_the_summary(render: Render) -> None:
    html = render(FORM, form=Ask({"name": "Not A Slug", "kind": "a"}))
    assert 'aria-invalid="true"' in html
    assert '<a href="#id_name">Name: ' in html
    assert "Together they are &lt;script&gt;" in html
    assert "<script" not in html


def test_a_form_nobody_sent_has_no_problems(render: Render) -> None:
    html = render(FORM, form=Ask())
    assert "problems" not in html
    assert "aria-invalid" not in html
    assert 'class="optional"' in html


def test_typed_text_comes_back_escaped(render: Render) -> None:
    assert "<script" not in render(FORM, form=Ask({"name": EVIL, "note": f"</textarea>{EVIL}"}))
