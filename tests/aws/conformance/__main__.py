"""The requirements themselves: ``python tests/aws/conformance DIR [--only ID …] [--no-tuning]``.

DIR holds AWS's conformance requirements as SUITE/ID.yaml. Every event that a requirement lists is looked for by its
``EventId`` and compared as strictly as the requirement says, and so are the lines of its log.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from conformance_logs import differences

from conformance_kit import Answer, Handlers, Plan, Played

HANDLERS = Handlers.read(Path(__file__).resolve().parent)
CAPTURE = re.compile(r"\$\{(\w+)\}")
PATTERN = re.compile(r"\$\{/(.+)/\}")


class Names(dict[str, Any]):
    """What ``${NAME}`` stands for: values made up for variables, and what was met first."""

    def declare(self, variables: dict[str, str]) -> None:
        for name, value in variables.items():
            size = re.fullmatch(r"\$\{GEN_STR:(\d+)\}", str(value))
            self[name] = (name.lower().replace("_", "") * 20)[: int(size[1])] if size else value

    def fill(self, node: Any) -> Any:
        if isinstance(node, str):
            return CAPTURE.sub(lambda found: str(self.get(found[1], found[0])), node)
        if isinstance(node, dict):
            return {key: self.fill(value) for key, value in node.items()}
        return [self.fill(value) for value in node] if isinstance(node, list) else node

    def differences(self, want: Any, got: Any, where: str) -> list[str]:
        """How ``got`` is not what is wanted, which may bind names."""
        if want in ({}, "*"):
            return []
        if isinstance(want, dict) and isinstance(got, dict):
            found = [f"{where}.{key}: not there" for key in want if key not in got]
            return found + [
                line for key in want.keys() & got.keys() for line in self.differences(want[key], got[key], key)
            ]
        if isinstance(want, str) and (pattern := PATTERN.fullmatch(want)):
            wrong = re.search(pattern[1], str(got)) is None
        elif isinstance(want, str) and (capture := CAPTURE.fullmatch(want)):
            wrong = self.setdefault(capture[1], got) != got
        else:
            wrong = self.fill(want) != got
        return [f"{where}: {got!r}, wanted {self.fill(want)!r}"] if wrong else []


def plan_of(requirement: dict[str, Any], names: Names) -> Plan:
    actions = names.fill(requirement.get("CallbackActions") or [])
    answers = [
        Answer(
            operation=each["Operation"].lower(),
            callback=each["CallbackName"],
            payload=each.get("Payload"),
            after=each.get("Delay", 0),
        )
        for each in actions
    ]
    event, ends = names.fill(requirement.get("Input")), "ExpectedResult" in requirement
    return Plan(event=event, answers=tuple(answers), ends=ends)


def compare(requirement: dict[str, Any], played: Played, names: Names) -> list[str]:
    events = {event["EventId"]: event for event in played.result.events}
    wrong = [
        line
        for want in requirement["ExpectedExecutionHistory"]
        for line in names.differences(want, events.get(want["EventId"], {}), f"event {want['EventId']}")
    ]
    if wanted := requirement.get("ExpectedResult"):
        got = {"ExecutionStatus": played.result.execution_status.value, "Result": played.result.value}
        wrong += names.differences(names.fill(wanted), got, "result")
    return wrong


def check(path: Path, tuning: bool) -> list[str]:
    """What is wrong with one requirement."""
    requirement, names = yaml.safe_load(path.read_text(encoding="utf-8")), Names()
    names.declare(requirement.get("Variables") or {})
    try:
        played = HANDLERS.play(path.stem, plan_of(requirement, names), tuning=tuning)
    except Exception as error:  # noqa: BLE001 - one requirement's trouble is told as its own
        return [f"{type(error).__name__}: {error}"]
    # The names are known once the history is compared.
    wrong = compare(requirement, played, names)
    return wrong + differences(names.fill(requirement.get("ExpectedLogs") or []), played.logs)


def main() -> int:
    """Play the requirements and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("requirements", type=Path, help="folder of SUITE/ID.yaml")
    parser.add_argument("--only", nargs="+", help="ids")
    parser.add_argument("--no-tuning", action="store_true", help="with sdk_tuning=False")
    given = parser.parse_args()
    paths = [path for path in sorted(given.requirements.glob("*/*.yaml")) if not given.only or path.stem in given.only]
    passed, played = collections.Counter[str](), collections.Counter[str]()
    for path in paths:
        if path.stem not in HANDLERS.manifest["requirements"]:
            print(f"{path.stem}: no handler")
            continue
        wrong = check(path, not given.no_tuning)
        played[path.parent.name] += 1
        passed[path.parent.name] += not wrong
        for line in wrong:
            print(f"{path.stem}: {line}")
    for suite, count in played.items():
        print(f"{suite:<20}{passed[suite]:>4} of {count}")
    print(f"{'all':<20}{passed.total():>4} of {played.total()}")
    return int(passed.total() != played.total())


if __name__ == "__main__":
    sys.exit(main())
