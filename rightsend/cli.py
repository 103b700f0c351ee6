"""The command line: finds the command, runs it, turns a failure into one sentence.

Commands are loaded when they are asked for: `rightsend web` must not carry the model libraries
that `rightsend nightly` needs.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence

import click

from rightsend.errors import is_ours

DEBUG_VARIABLE = "RIGHTSEND_DEBUG"
COMMANDS = {
    "up": "rightsend.commands.up:up",
    "demo": "rightsend.commands.demo:demo",
    "check": "rightsend.commands.check:check",
    "import": "rightsend.commands.importing:import_",
    "nightly": "rightsend.commands.nightly:nightly",
    "backtest": "rightsend.commands.backtest:backtest",
    "segment": "rightsend.commands.segment:segment",
    "score": "rightsend.commands.score:score",
    "recommend": "rightsend.commands.recommend:recommend",
    "sync": "rightsend.commands.sync:sync",
    "audience": "rightsend.commands.audience:audience",
    "snippet": "rightsend.commands.snippet:snippet",
    "runs": "rightsend.commands.runs:runs",
    "rollback": "rightsend.commands.runs:rollback",
    "export": "rightsend.commands.export:export",
    "decisions": "rightsend.commands.decisions:decisions",
    "audit": "rightsend.commands.audit:audit",
    "keys": "rightsend.commands.keys:keys",
    "secret": "rightsend.commands.secret:secret",
    "web": "rightsend.commands.processes:web",
    "worker": "rightsend.commands.processes:worker",
    "clock": "rightsend.commands.processes:clock",
    "sandbox": "rightsend.commands.processes:sandbox",
    "docs": "rightsend.commands.docs:docs",
}


class Commands(click.Group):
    """The commands of the literal table above, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """In the table's order; loads every command for its first sentence."""
        rows = []
        for name in COMMANDS:
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=90)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rightsend")
def cli() -> None:
    """Makes a CRM messaging tool send each customer what that customer would want.

    \b
    Example:
      rightsend demo          everything on this machine, with a year of real purchases
      rightsend COMMAND --help
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """One command; returns the exit status. A failure is one sentence on stderr."""
    if os.environ.get(DEBUG_VARIABLE):
        return _status(cli.main(arguments, prog_name="rightsend", standalone_mode=False))
    try:
        return _status(cli.main(arguments, prog_name="rightsend", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _say("stopped before it was done; run it again to go on", 128 + signal.SIGINT)
    except BrokenPipeError:
        sys.stderr.close()  # the reader left (`| head`): nothing to add
        return 0
    except Exception as error:  # noqa: BLE001  the process boundary
        return _say(sentence_of(error), 1)


def main() -> None:
    """Entry point of the installed program."""
    sys.exit(run())


def sentence_of(error: Exception) -> str:
    """What went wrong, for a person at a terminal."""
    text = str(error).strip()
    if is_ours(error):
        return text
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"  # the machine's no, not a mistake of ours
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.strerror}: make room in the state folder and run it again"
    return (
        f"{type(error).__name__}: {text.splitlines()[0] if text else 'no details'} "
        f"(unexpected; {DEBUG_VARIABLE}=1 shows where it happened)"
    )


def _status(value: object) -> int:
    return value if isinstance(value, int) else 0


def _say(sentence: str, status: int) -> int:
    click.echo(f"rightsend: {sentence}", err=True)
    return status


if __name__ == "__main__":
    main()
