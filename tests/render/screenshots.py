"""Writes the pictures of the documentation anew: ``hatch run python tests/render/screenshots.py``.

They are pictures of a real page in a real browser; look at them before they are committed.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from browser_kit import browsing
from render_kit import answered, order, record_of

from async_durable_execution_runner._render.page import render_page
from async_durable_execution_runner._render.page_data import execution_data

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SIZES = ((390, 844, True), (1024, 768, False), (1680, 900, False), (1680, 900, True))


def page_of_an_order() -> bytes:
    record, now = record_of(order, answered)
    assert record.first_failure is not None
    # Where the checkout lies is nobody's business.
    failure = replace(record.first_failure, place="orders.py:24")
    data = execution_data(replace(record, first_failure=failure), now)
    return render_page("order-7", [data], "", test="tests/test_orders.py::test_an_order_is_delivered")


def write(folder: Path) -> None:
    page = folder / "order-7.html"
    page.write_bytes(page_of_an_order())
    with browsing(folder / "profile") as browser:
        for width, height, dark in SIZES:
            browser.look(page, width=width, height=height, dark=dark)
            target = ASSETS / f"page-{width}{'-dark' if dark else ''}.png"
            browser.driver.save_screenshot(str(target))
            shrink(target)


def shrink(picture: Path) -> None:
    """A palette does for a page, and is a third of the size."""
    try:
        from PIL import Image
    except ImportError:
        return
    with Image.open(picture) as opened:
        small: Any = opened.convert("RGB").quantize(224, dither=Image.Dither.NONE)
    small.save(picture, optimize=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
