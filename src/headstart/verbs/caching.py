"""`cache` and `cache prune`."""

from __future__ import annotations

from typing import Annotated

import typer

from headstart.arguments import Json
from headstart.errors import SettingError
from headstart.verbs.given import filled

cache_app = typer.Typer(
    help="Show or prune the cache of features (HEADSTART_CACHE; at most HEADSTART_CACHE_SIZE, 20G).",
    invoke_without_command=True,
)


@cache_app.callback()
def cache(context: typer.Context, json: Json = False) -> None:
    """Show what the cache holds: one line a base and preprocessing, least recently used first."""
    if context.invoked_subcommand is None:
        from headstart.terminal.summary import cache_json, cache_text

        print(cache_json() if json else cache_text())


@cache_app.command()
@filled()
def prune(
    to: Annotated[
        str | None,
        typer.Option(help="Remove the least recently used until at most this much is left, such as 5G."),
    ] = None,
    all: Annotated[
        bool, typer.Option("--all", help="Remove everything: archives, graphs and checkpoints too.")
    ] = False,
    json: Json = False,
) -> None:
    """Remove cached features and states of frozen stages, the least recently used first.

    Without options down to the size limit.
    """
    from headstart.terminal.summary import bytes_text
    from headstart.terminal.writing import as_json
    from headstart.training.cache_use import clear_others, parse_size, prune_others, size_limit
    from headstart.training.cache_use import prune as run_prune

    if to and all:
        raise SettingError("--to and --all came together; give one of them.")
    limit = 0 if all else parse_size(to) if to else size_limit()
    removed = run_prune(limit)
    freed = sum(use.bytes for use in removed) + (clear_others() if all else prune_others(limit))
    told = f"removed {len(removed)} {'set' if len(removed) == 1 else 'sets'} of features, {bytes_text(freed)} in all"
    print(as_json({"removed": len(removed), "bytes": freed}) if json else told)
