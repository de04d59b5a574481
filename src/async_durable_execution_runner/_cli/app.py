"""The commands put together, and errors told in words."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import click

from .answering import callback, stop
from .looking import history, list_, prune, show_
from .pausing import pause
from .problems import EXIT_CODES, INTERRUPTED, told
from .replaying import replay
from .running import resume, run
from .serving import serve


class Words(click.Group):
    """A group of commands whose errors are words and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """See ``click.Group``."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warn
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted.", err=True)
            return ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            raise  # click ends silently, as a member of a pipe does
        except Exception as error:
            if ctx.params.get("traceback"):
                raise
            problem = told(error)
            click.echo(f"durable-runner: {problem}", err=True)
            return ctx.exit(problem.code)


def _warn(message: Warning | str, *_where: Any, **_more: Any) -> None:
    """A warning in words: where in this program it comes from says nothing to anybody."""
    click.echo(f"Warning: {message}", err=True)


@click.group(
    cls=Words,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=f"\b\n{EXIT_CODES}",
)
@click.version_option(package_name="async-durable-execution-runner")
@click.option("--traceback", is_flag=True, help="show where an error comes from; before the command.")
def app(*, traceback: bool) -> None:
    """Run, look at, answer and serve AWS Lambda durable functions on this machine."""
    del traceback  # the group looks at it
    # As `python -m` has it: a console script would not find modules of the current folder.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


for _command in (run, resume, list_, show_, history, replay, callback, stop, pause, prune, serve):
    app.add_command(_command)
