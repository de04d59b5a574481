"""The page as bytes: whole, the same each time, and with nothing in it that an execution could use."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import async_durable_execution as sdk
from render_kit import answered, asks, many, order, record_of, until_suspended, work

from async_durable_execution_runner._render import page as page_module
from async_durable_execution_runner._render.page import render_page
from async_durable_execution_runner._render.page_data import PAGE, PAYLOAD, TIGHT, execution_data

HOSTILE = (
    "</script><script>window.hacked=1</script><!-- <img src=x onerror=window.hacked=1> \u2028\u2029 & ]]> {{data}}"
)


@sdk.durable_execution
async def hostile(event: Any) -> Any:
    await sdk.step(work(HOSTILE), name="<img src=x onerror=window.hacked=1>")
    await sdk.step(work("x" * 100_000), name="large")
    raise LookupError(HOSTILE)


def page_of(handler: Any, *drive: Any, title: str = "a test", **options: Any) -> str:
    data = execution_data(*record_of(handler, *drive))
    return render_page(title, [data], "the tree", **options).decode()


class Reader(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = str(dict(attrs).get("id") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data


def data_of(page: str) -> Any:
    return json.loads(Reader(page).texts["data"])


def test_the_same_execution_gives_the_same_bytes() -> None:
    assert page_of(order, answered) == page_of(order, answered)


def test_it_holds_what_an_execution_is() -> None:
    (execution,) = data_of(page_of(order, answered))["executions"]
    assert (execution["name"], execution["status"], execution["input"]) == ("order-7", "FAILED", "{}")
    assert execution["error"]["error"]["message"] == "no such courier"
    assert [each["name"] for each in execution["lanes"]][:3] == ["charge", "approval", "stock"]
    charge = execution["lanes"][0]
    assert [bar["shape"] for bar in charge["bars"]] == ["ATTEMPT", "RETRY"] * 2 + ["ATTEMPT"]
    assert [execution["events"][number]["type"] for number in charge["events"]] == [
        *("StepStarted", "StepFailed") * 2,
        *("StepStarted", "StepSucceeded"),
    ]
    assert len(execution["places"]) == len(execution["moments"])
    assert execution["places"] == sorted(execution["places"])
    assert (execution["places"][0], execution["places"][-1]) == (0, 1)
    assert [each["number"] for each in execution["invocations"]] == [1, 2, 3, 4, 5, 6]
    assert execution["failure"]["place"].endswith(".py:" + execution["failure"]["place"].rpartition(":")[2])


def test_where_no_time_passes_nothing_looks_long() -> None:
    (execution,) = data_of(page_of(many(2)))["executions"]
    assert execution["end"] == 0
    assert execution["places"][-1] < 0.5
    (long,) = data_of(page_of(many(9)))["executions"]
    assert long["places"][-1] <= 1


def test_seconds_and_instants_are_said_as_such() -> None:
    (execution,) = data_of(page_of(order, answered))["executions"]
    details = [dict(event["details"]) for event in execution["events"]]
    assert {each["delay"] for each in details if "delay" in each} == {"30 s", "1 min"}
    assert {each["timeout"] for each in details if "timeout" in each} == {"7 d"}
    assert {"at": 30_000} in [each.get("started_at") for each in details]


def test_a_payload_can_neither_leave_its_element_nor_name_another() -> None:
    page = page_of(hostile, title=HOSTILE, test=HOSTILE)
    clean = Reader(page_of(many(2), title="t"))
    assert [tag for tag, _ in Reader(page).tags] == [tag for tag, _ in clean.tags]
    assert page.count("</script") == 2
    assert HOSTILE in json.dumps(data_of(page), ensure_ascii=False).replace("\\\\u2028\\\\u2029", "\u2028\u2029")
    assert data_of(page)["test"] == HOSTILE
    assert "\u2028" not in Reader(page).texts["data"]


def test_what_is_long_is_shortened_with_its_size() -> None:
    (execution,) = data_of(page_of(hostile))["executions"]
    found = [dict(event["details"]).get("result") for event in execution["events"]]
    (cut,) = [each for each in found if isinstance(each, dict)]
    assert (len(cut["text"]), cut["length"] > 100_000) == (PAYLOAD, True)


def test_a_page_of_megabytes_stays_small() -> None:
    @sdk.durable_execution
    async def heavy(event: Any) -> None:
        for number in range(200):
            await sdk.step(work("y" * 100_000), name=f"step {number}")

    page = page_of(heavy)
    assert PAGE < len(page) < PAGE + 500_000
    (execution,) = data_of(page)["executions"]
    last = dict(execution["events"][-3]["details"])["result"]
    assert (len(last["text"]), last["length"]) == (TIGHT, 100_002)


def test_the_policy_lets_nothing_in_but_this_style_and_this_script() -> None:
    reader = Reader(page_of(order, answered))
    policy = next(attributes["content"] for tag, attributes in reader.tags if "http-equiv" in attributes)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for name in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(reader.texts[name].encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{digest}'"
    assert set(rules) == {"default-src", "style-src", "script-src", "img-src", "base-uri", "form-action"}


def test_it_names_no_address() -> None:
    page = page_of(order, answered)
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", page) == []
    assert "@import" not in page
    assert "url(" not in page
    assert "innerHTML" not in page


def test_without_scripts_there_is_the_tree() -> None:
    page = render_page("t", [execution_data(*record_of(asks, until_suspended))], "<b>tree</b>\n" * 3000).decode()
    assert "&lt;b&gt;tree&lt;/b&gt;" in page
    assert "… and 2000 more lines" in page


def test_all_its_scripts_are_on_the_page() -> None:
    folder = Path(page_module.__file__).parent / "page"
    page = render_page("orders", [execution_data(*record_of(many(1)))], "")
    for script in folder.glob("*.js"):
        assert script.read_bytes() in page, script.name


def test_what_utf_8_cannot_say_does_no_harm() -> None:
    assert b"?" in render_page("\ud800", [execution_data(*record_of(many(1)))], "\udfff")
