"""The command line: one function a verb, which parses, makes one call, and leaves errors to `main`."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any, TextIO, cast

import typer

from headstart import __version__
from headstart.began import command_began
from headstart.errors import HeadstartError, HeadstartWarning
from headstart.unicode import ESCAPES
from headstart.verbs.adapting import fit, predict
from headstart.verbs.caching import cache_app
from headstart.verbs.choosing import advise, bases, rank
from headstart.verbs.embedding import embed
from headstart.verbs.given import Verb, filled, spellings, suggested
from headstart.verbs.judging import audit, compare, evaluate, inspect, shift

_HELP = """Adapt a pre-trained model to your labelled data, and measure what transfer learning gained over baselines.

Start with `headstart inspect DATA` to see what it understands, then `headstart fit DATA`: model, report and result.json
are then in runs/NAME, and `headstart predict runs/NAME NEW` uses them. Results go to stdout, all else to stderr.
"""

app = typer.Typer(help=_HELP, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False)
for _verb in (fit, predict, embed, evaluate, audit, shift, compare, inspect, advise, bases, rank):
    app.command(cls=Verb)(filled("inputs")(_verb))
app.add_typer(cache_app, name="cache")

#: Errors of the operating system that say something of a place and nothing of headstart.
_PLACES = {errno.ENAMETOOLONG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ELOOP, errno.EDQUOT}
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it and as typer makes it of Ctrl-C


def _version(value: bool) -> None:
    if value:
        print(f"headstart {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options before the verb; --debug is read in `main`."""


def run() -> None:
    """The console script: `main`, then out without tearing torch down, which takes most of a second."""
    command_began()
    _open_streams()
    sys.stderr = cast("TextIO", _Lossy(sys.stderr))
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass
    except OSError as error:
        code = code or _not_written(error)
    os._exit(code)


class _Lossy:
    """A stream for what is said beside the work: where it is full, or nobody reads it any more, the work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As many characters as came, written or not."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, if that can be."""
        with contextlib.suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _open_streams() -> None:
    """Streams that were closed lead nowhere, and those of another encoding escape the characters it lacks."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (open until the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPES)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; errors become one line on stderr."""
    _open_streams()
    given: list[str] = sys.argv[1:] if arguments is None else arguments
    with warnings.catch_warnings():
        _show_in_one_line()
        return _run(given)


def _run(given: list[str]) -> int:
    debug = "--debug" in given
    # --debug may stand anywhere, as people add it to the end of a command that failed
    try:
        result: Any = app(args=[a for a in given if a != "--debug"], prog_name="headstart", standalone_mode=False)
        code = _interrupted() if result == _INTERRUPTED else result if isinstance(result, int) else 0
    except HeadstartError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        code = _interrupted()
    except SystemExit as error:  # what click makes of a broken pipe, as an exit with 1
        code = _unexpected(error.__context__, debug) if isinstance(error.__context__, OSError) else _code_of(error)
    except Exception as error:
        code = _unexpected(error, debug)
    return code


def _code_of(error: SystemExit) -> int:
    return error.code if isinstance(error.code, int) else int(bool(error.code))


def _show_in_one_line() -> None:
    """What headstart warns of, without the place in its source; other warnings are shown as they are."""
    own = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, HeadstartWarning):
            print(f"warning: {message}", file=sys.stderr)
        else:
            own(message, category, *where, **more)

    warnings.showwarning = show
    warnings.simplefilter("always", HeadstartWarning)


def _unexpected(error: Exception, debug: bool) -> int:
    """Usage errors in one line; a broken pipe is silence; all else is a defect, said so without a traceback."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # click's, which typer carries along
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[attr-defined]
        else:
            print(f"error: {_usage(error)}", file=sys.stderr)
        return int(error.exit_code)
    if isinstance(error, BrokenPipeError):
        return 0
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # files are written through `files.writing`
        return _not_written(error)
    if debug:
        raise error
    if isinstance(error, OSError) and error.errno in _PLACES:
        print(f"error: {str(error.filename or '')[:100]}: {error.strerror}; choose another place.", file=sys.stderr)
        return 2
    print(
        f"error: {type(error).__name__}: {error} (this is a defect of headstart; --debug shows where)",
        file=sys.stderr,
    )
    return 1


def _not_written(error: OSError) -> int:
    """What goes to stdout has no place there; stderr may be no better."""
    with contextlib.suppress(OSError):
        print(f"error: the output cannot be written: {error.strerror or error}.", file=sys.stderr, flush=True)
    return 2


def _usage(error: Any) -> str:
    """What typer says of wrong arguments, in one line, and where to read on."""
    context, option = getattr(error, "ctx", None), getattr(error, "param", None)
    if option is not None and option.param_type_name == "option" and not error.param_hint:
        error.param_hint = repr(option.opts[0])  # not every alias
    hint = ""
    if type(error).__name__ == "NoSuchOption" and context is not None:
        error.possibilities = None  # typer's are several, and any that share some letters
        hint = suggested(error.option_name, spellings(context.command.get_params(context)))
    said = " ".join(error.format_message().split())
    end = "" if said.endswith((".", "?")) else f".{hint}"
    return f"{said}{end} See '{context.command_path if context else 'headstart'} --help'."


def _interrupted() -> int:
    kept = "features so far and the last checkpoint of training are kept"
    print(f"interrupted; {kept}, run the same command again to go on", file=sys.stderr)
    return _INTERRUPTED


if __name__ == "__main__":
    run()
