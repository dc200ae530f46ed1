"""`compliance`: commands are imported when they are called, errors are printed for people, exit codes follow the contract.

0 no finding at or above the level asked for; 1 such findings; 2 the command could not do its work.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

import compliance
from compliance.errors import ComplianceError

COMMANDS = {
    "purge-date": ("compliance.cli.decide", "purge_date"),
    "decide": ("compliance.cli.decide", "decide_lines"),
    "laws": ("compliance.cli.laws", "laws"),
    "scan": ("compliance.cli.scan", "scan"),
    "import": ("compliance.cli.import_", "import_table"),
    "profile": ("compliance.cli.audit", "profile"),
    "audit": ("compliance.cli.audit", "audit"),
    "serve": ("compliance.cli.serve", "serve"),
    "site": ("compliance.cli.site", "site"),
    "keys": ("compliance.cli.serve", "keys"),
    "ledger": ("compliance.cli.serve", "ledger"),
    "sample": ("compliance.cli.audit", "sample"),
    "bench": ("compliance.cli.bench", "bench"),
}


class _Lazy(click.Group):
    """Finds a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        found = getattr(import_module(module), name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from compliance.errors import guess

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args and args[0] not in COMMANDS:
                raise click.UsageError(f"no command {args[0]!r}.{guess(args[0], COMMANDS)}", ctx) from error
            raise


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(compliance.__version__, prog_name="compliance")
def cli() -> None:
    """From which day may a medical image lawfully be purged, under which statute, and what must be done first?"""


_ENGINES = ("_duckdb", "duckdb", "pyarrow")  # by name: neither is loaded for every command


def main() -> None:
    """Run the command line; no traceback reaches the user for what is wrong with the input."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except ComplianceError as error:
        _say(str(error))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        _say("stopped")
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        _say(f"{error.filename or 'a file'}: {error.strerror or error}")
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _ENGINES:
            raise
        _say(f"a table is damaged or not as this program writes it: {str(error).strip().partition(chr(10))[0]}")
    sys.exit(2)


def _say(message: str) -> None:
    """Tell what is wrong; what a message quotes from data moves no cursor and turns no line around."""
    shown = "".join(one if one.isprintable() or one in "\n\t" else repr(one)[1:-1] for one in message)
    click.echo(f"compliance: {shown}", err=True)
