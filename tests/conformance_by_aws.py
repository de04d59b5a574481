"""AWS's own judge of conformance against the endpoint.

    pip install --no-deps --ignore-requires-python aws-durable-execution-conformance-tests
    python tests/conformance_by_aws.py HANDLERS [--only ID …] [--jobs N]

The package has requirements and a validator, which invokes functions of a deployed stack, reads their histories,
answers their callbacks and compares. Here all its calls of Lambda go through boto3 to an endpoint, which serves the
handlers of a folder (``tests/conformance/async_handlers``), each in a process of its own. Of a stack only what the
validator asks other services for is made up: names of functions, and lines of their logs.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from async_durable_execution_runner import DurableEndpoint
from conformance_kit import Function, Handlers, load
from conformance_records import Log, listening, said_by

PACKAGE = "aws_durable_execution_conformance_tests"
REGION = "us-west-2"
KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


class Stack:
    """What CloudFormation and CloudWatch know of a stack with one function."""

    def __init__(self, function_name: str, log: Log) -> None:
        self._name, self._log = function_name, log

    def get_paginator(self, operation: str) -> Stack:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        resource = {"LogicalResourceId": self._name, "PhysicalResourceId": self._name}
        return [{"StackResourceSummaries": [{**resource, "ResourceType": "AWS::Lambda::Function"}]}]

    def describe_stack_resource(self, **_: Any) -> dict[str, Any]:
        return {"StackResourceDetail": {"PhysicalResourceId": self._name}}

    def filter_log_events(self, **query: Any) -> dict[str, Any]:
        _, arn, *_ = query["filterPattern"].split('"')
        records = enumerate(said_by(arn, self._log))
        return {"events": [{"timestamp": at, "ingestionTime": at, "message": json.dumps(each)} for at, each in records]}


def judge(handlers: Handlers, requirement: str, file: Path) -> list[str]:
    """What AWS's validator finds wrong with the handler of a requirement."""
    from aws_durable_execution_conformance_tests.sam import Invoker
    from aws_durable_execution_conformance_tests.validate import validate_description

    name = f"requirement-{requirement}"
    function = Function.read(handlers.manifest["requirements"][requirement])
    with (
        handlers.surroundings(function),
        listening() as log,
        endpoint(handlers, name, function, file) as served,
        tempfile.TemporaryDirectory() as place,
    ):
        config = Config(read_timeout=300, retries={"total_max_attempts": 1})
        client = boto3.client("lambda", endpoint_url=served.url, region_name=REGION, config=config, **KEYS)
        stack = Stack(name, log)
        invoker = Invoker("stack", lambda_client=client, cfn_client=stack)
        clients = {"lambda": client, "cloudformation": stack, "logs": stack}
        verdict = validate_description(name, requirement, str(file), invoker, place, REGION, clients, output_dir=place)
    return [] if verdict.passed else verdict.errors or ["it has not passed"]


def endpoint(handlers: Handlers, name: str, function: Function, file: Path) -> DurableEndpoint:
    """Serves a function and those that it calls, on the virtual clock unless somebody answers meanwhile."""
    is_answered = "CallbackActions" in yaml.safe_load(file.read_text(encoding="utf-8"))
    options: dict[str, Any] = {"clock": "real" if is_answered else "virtual", "region": REGION}
    options |= {"execution_timeout": function.execution_timeout, "invocation_timeout": function.timeout}
    if name.removeprefix("requirement-") in handlers.isolated:
        return DurableEndpoint({name: function.sandboxed}, isolation="process", **options)
    targets = {each: Function.read(handlers.manifest["targets"][each]) for each in function.targets}
    return DurableEndpoint({each: load(it.handler) for each, it in ({name: function} | targets).items()}, **options)


def in_a_process(folder: Path, requirement: str) -> list[str]:
    """The same, in an interpreter that no other handler has been in."""
    command = [sys.executable, __file__, str(folder), "--alone", requirement]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    return list(json.loads(done.stdout.splitlines()[-1]))


def report(folder: Path, files: list[Path], jobs: int) -> int:
    """Print what is wrong and how many of each suite have passed; the exit status."""
    passed, played = collections.Counter[str](), collections.Counter[str]()
    with ThreadPoolExecutor(jobs) as pool:
        for file, wrong in zip(files, pool.map(lambda file: in_a_process(folder, file.stem), files), strict=True):
            played[file.parent.name] += 1
            passed[file.parent.name] += not wrong
            print(*(f"{file.stem}: {line}" for line in wrong or ["passed"]), sep="\n", flush=True)
    for suite, count in played.items():
        print(f"{suite:<20}{passed[suite]:>4} of {count}")
    print(f"{'all':<20}{passed.total():>4} of {played.total()}")
    return int(passed != played)


def requirements() -> dict[str, Path]:
    """Where the package has them, by their ids."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        name = PACKAGE.replace("_", "-")
        sys.exit(f"{name} is not installed: pip install --no-deps --ignore-requires-python {name}")
    return {file.stem: file for file in Path(found.origin).parent.glob("test_requirements/*/*.yaml")}


def main() -> int:
    """Judge what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("handlers", type=Path, help="folder with a manifest.yaml")
    parser.add_argument("--only", nargs="+", metavar="ID", help="these requirements (default: all that have a handler)")
    parser.add_argument("--jobs", type=int, default=4, help="so many at a time (default: 4)")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    handlers, files = Handlers.read(given.handlers.resolve()), requirements()
    if given.alone:
        print(json.dumps(judge(handlers, given.alone, files[given.alone])))
        return 0
    wanted = given.only or handlers.manifest["requirements"]
    return report(given.handlers, [files[each] for each in wanted], given.jobs)


if __name__ == "__main__":
    sys.exit(main())
