"""The names users import, pinned."""

from __future__ import annotations

import importlib
import inspect

import pytest

import async_durable_execution_runner as package
from async_durable_execution_runner import DurableFunctionTestRunner, exceptions
from async_durable_execution_runner.awaited import AwaitedRunner

PROMISED = {
    "runner": {
        "DurableFunctionTestRunner",
        "DurableFunctionCloudTestRunner",
        "DurableFunctionCloudTestRunnerConfig",
        "DurableFunctionTestResult",
        "Operation",
        "ExecutionOperation",
        "StepOperation",
        "WaitOperation",
        "CallbackOperation",
        "ContextOperation",
        "InvokeOperation",
    },
    "stores.base": {"ExecutionStore", "StoreType"},
    "observer": {"ExecutionObserver", "ExecutionNotifier"},
    "clock": {"Clock", "VirtualClock", "RealClock"},
}


@pytest.mark.parametrize("module", PROMISED)
def test_promised_names_are_where_they_were_promised(module: str) -> None:
    home = importlib.import_module(f"async_durable_execution_runner.{module}")
    missing = [name for name in PROMISED[module] if not hasattr(home, name) or name not in home.__all__]
    assert not missing
    assert all(getattr(package, name) is getattr(home, name) for name in PROMISED[module])


def test_the_package_has_every_name_it_lists_and_lists_every_name_it_has() -> None:
    assert sorted(package.__all__) == package.__all__ == sorted(package._HOME_OF)
    assert all(getattr(package, name) is not None for name in package.__all__)
    assert set(exceptions.__all__) <= set(package.__all__)
    assert set(package.__all__) <= set(dir(package))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Runner'"):
        _ = package.Runner


def test_every_exception_is_listed_and_says_what_it_is() -> None:
    classes = {
        name: cls
        for name, cls in vars(exceptions).items()
        if inspect.isclass(cls) and issubclass(cls, Exception) and cls.__module__ == exceptions.__name__
    }
    assert set(exceptions.__all__) == set(classes)
    assert all(cls.__doc__ for cls in classes.values())


def test_the_awaited_runner_has_the_methods_of_the_runner() -> None:
    def surface(cls: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters) if inspect.isfunction(member) else ["property"]
            for name, member in inspect.getmembers(cls)
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
        }

    assert surface(AwaitedRunner) == surface(DurableFunctionTestRunner)
