"""Every option of every command says what it is for."""

from __future__ import annotations

from collections.abc import Iterator

import click

from compliance.cli.main import COMMANDS, cli


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for below in command.list_commands(context):
            yield from _commands(command.get_command(context, below), f"{name} {below}")
    else:
        yield name, command


def test_no_list_of_commands_cuts_a_sentence_short():
    cut = [name for name, command in _commands(cli, "compliance") if command.get_short_help_str(60).endswith("...")]
    assert cut == []


def test_every_command_and_option_has_a_help_text():
    found = dict(_commands(cli, "compliance"))
    assert len(found) >= len(COMMANDS)
    assert [name for name, command in found.items() if not command.help] == []
    silent = [f"{name} {one.opts[0]}" for name, command in found.items() for one in command.params if isinstance(one, click.Option) and not one.help]
    assert silent == []
