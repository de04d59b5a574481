"""The command line ``durable-runner``: run, look at, answer and serve durable executions from a shell.

``durable-runner --help`` lists the commands; docs/cli.md shows each of them. It needs the extra ``cli``.
"""

from __future__ import annotations

import importlib.util
import io
import sys

__all__ = ["main"]


def main() -> None:
    """What the console script calls. Ends the process with one of the documented exit codes."""
    missing = [name for name in ("click", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(_not_installed(missing))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or pipe that cannot show a tree's lines shows question marks instead of an error.
            stream.reconfigure(errors="replace")
    from ._cli.app import app

    app(prog_name="durable-runner")


def _not_installed(missing: list[str]) -> int:
    print(  # noqa: T201 - what prints better is what is missing
        f"durable-runner needs {' and '.join(missing)}: python3 -m pip install 'async-durable-execution-runner[cli]'",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    main()
