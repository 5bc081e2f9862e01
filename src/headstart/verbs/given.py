"""What a verb was given, as the Python function behind it takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from typer.core import TyperCommand

from headstart.options import check_once, filled, suggested

__all__ = ["Verb", "filled", "options_of", "spellings", "suggested"]


class Verb(TyperCommand):
    """A command that refuses one option under two of its names; typer would take the last in silence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does.

        Raises:
            SettingError: an option under two names.
        """
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))  # every option as often as it is given
        spelt = [one.partition("=")[0] for one in (args[: args.index("--")] if "--" in args else args)]
        for option in {id(one): one for one in order}.values():
            names = [name for name in spelt if name.startswith("--") and name in option.opts]
            short = [name for name in option.opts if not name.startswith("--")]
            if len(names) < order.count(option):  # the rest by its letter, which may stand amid others
                names += short
            if order.count(option) > 1:  # else the other is a value that looks like an option
                check_once(option.opts[0], names)
        return super().parse_args(ctx, args)


def spellings(params: Iterable[Any]) -> dict[str, str]:
    """Every way to write the options among typer's ``params``, each with the first, which is the option's own."""
    options = [one for one in params if one.param_type_name == "option"]
    return {name: names[0] for one in options for names in (one.opts, one.secondary_opts) for name in names}


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    """Every parameter of a verb under its own name, save those of what is shown."""
    options = {name: value for name, value in given.items() if name not in ("json", "quiet", "verbose")}
    if "slice" in options:
        options["slices"] = options.pop("slice") or ()
    return options
