"""The page in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_kit import CHROMIUM, DRIVER, Browser, browsing
from render_kit import answered, asks, many, order, record_of, until_suspended, year
from test_render_page import HOSTILE, hostile

from async_durable_execution_runner._render.page import render_page
from async_durable_execution_runner._render.page_data import execution_data

pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no Chromium with chromedriver: apt-get install chromium chromium-driver"
)

Open = Callable[..., Browser]
DOWN, UP, LEFT, RIGHT = "\ue015", "\ue013", "\ue012", "\ue014"
HOME, END, TAB, ESCAPE = "\ue011", "\ue010", "\ue004", "\ue00c"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    executions: dict[str, list[tuple[Any, ...]]] = {
        "order": [(order, answered)],
        "asks": [(asks, until_suspended)],
        "many": [(many(300, 150),)],
        "hostile": [(hostile,)],
        "several": [(order, answered), (year,), (year,)],
    }
    folder, found = tmp_path_factory.mktemp("pages"), {}
    for name, runs in executions.items():
        data = [execution_data(*record_of(*each)) for each in runs]
        found[name] = folder / f"{name}.html"
        found[name].write_bytes(render_page(name, data, "the tree", test=HOSTILE if name == "hostile" else name))
    return found


@pytest.fixture
def look(browser: Browser, pages: dict[str, Path]) -> Open:
    def look(name: str, **options: Any) -> Browser:
        browser.look(pages[name], **options)
        return browser

    return look


@pytest.mark.parametrize("name", ["order", "asks", "many", "hostile", "several"])
def test_it_loads_without_a_complaint_and_without_a_request(look: Open, pages: dict[str, Path], name: str) -> None:
    page = look(name)
    assert page.messages() == []
    assert [url for url in page.requests() if url != "data:,"] == [pages[name].as_uri()]
    assert page.find("#main").is_displayed()
    assert page.find("#tree .row").is_displayed()


def test_it_tells_what_happened(look: Open) -> None:
    page = look("order")
    assert page.find("#status").text == "FAILED"
    assert page.find("#name").text == "order-7"
    assert page.names()[:3] == ["charge", "approval", "stock"]
    # What failed is chosen at once.
    assert page.find("#details h3").text.startswith("✗ hand to the courier")
    assert "LookupError: no such courier" in page.find("#details").text
    assert "the bank" in page.find("#outcome").text or "First error" in page.find("#outcome").text
    charge = page.find(".row .track")
    assert len(charge.find_elements("css selector", ".bar.ATTEMPT.FAILED")) == 2
    assert len(charge.find_elements("css selector", ".bar.RETRY")) == 2
    assert page.js("return document.querySelectorAll('#axis .call').length") == 6
    assert page.js("return document.querySelectorAll('#invocations tbody tr').length") == 6


def test_what_is_pending_stands_at_the_top(look: Open) -> None:
    page = look("asks")
    assert page.find("#status").text == "RUNNING"
    assert "waits 1 h, 1 h to go" in page.find("#outcome").text


def test_the_filter_shows_what_fits_with_the_contexts_around_it(look: Open) -> None:
    page = look("order")
    page.find("#filter").send_keys("reserve desk")
    assert page.names() == ["stock", "all items", "parallel-branch-1", "reserve desk"]
    assert page.find("#count").text == "1 of 11 operations"
    around = page.js("return document.querySelectorAll('.row:not([hidden]).context-only').length")
    assert around == 3
    assert page.js("return [...document.querySelectorAll('#events tbody tr')].map(e => e.cells[2].textContent)") == [
        "StepStarted",
        "StepSucceeded",
    ]
    page.find("#filter").clear()
    page.find("#filter").send_keys("nothing like this")
    assert page.names() == []
    assert page.find("#none").is_displayed()


def test_statuses_filter_too(look: Open) -> None:
    page = look("order")
    failed = next(each for each in page.driver.find_elements("css selector", "#chips button") if "Failed" in each.text)
    failed.click()
    assert failed.get_attribute("aria-pressed") == "true"
    assert page.names() == ["hand to the courier"]
    failed.click()
    assert len(page.names()) == 11


def test_the_slash_leads_to_the_filter_and_escape_back(look: Open) -> None:
    page = look("order")
    page.press("/")
    assert page.focused() == "filter"
    page.press("morning")
    assert page.names() == ["until the morning"]
    page.press("/")
    assert page.js("return document.getElementById('filter').value") == "morning/"
    page.press(ESCAPE)
    assert len(page.names()) == 11
    assert page.focused() == "hand to the courier"


def test_arrows_walk_through_the_tree(look: Open) -> None:
    page = look("order")
    page.js("document.querySelector('.row[tabindex=\"0\"]').focus()")
    page.press(HOME)
    assert page.focused() == "charge"
    page.press(DOWN, DOWN)
    assert page.focused() == "stock"
    page.press(RIGHT)
    assert page.focused() == "all items"
    page.press(LEFT)
    assert page.names()[-4:] == ["stock", "all items", "until the morning", "hand to the courier"]
    assert page.js("return document.activeElement.getAttribute('aria-expanded')") == "false"
    page.press(LEFT)
    assert page.focused() == "stock"
    page.press(DOWN, RIGHT, END)
    assert page.focused() == "hand to the courier"
    page.press(UP)
    assert page.find("#details h3").text.startswith("✓ until the morning")
    assert page.js("return document.querySelectorAll('[aria-selected=true]').length") == 1


def test_tab_reaches_everything_and_the_tree_once(look: Open) -> None:
    page = look("order")
    page.js("document.body.focus()")
    seen = []
    for _ in range(14):
        page.press(TAB)
        seen.append(page.focused())
        outline = page.js("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", seen[-1]
    assert seen[:2] == ["Skip to the operations", "theme"]
    assert [name for name in ("filter", "linear", "out", "fit", "in") if name in seen] == [
        *("filter", "linear", "out", "fit", "in")
    ]
    assert seen.count("hand to the courier") == 1
    assert "charge" not in seen[seen.index("in") :][:2]


def test_the_skip_link_leads_into_the_tree(look: Open) -> None:
    page = look("order")
    page.js("document.querySelector('.skip').focus()")
    page.press("\ue007")
    assert page.focused() == "tree"
    page.press(DOWN)
    assert page.focused() == "hand to the courier"


def test_roles_tell_the_structure(look: Open) -> None:
    page = look("order")
    rows = page.js(
        "return [...document.querySelectorAll('[role=tree] > [role=treeitem]')]"
        ".map(e => ['aria-level','aria-posinset','aria-setsize','aria-expanded'].map(a => e.getAttribute(a)))"
    )
    assert rows[:4] == [["1", "1", "5", None], ["1", "2", "5", None], ["1", "3", "5", "true"], ["2", "1", "1", "true"]]
    assert page.js("return [...document.querySelectorAll('button')].every(e => e.textContent || e.ariaLabel)")
    assert page.js("return document.querySelector('label[for=filter]') !== null")


def test_time_can_be_zoomed_and_drawn_to_scale(look: Open) -> None:
    page = look("order")
    width = "return document.getElementById('axis').clientWidth"
    fit = page.js(width)
    page.find("#in").click()
    assert page.js(width) == pytest.approx(fit * 1.5, abs=2)
    page.press("+", "+")
    assert page.js(width) > fit * 3
    page.press("0")
    assert page.js(width) == fit
    bar = "return document.querySelectorAll('.row')[1].querySelector('.bar').getBoundingClientRect().width"
    compressed = page.js(bar)
    page.find("#linear").click()
    assert page.js(bar) < compressed / 2
    assert page.messages() == []


def test_a_click_shows_details(look: Open) -> None:
    page = look("order")
    page.find(".row:nth-child(2) .track").click()
    assert page.find("#details h3").text == "✓ approval Callback"
    assert "timeout 7 d" in page.find("#details").text
    page.find("#events tbody tr:nth-child(2) button").click()
    assert page.find("#details h3").text == "✓ charge Step"
    assert "ConnectionError: no answer from the bank" in page.find("#details").text


def test_executions_of_one_test_can_be_chosen(look: Open) -> None:
    page = look("several")
    buttons = page.driver.find_elements("css selector", "#executions button")
    assert [each.text for each in buttons] == ["✗ order-7", "✓ order-7 (2)", "✓ order-7 (3)"]
    buttons[1].click()
    assert page.names() == ["step 0", "step 1", "step 2", "a year", "after"]
    assert page.find("#status").text == "SUCCEEDED"
    assert page.js("return document.querySelectorAll('[aria-current=true]').length") == 1


def test_many_operations_scroll_and_their_events_come_in_parts(look: Open) -> None:
    page = look("many")
    assert len(page.names()) == 300
    assert page.js("return document.querySelectorAll('#events tbody tr').length") == 300
    page.find("#more").click()
    assert page.js("return document.querySelectorAll('#events tbody tr').length") > 600
    page.js("document.querySelector('.row[tabindex=\"0\"]').focus()")
    page.press(END)
    last = "const r = document.activeElement.getBoundingClientRect(), s = document.getElementById('scroller')"
    assert page.js(f"{last}.getBoundingClientRect(); return r.bottom <= s.bottom + 1 && r.top >= s.top")


def test_hostile_payloads_are_text(look: Open) -> None:
    page = look("hostile")
    for number in range(1, 3):
        page.find(f".row:nth-child({number})").click()
    page.js("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.js("return window.hacked") is None
    assert page.js("return document.querySelectorAll('img').length") == 0
    assert page.names()[0] == "<img src=x onerror=window.hacked=1>"
    assert page.find("#test").text.startswith("</script><script>window.hacked=1</script>")
    assert "window.hacked=1" in page.find("#outcome").text
    assert "The first 16,000 of 100,002 characters." in page.find("#details").text
    assert page.messages() == []


def test_even_markup_that_gets_in_cannot_run(look: Open) -> None:
    page = look("order")
    page.js("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">')")
    page.js("const s = document.createElement('script'); s.textContent = 'window.hacked=1'; document.body.append(s)")
    assert page.js("return window.hacked") is None
    assert any("Content Security Policy" in message for message in page.messages())


def test_light_and_dark_follow_the_system_and_the_button(look: Open) -> None:
    background = "return getComputedStyle(document.body).backgroundColor"
    page = look("order")
    light = page.js(background)
    page.find("#theme").click()
    chosen = page.js(background)
    dark = look("order", dark=True).js(background)
    assert light != dark
    assert chosen == dark
    page.find("#theme").click()
    assert (page.find("#theme").text, page.js(background)) == ("Theme: dark", dark)
    page.find("#theme").click()
    assert (page.find("#theme").text, page.js(background)) == ("Theme: light", light)
    page.find("#theme").click()
    assert (page.find("#theme").text, page.js(background)) == ("Theme: auto", dark)


# Text on what it stands on, as WCAG 2 counts it.
CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgb = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
  if (c[3] === 255) return c; } return [255, 255, 255]; };
return arguments[0].map(selector => { const e = document.querySelector(selector);
  const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
  return [selector, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)]; }).filter(([, ratio]) => ratio < 4.5);
"""


@pytest.mark.parametrize("dark", [False, True])
def test_texts_can_be_read(look: Open, dark: bool) -> None:
    page = look("order", dark=dark)
    texts = ["#name", "#test", "#facts", "#arn", "#status", ".kind", ".mark.good", ".mark.bad", ".corner", "td", "dt"]
    assert page.js(CONTRAST, texts) == []


@pytest.mark.parametrize("width", [320, 390, 1024, 1680])
def test_no_size_needs_sideways_scrolling_of_the_page(look: Open, width: int) -> None:
    page = look("order", width=width)
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    assert page.find("#filter").is_displayed()
    assert page.js("return document.getElementById('axis').clientWidth") >= 140
