"""Options of the pytest plugin: where a value may come from, and which values make sense.

An option of a runner comes from the test's marker (or the factory's keywords), else from the environment, else from
the ini file; an option of the session from the command line, else from the ini file. Nothing here imports the runner:
a session that never uses it pays for a table of names and no more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ._replay_options import ReplayOptions, add_replay_options, asked_radar

if TYPE_CHECKING:
    from ._model.plan import Plan

__all__ = ["HISTORIES", "MARKER", "MARKER_ARGUMENTS", "MODES", "RUNNER_OPTIONS", "PluginOptions", "RunnerOptions"]

MARKER = "durable_execution"
MODES = ("local", "cloud")
HISTORIES = ("failed", "all", "never")
_COUNT = pytest.StashKey[int]()
_FIXTURES = {"durable_runner", "durable_runner_factory"}
HTML_FOR = ("failed", "all")


def _seconds(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _switch(text: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    return words[text.lower()]


def _store(text: str) -> str:
    """A store by name: one that comes with the package, or one of an entry point (see ``stores.selection``)."""
    if text in {"memory", "filesystem", "sqlite"}:
        return text
    offered = entry_points(group="async_durable_execution_runner.stores")
    if text not in offered.names:
        raise ValueError(text)
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        return words[words.index(text)]

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerOption:
    """An option of the runner's constructor.

    ``read`` turns an ini file's text into the value; it is ``None`` for what cannot be written as text. ``variable``
    is the environment variable that the runner itself asks; one that is set goes before the ini file.
    """

    name: str
    read: Callable[[str], object] | None = None
    says: str = ""
    variable: str | None = None

    @property
    def ini(self) -> str:
        """Its name in an ini file."""
        return f"durable_{self.name}"

    def from_ini(self, text: str, folder: Path) -> object:
        """The value of an ini file's text; a path starts at the ini file. Raises ``UsageError`` for nonsense."""
        assert self.read is not None
        try:
            value = self.read(text)
        except (ValueError, KeyError):
            raise pytest.UsageError(f"{self.ini} = {text!r} (ini file): it is {self.says}") from None
        return folder / value.expanduser() if isinstance(value, Path) else value


RUNNER_OPTIONS = (
    RunnerOption(
        name="store",
        read=_store,
        says="where executions rest: memory, filesystem, sqlite, or a store that another package offers",
        variable="AWS_DEX_STORE_TYPE",
    ),
    RunnerOption(
        name="store_path",
        read=Path,
        says="the folder or file of the store, from the ini file's folder on, for example .durable",
        variable="AWS_DEX_STORE_PATH",
    ),
    RunnerOption(name="clock", read=_one_of("virtual", "real"), says="whose time passes: virtual or real"),
    RunnerOption(
        name="start_time",
        read=datetime.fromisoformat,
        says="the first instant of the virtual clock, for example 2025-12-01T09:00:00+00:00",
    ),
    RunnerOption(name="execution_timeout", read=_seconds, says="seconds that an execution may take, for example 3600"),
    RunnerOption(name="invocation_timeout", read=_seconds, says="seconds of the Lambda timeout, for example 60"),
    RunnerOption(name="retention_period_days", read=int, says="a number of days, for example 14"),
    RunnerOption(name="limits"),
    RunnerOption(
        name="isolation",
        read=_one_of("inline", "process"),
        says="where the handler runs: inline or process",
    ),
    RunnerOption(name="region", read=str, says="the AWS region in ARNs, for example eu-central-1"),
    RunnerOption(name="account_id", read=str, says="the account in ARNs, for example 123456789012"),
    RunnerOption(name="function_name", read=str, says="the function's name in ARNs, for example my-function"),
    RunnerOption(name="observers"),
    RunnerOption(name="poll_interval", read=_seconds, says="seconds; accepted for drop-in use, nothing here polls"),
    RunnerOption(
        name="sdk_tuning",
        read=_switch,
        says="whether what the SDK asks of its own classes is remembered, which is faster: true or false",
    ),
    RunnerOption(name="faults"),
)
"""Every keyword of the runner's constructor; a test compares the two."""

MARKER_ONLY = ("crash", "radar")
"""What the plugin itself takes from a marker: not the runner's."""

MARKER_ARGUMENTS = ("handler", "lambda_function_name", *(option.name for option in RUNNER_OPTIONS), *MARKER_ONLY)

MARKER_HELP = (
    f"{MARKER}(handler, lambda_function_name='test-function', crash='off', radar=True, "
    f"{', '.join(option.name for option in RUNNER_OPTIONS)}): "
    "the durable function that the fixture 'durable_runner' runs, and options of its runner, by keyword. handler is a "
    "function decorated with @durable_execution, the undecorated durable function, or 'module:attribute'. "
    "Example: @pytest.mark.durable_execution(handler=my_handler, execution_timeout=3600). The nearest marker counts."
)


