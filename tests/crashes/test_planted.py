"""Each planted mistake is found, and told by the name of its operation; nothing is said of the correct twins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INI = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest --log-level=CRITICAL
asyncio_default_fixture_loop_scope = function
"""

# Test -> what the report has to name: the operation that is to blame, or the effect.
NAMED = {
    "double_charge": "step 'charge card' had run.*'bank' for 'order-7' happened twice",
    "retry_without_key": "'bank' for 'order-7' happened twice",
    "lost_compensation": "removed: Step 'refund' was recorded and is asked for no more",
    "effect_outside": "step 'send welcome' had run.*'mail' for 'welcome' happened twice",
    "submitter_mails_twice": "step 'approval-submitter' had run.*'mail' for 'please approve' happened twice",
    "unhandled_interruption": "the start of step 'charge once' was saved",
    "answered_twice": "step 'approve it' had run",
    "child_result_beside": "RunInChildContext 'sum up'|child context 'sum up' was saved.*gave null instead of 5",
    "step_result_beside": "value changed: the result of the execution",
    "total_in_closure": "the argument total of Step 'add 4'",
    "list_of_a_map": "the argument done of Step 'item 2' in MapIteration 'map-item-1' in Map 'all items'",
    "module_counter": r"renamed: Step 'attempt \d+' is now Step 'attempt \d+'",
    "mutable_default": "value changed: the result of the execution",
    "cached_operation": "removed: Step 'fetch rate'",
    "reads_a_file": "renamed: Step 'first time' is now Step 'once more'",
    "uuid_in_a_name": r"renamed: Step 'order \w+' is now Step 'order \w+'",
    "uuid_in_an_argument": "value changed: the argument key of Step 'charge with key'",
    "uuid_of_a_child": "value changed: the result of RunInChildContext 'make id'",
    "now_in_the_result": "value changed: the result of the execution",
    "wait_until_midnight": "value changed: the duration in seconds of Wait 'until midnight'",
    "date_in_an_invoke": "value changed: the payload of ChainedInvoke 'bill the day'",
    "random_wait": "value changed: the duration in seconds of Wait 'jitter'",
    "random_branch": r"renamed: Step 'side [\d.]+' is now Step 'side [\d.]+'",
    "token_for_a_callback": r"renamed: Callback 'callback \w+' is now Callback 'callback \w+'",
    "unordered_set": "reordered: Step 'greet ",
    "id_in_a_name": r"renamed: Step 'pack \d+' is now Step 'pack \d+'",
    "timeout_from_the_clock": "value changed: the timeout in seconds of Callback 'reply'",
    "first_come": "it called Step 'thank the slow one' what was Step 'thank the quick one' in the clean run",
    "request_id_as_a_key": "value changed: the argument key of Step 'charge with the request'",
    "process_in_a_name": r"renamed: Step 'lock of \d+' is now Step 'lock of \d+'",
    "stops_when_time_is_short": "added: Wait 'go on later' was never recorded",
    "seen_by_branches": "of Step 'add up'|step 'add up'|Parallel 'count both'|parallel 'count both'",
}


def run(pytester: pytest.Pytester) -> dict[str, pytest.TestReport]:
    pytester.makeini(INI)
    pytester.makepyfile(test_planted_half=(HERE / "planted.py").read_text(encoding="utf-8"))
    result = pytester.runpytest_inprocess()
    everything = result.reprec.getreports("pytest_runtest_logreport")  # type: ignore[attr-defined]
    return {
        report.nodeid.rpartition("::test_")[2]: report
        for report in everything
        if report.when == "call" or report.outcome == "failed"
    }


def test_every_mistake_is_found_and_named(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_FAULTS", "1")
    reports = run(pytester)
    assert set(reports) == set(NAMED)
    missed = [name for name, report in reports.items() if report.outcome != "failed"]
    assert missed == []
    unnamed = {
        name: text for name, report in reports.items() if not re.search(NAMED[name], text := told(report), re.DOTALL)
    }
    assert unnamed == {}


def test_nothing_is_said_of_the_twins(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLANTED_FAULTS", raising=False)
    reports = run(pytester)
    assert set(reports) == set(NAMED)
    accused = {name: told(report) for name, report in reports.items() if report.outcome != "passed"}
    assert accused == {}


def told(report: pytest.TestReport) -> str:
    return "\n".join([str(report.longrepr), *(text for title, text in report.sections if title == "crash matrix")])
