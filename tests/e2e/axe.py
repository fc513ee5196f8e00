"""What is wrong with a page for somebody who reads, sees or works it in another way than most."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS = (1440, 1024, 390)
FRAME = {"places", "account", "palette", "keys"}  # ids of what floats on every page: looked at on one
SIDEWAYS = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide <= 0) return null;
  const parts = [...document.querySelectorAll("body *")].filter((part) =>
    part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(".scrolls"));
  return `${wide} px wider than the window: ${parts.slice(-1).map((part) => part.outerHTML.slice(0, 120))}`;
}"""
# Text that does not fit where it is cut off without a sign, and buttons or tabs that are narrower than their words.
CUT = """() => {
  const shown = (part) => part.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true;
  const cut = (part) => {
    const css = getComputedStyle(part);
    const hides = ["hidden", "clip"].includes(css.overflowX) && css.textOverflow !== "ellipsis";
    const fixed = part.matches(".btn, .chip, .env, .state, [role=tab], nav a");
    const unseen = css.clipPath !== "none" || part.clientWidth <= 2 || part.matches("input"); // moves with its caret
    return (hides || fixed) && !unseen && part.scrollWidth > part.clientWidth + 1;
  };
  return [...document.querySelectorAll("body *")]
    .filter((part) => !part.closest(".scrolls, .unseen, svg, .log, .skip, .xterm") && shown(part) && cut(part))
    .map((part) => `cut off (${part.scrollWidth} in ${part.clientWidth}): ${part.outerHTML.slice(0, 120)}`);
}"""
FLOATING = """() => [...document.querySelectorAll("dialog, [popover]")].map((part) => part.id)"""
OPEN = """(id) => {
  const part = document.getElementById(id);
  if (part.matches("dialog")) part.showModal(); else part.showPopover();
}"""
CLOSE = """(id) => {
  const part = document.getElementById(id);
  if (part.matches("dialog")) part.close(); else part.hidePopover();
}"""
# What is drawn to a size of its own, such as a chart, follows its place when the next picture is made.
DRAWN = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""
STILL = """() => document.getAnimations()
  .filter((one) => one.playState === "running" && one.effect.getComputedTiming().duration > 1)
  .map((one) => `${one.animationName ?? one.transitionProperty} on ${one.effect.target.outerHTML.slice(0, 100)}`)"""


def violations(page: Page, within: str | None = None) -> list[str]:
    """One line for each element that axe complains of."""
    found: dict[str, Any] = Axe().run(page, context=within).response
    return [
        f"{rule['id']} at {node['target']}: {node['html'][:160]} {(node.get('failureSummary') or '')[:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def faults(page: Page) -> list[str]:
    """All that is wrong at any width; the page stays as wide as it was at first."""
    wrong = violations(page)
    for width in (*WIDTHS[1:], WIDTHS[0]):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(DRAWN)
        said = [page.evaluate(SIDEWAYS), *page.evaluate(CUT)]
        wrong += [f"at {width} px {one}" for one in said if one]
    return wrong


def floating_faults(page: Page, *, frame: bool = False) -> list[str]:
    """The same for each dialog and menu of the page, opened one after the other."""
    wrong = []
    for part in page.evaluate(FLOATING):
        if not part or (part in FRAME) is not frame or page.locator(f"#{part}[open]").count():
            continue
        page.evaluate(OPEN, part)
        wrong += [f"in #{part}: {one}" for one in violations(page, f"#{part}")]
        page.evaluate(CLOSE, part)
    return wrong