def add_options(parser: pytest.Parser) -> None:
    """Declare the command line's options and the ini file's."""
    group = parser.getgroup("durable execution", "durable execution runner")
    group.addoption(
        "--durable-mode",
        "--runner-mode",
        dest="durable_mode",
        choices=MODES,
        help="where durable functions run: in this process (local, the default) or where they are deployed (cloud). "
        "Example: --durable-mode=cloud",
    )
    group.addoption(
        "--durable-history",
        dest="durable_history",
        choices=HISTORIES,
        help="whose reports show the operation tree of their executions: failed tests' (the default), all tests' "
        "(add -rP to see those that passed), or nobody's. Example: --durable-history=all",
    )
    group.addoption(
        "--durable-crash",
        dest="durable_crash",
        metavar="WHERE",
        help="run each test of a durable function again with its invocation killed at every checkpoint boundary: "
        "everywhere, sample:N for N places of each test, or off (the default). Example: --durable-crash=sample:50",
    )
    group.addoption(
        "--durable-plan",
        dest="durable_plan",
        metavar="PLAN",
        help="run a test of a durable function clean, then again by a fault plan, such as a crash matrix prints. Of "
        "several tests those are skipped that do not come to its places. "
        'Example: --durable-plan="die-before:2.3"',
    )
    parser.addini("durable_crash", "the default of --durable-crash: everywhere, sample:N or off")
    group.addoption(
        "--durable-html",
        dest="durable_html",
        metavar="DIR",
        help="write a page for the executions of each failed test into this folder. Example: --durable-html=pages",
    )
    group.addoption(
        "--durable-html-for",
        dest="durable_html_for",
        choices=HTML_FOR,
        help="whose executions get a page: failed tests' (the default) or all tests'. Example: --durable-html-for=all",
    )
    parser.addini("durable_html", "the default of --durable-html, from the ini file's folder on")
    parser.addini("durable_html_for", f"the default of --durable-html-for: {' or '.join(HTML_FOR)}")
    add_replay_options(group, parser)
    parser.addini("durable_mode", f"the default of --durable-mode: {' or '.join(MODES)}")
    parser.addini("durable_history", f"the default of --durable-history: {', '.join(HISTORIES)}")
    for option in RUNNER_OPTIONS:
        if option.read is not None:
            parser.addini(option.ini, f"default of a runner's {option.name}: {option.says}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginOptions:
    """What the session was told. ``runner`` are the runner's options that the ini file sets.

    ``html`` is the folder for pages, if they are wanted.
    """

    mode: str
    history: str
    runner: Mapping[str, object]
    crash: str = "off"
    plan: Plan | None = None
    html: Path | None = None
    html_for: str = "failed"
    replay: ReplayOptions = field(default_factory=ReplayOptions)

    @classmethod
    def of(cls, config: pytest.Config) -> PluginOptions:
        """Read the command line and the ini file. Raises ``UsageError`` with what is valid."""
        mode, history = _choice(config, "durable_mode", MODES), _choice(config, "durable_history", HISTORIES)
        crash = config.getoption("durable_crash") or config.getini("durable_crash") or "off"
        return cls(
            mode=mode,
            history=history,
            runner=_from_ini(config),
            crash=_scope(crash, "--durable-crash"),
            plan=_plan(config.getoption("durable_plan")),
            html=_html_folder(config),
            html_for=_choice(config, "durable_html_for", HTML_FOR),
            replay=ReplayOptions.of(config),
        )

    def crash_of(self, item: pytest.Item) -> str:
        """Where a test's executions are to be killed: its marker says, else the session. ``"off"`` for nowhere.

        Not in the cloud, where nothing can be killed.
        """
        if self.mode == "cloud" or not _has_runner(item):
            return "off"
        marker = item.get_closest_marker(MARKER)
        scope = str((marker.kwargs.get("crash") if marker is not None else None) or self.crash)
        if self.plan is not None and (is_alone(item) or not _says_off(marker)):
            return "everywhere"
        return scope


def is_alone(item: pytest.Item) -> bool:
    """Whether this is the session's only test that has a runner: what is asked of the session is asked of it."""
    count = item.session.stash.get(_COUNT, None)
    if count is None:
        count = item.session.stash[_COUNT] = sum(map(_has_runner, item.session.items))
    return count <= 1


def _has_runner(item: pytest.Item) -> bool:
    return bool(_FIXTURES & set(getattr(item, "fixturenames", ())))


def _says_off(marker: pytest.Mark | None) -> bool:
    return marker is not None and marker.kwargs.get("crash") == "off"


def _scope(text: str, asked: str) -> str:
    """Where to kill, checked. Raises ``UsageError``."""
    if text == "off":
        return text
    from ._crashes.exploring import read_scope

    try:
        read_scope(text)
    except ValueError as error:
        raise pytest.UsageError(f"{asked}: {error}; or 'off'") from None
    return text


def _plan(text: str | None) -> Plan | None:
    if text is None:
        return None
    from .faults import plan

    try:
        return plan(text)
    except ValueError as error:
        raise pytest.UsageError(f"--durable-plan: {error}") from None


def _html_folder(config: pytest.Config) -> Path | None:
    given, default = config.getoption("durable_html"), config.getini("durable_html")
    if given:
        return config.invocation_params.dir / Path(given).expanduser()
    return _ini_folder(config) / Path(default).expanduser() if default else None


def _ini_folder(config: pytest.Config) -> Path:
    return config.inipath.parent if config.inipath is not None else config.rootpath


def _choice(config: pytest.Config, name: str, valid: tuple[str, ...]) -> str:
    given = config.getoption(name) or config.getini(name) or valid[0]
    if given not in valid:
        raise pytest.UsageError(f"{name} = {given!r} (ini file) is unknown; valid: {', '.join(valid)}")
    return str(given)


def _from_ini(config: pytest.Config) -> dict[str, object]:
    folder = _ini_folder(config)
    texts = {option: config.getini(option.ini) for option in RUNNER_OPTIONS if option.read is not None}
    return {option.name: option.from_ini(str(text), folder) for option, text in texts.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerOptions:
    """What one runner is to be made with. ``asked`` is how the test asked for it, for messages."""

    asked: str
    handler: Any
    keywords: Mapping[str, object]
    defaults: Mapping[str, object]
    radar: bool = True

    @classmethod
    def from_marker(
        cls, item: pytest.Item, defaults: Mapping[str, object], *, needs_handler: bool = True
    ) -> RunnerOptions:
        """Read the nearest marker of a test. Raises ``UsageError`` with how to write it."""
        marker = item.get_closest_marker(MARKER)
        asked = f"@pytest.mark.{MARKER}"
        if marker is None:
            raise pytest.UsageError(_no_marker(item))
        if marker.args:
            raise pytest.UsageError(_positional(asked, marker.args))
        keywords = _checked(asked, MARKER_ARGUMENTS, marker.kwargs)
        handler = keywords.pop("handler", None)
        _scope(keywords.pop("crash", None) or "off", f"{asked}: crash")
        if handler is None and needs_handler:
            raise pytest.UsageError(_no_handler(asked))
        radar = asked_radar(asked, keywords)
        return cls(asked=asked, handler=handler, keywords=keywords, defaults=defaults, radar=radar)

    @classmethod
    def from_call(cls, handler: Any, keywords: Mapping[str, Any], defaults: Mapping[str, object]) -> RunnerOptions:
        """Read the arguments of ``durable_runner_factory``. Raises ``UsageError`` with what is valid."""
        asked = "durable_runner_factory"
        valid = tuple(name for name in MARKER_ARGUMENTS if name not in {"handler", "crash"})
        checked = _checked(asked, valid, keywords)
        radar = asked_radar(asked, checked)
        return cls(asked=asked, handler=handler, keywords=checked, defaults=defaults, radar=radar)

    def resolved(self) -> dict[str, object]:
        """The constructor's keywords: those of the test, then the environment's, then the ini file's."""
        set_outside = {option.name for option in RUNNER_OPTIONS if option.variable and os.environ.get(option.variable)}
        inherited = {name: value for name, value in self.defaults.items() if name not in set_outside}
        return {**inherited, **self.keywords}

    def rejected(self, error: Exception) -> str:
        """What to say of a value that the runner's constructor refused."""
        inherited = [f"durable_{name}" for name in self.defaults if name not in self.keywords]
        source = f" (with {', '.join(inherited)} from the ini file)" if inherited else ""
        return f"{self.asked}{source}: {error}"


def _checked(asked: str, valid: tuple[str, ...], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's keywords, under the constructor's names."""
    for name in keywords:
        if name not in valid:
            raise pytest.UsageError(_unknown(asked, name, valid))
    if {"lambda_function_name", "function_name"} <= keywords.keys():
        raise pytest.UsageError(f"{asked}: lambda_function_name and function_name are the same; give one of them.")
    return {"function_name" if name == "lambda_function_name" else name: value for name, value in keywords.items()}


def _unknown(asked: str, name: str, valid: tuple[str, ...]) -> str:
    import difflib  # only a typo needs it

    close = difflib.get_close_matches(name, valid, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{asked} has no argument {name!r}.{hint} {_valid(valid)}"


def _positional(asked: str, values: tuple[object, ...]) -> str:
    example = getattr(values[0], "__name__", "my_handler")
    return f"{asked} takes its arguments by keyword, for example handler={example}. {_valid(MARKER_ARGUMENTS)}"


def _no_handler(asked: str) -> str:
    return (
        f"{asked} names no handler; say which durable function to run, for example handler=my_handler. The nearest "
        f"marker decides alone: it takes nothing over from a class or module. {_valid(MARKER_ARGUMENTS)}"
    )


def _no_marker(item: pytest.Item) -> str:
    return (
        "The fixture 'durable_runner' needs a marker that says which durable function to run:\n\n"
        f"    @pytest.mark.{MARKER}(handler=my_handler)\n"
        f"    def {getattr(item, 'originalname', None) or item.name}(durable_runner): ...\n\n"
        "A test that makes its runners itself asks for 'durable_runner_factory' and needs no marker."
    )


def _valid(names: tuple[str, ...]) -> str:
    return f"Valid: {', '.join(names)}."
