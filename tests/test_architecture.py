"""The shape of the house, held in place: who may import whom, and what no module may do.

The rules are the tables below; the checkers further down read the source with ``ast``, imports inside
functions included, and are themselves tested on made-up sources that break each rule.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.modalities import modalities
from headstart.tasks import tasks

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"

# --- The rules ------------------------------------------------------------------------------------

GROUND = {
    "began",
    "errors",
    "settings",
    "cachedir",
    "plain",
    "records",
    "files",
    "progress",
    "versions",
    "options",
    "unicode",
    "notebook",
    "plugins",
    "ragged",
}
ROOMS = {"data", "modalities", "tasks", "heads", "bases"}  # may know one another, without a loop of modules
BELOW = GROUND | ROOMS | {"evaluation"}

#: room -> the other rooms whose modules it may import. A name that is not here is not a room.
MAY_IMPORT: dict[str, set[str]] = {
    "began": set(),
    "errors": set(),
    "settings": {"errors"},
    "cachedir": {"errors", "settings"},
    "plain": set(),
    "ragged": set(),
    "records": {"errors", "settings", "cachedir", "plain"},
    "unicode": set(),
    "files": {"errors", "unicode"},
    "progress": {"errors"},
    "notebook": {"errors", "progress"},
    "plugins": {"errors"},
    "versions": {"errors"},
    "options": {"errors", "settings"},
    "evaluation": {"errors", "settings", "records", "ragged"},
    "report": {"errors", "settings", "records", "evaluation", "tasks"},
    "data": BELOW,
    "modalities": BELOW,
    "tasks": BELOW,
    "heads": BELOW,
    "bases": BELOW,
    "audit": BELOW,
    "ranking": BELOW,
    "training": BELOW,
    "strategies": BELOW | {"training"},
    "controls": BELOW | {"training"},
    "delivery": BELOW | {"training", "controls"},
    "flow": BELOW
    | {"audit", "ranking", "training", "strategies", "controls", "report", "delivery"},  # steps of the workflow
    "targets": BELOW | {"strategies", "report", "delivery", "flow"},
    "estimators": BELOW | {"training", "strategies"},
    "api": BELOW | {"audit", "ranking", "delivery", "flow", "targets", "terminal"},
    "headstart": GROUND | {"api", "audit", "delivery", "estimators", "flow", "targets"},  # the public names
    "terminal": GROUND
    | {
        "audit",
        "bases",
        "ranking",
        "data",
        "modalities",
        "tasks",
        "evaluation",
        "training",
        "delivery",
        "flow",
        "targets",
        "report",
    },
    "arguments": {"files", "options"},  # of the command line
    "verbs": BELOW | {"arguments", "training", "delivery", "flow", "api", "terminal"},  # of the command line
    "cli": {"began", "errors", "unicode", "verbs", "headstart"},
    "__main__": {"cli"},
}

#: room -> libraries that none of its modules may import, not even inside a function.
TORCH = {"torch", "torchvision", "timm"}
MAY_NOT_IMPORT: dict[str, set[str]] = {
    "data": TORCH,
    "modalities": TORCH,
    "tasks": TORCH,
    "heads": TORCH,
    "controls": TORCH,
    "audit": TORCH,
    "ranking": TORCH,
    "evaluation": TORCH | {"transformers"},
    "report": TORCH | {"transformers"},
}

#: Libraries that ``import headstart`` and ``import headstart.cli`` must not load.
HEAVY = (
    "matplotlib",
    "cleanlab",
    "pandas",
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "accelerate",
    "peft",
    "sklearn",
    "pyarrow",
    "datasets",
    "onnxruntime",
    "scipy",
)
#: Libraries that run code when they read a file.
UNSAFE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}

#: The kinds of data and of answers, and the rooms that own them: others ask what one can do, not which it is.
#: ``evaluation`` may know no task (see above), so that it is given names.
KINDS = {"task": (set(tasks()), {"tasks", "evaluation"}), "modality": (set(modalities()), {"modalities", "bases"})}
#: Their classes, and the rooms in which something may be asked to be one of these.
KIND_CLASSES = {
    **{one.__name__: {"tasks"} for one in tasks().values()},
    **{name: {"modalities", "bases"} for name in ("ImageSpec", "TextSpec", "AudioSpec")},
}

MODULE_LINES = 500
FUNCTION_LINES = 60
#: A place on somebody's machine; not a piece of a longer path or address such as host/home/.
MACHINE_PATH = re.compile(rb"(?<![\w.~})-])/(?:work|root|home|Users)/")

# --- The checkers ---------------------------------------------------------------------------------


#: Calls that import the module they are given the name of.
BY_NAME = {"import_module", "importlib.import_module", "__import__"}


def modules() -> dict[str, Path]:
    """Dotted name -> file of every module in src."""
    found = {}
    for path in sorted((SRC / "headstart").rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str) -> str:
    """The room of a dotted name: "headstart.data.table" -> "data", "headstart" -> "headstart"."""
    return module.split(".")[1] if "." in module else module


def imports(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import in ``source``; a name imported *from* a module is its last part."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, module, is_package)
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in BY_NAME:
            yield from ((node.lineno, str(a.value)) for a in node.args[:1] if isinstance(a, ast.Constant))


def _origin(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    here = module.split(".")
    above = here[: len(here) - node.level + is_package]
    return ".".join([*above, node.module] if node.module else above)


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def own_imports(source: str, module: str, known: set[str], is_package: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module) of the imports from within headstart, each cut to the longest name of a known module.

    What is no module, as in ``from headstart import fit``, is the package's own; ``__version__`` is no import
    of a room: it is set before anything else. A room of the table that has no file (yet) is still that room.
    """
    for line, name in imports(source, module, is_package):
        if name.split(".")[0] != "headstart" or name == "headstart.__version__":
            continue
        while name not in known and name.count(".") > 1:
            name = name.rpartition(".")[0]
        yield line, name if name in known or room_of(name) in MAY_IMPORT else "headstart"


def direction_faults(source: str, module: str, known: set[str], is_package: bool = False) -> list[str]:
    """Imports that point the wrong way, or from a room to a library it may not know."""
    room = room_of(module)
    if room not in MAY_IMPORT:
        return [f"{module}: {room!r} is not in the table of rooms"]
    faults = []
    for line, name in own_imports(source, module, known, is_package):
        other = room_of(name)
        if other != room and other not in MAY_IMPORT[room]:
            faults.append(f"{module}:{line}: {room} may not import {other} ({name})")
    for line, name in imports(source, module, is_package):
        if name.split(".")[0] in MAY_NOT_IMPORT.get(room, set()):
            faults.append(f"{module}:{line}: {room} may not import {name}")
    return faults


def loops(graph: dict[str, set[str]]) -> list[str]:
    """One line for each import loop met by a depth-first walk over module -> imported modules."""
    found, finished = [], set()

    def walk(module: str, trail: list[str]) -> None:
        if module in trail:
            found.append(" -> ".join([*trail[trail.index(module) :], module]))
        elif module not in finished:
            for other in sorted(graph.get(module, ())):
                walk(other, [*trail, module])
            finished.add(module)

    for module in sorted(graph):
        walk(module, [])
    return found


def safety_faults(source: str, module: str) -> list[str]:
    """Unpickling in any dress, code from elsewhere, and ``assert``, which ``python -O`` leaves out."""
    faults = [
        f"{module}:{line}: {name.split('.')[0]} runs code when it reads a file"
        for line, name in imports(source, module)
        if name.split(".")[0] in UNSAFE
    ]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            faults.append(f"{module}:{node.lineno}: assert in the source; raise an error of errors.py")
        elif isinstance(node, ast.Call):
            faults += [f"{module}:{node.lineno}: {fault}" for fault in _call_faults(node)]
    return faults


def _call_faults(node: ast.Call) -> Iterator[str]:
    given = {k.arg: ast.unparse(k.value) for k in node.keywords}
    if _called(node) == "torch.load" and given.get("weights_only") != "True":
        yield "torch.load without weights_only=True"
    for name in ("trust_remote_code", "allow_pickle"):
        if given.get(name) == "True":
            yield f"{name}=True"


def kind_faults(source: str, module: str) -> list[str]:
    """Asking which task or modality something is, by its name, its class, or a table of names."""
    room, faults = room_of(module), []
    names = {word: known for word, (known, owners) in KINDS.items() if room not in owners}
    classes = {name for name, owners in KIND_CLASSES.items() if room not in owners}
    for node in ast.walk(ast.parse(source)):
        for asked, values in _askings(node):
            for word, known in names.items():
                # a task's name has no other meaning; a modality's, such as "text", has
                told = known & {one.value for one in values if isinstance(one, ast.Constant)}
                if told and (word == "task" or word in asked or len(told) > 1):
                    faults.append(f"{module}:{node.lineno}: asks which {word} it is ({min(told)!r})")
            if named := classes & {_class_of(one) for one in values}:
                faults.append(f"{module}:{node.lineno}: asks whether it is a {min(named)}")
    return faults


def _askings(node: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    """(source, what is asked for) of a comparison, a test of the class, a table by name, or a match."""
    if isinstance(node, ast.Compare):
        left = [node.left] if isinstance(node.left, ast.Constant) or not _within(node) else []
        yield ast.unparse(node), [part for side in [*left, *node.comparators] for part in _parts(side)]
    elif isinstance(node, ast.Call) and _called(node) in ("isinstance", "issubclass"):
        yield ast.unparse(node), _parts(node.args[1])
    elif isinstance(node, ast.Dict):
        yield "", [key for key in node.keys if key is not None]
    elif isinstance(node, ast.Match):
        patterns = [one for case in node.cases for one in ast.walk(case.pattern)]
        values = [one.value for one in patterns if isinstance(one, ast.MatchValue)]
        yield ast.unparse(node.subject), values + [one.cls for one in patterns if isinstance(one, ast.MatchClass)]


def _within(node: ast.Compare) -> bool:
    return isinstance(node.ops[0], ast.In | ast.NotIn)


def _parts(node: ast.expr) -> list[ast.expr]:
    """The members of a tuple, list, set or union, else ``node`` alone."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [part for one in node.elts for part in _parts(one)]
    if isinstance(node, ast.BinOp):
        return _parts(node.left) + _parts(node.right)
    return [node]


def _class_of(node: ast.expr) -> str:
    """The class that ``node`` names: of "tasks.Regression" and of "Regression.name" it is "Regression"."""
    return ast.unparse(node).removesuffix(".name").rpartition(".")[2]


def size_faults(source: str, module: str) -> list[str]:
    """Modules and functions that are too long."""
    faults = []
    lines = len(source.splitlines())
    if lines > MODULE_LINES:
        faults.append(f"{module}: {lines} lines, allowed are {MODULE_LINES}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # a signature with a line for each option is a table, not work
            lines = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
            if lines > FUNCTION_LINES:
                faults.append(f"{module}:{node.lineno}: {node.name} has {lines} lines, allowed are {FUNCTION_LINES}")
    return faults


def loaded_by(statement: str) -> set[str]:
    """The heavy libraries that a fresh interpreter has loaded after ``statement``."""
    code = f"import sys; {statement}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


# --- The house ------------------------------------------------------------------------------------

MODULES = modules()


def test_every_room_is_one_of_the_table() -> None:
    assert {room_of(module) for module in MODULES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("module", MODULES)
def test_module_keeps_the_rules(module: str) -> None:
    path = MODULES[module]
    source = path.read_text(encoding="utf-8")
    faults = direction_faults(source, module, set(MODULES), is_package=path.name == "__init__.py")
    faults += safety_faults(source, module) + size_faults(source, module) + kind_faults(source, module)
    assert not faults


def test_no_two_modules_import_each_other() -> None:
    graph = {}
    for module, path in MODULES.items():
        source, is_package = path.read_text(encoding="utf-8"), path.name == "__init__.py"
        graph[module] = {name for _, name in own_imports(source, module, set(MODULES), is_package)} - {module}
    assert not loops(graph)


def test_import_headstart_is_light() -> None:
    assert loaded_by("import headstart") == set()


@pytest.mark.skipif("headstart.cli" not in MODULES, reason="cli.py does not exist yet")
def test_import_cli_is_light() -> None:
    assert loaded_by("import headstart.cli") == set()


def test_no_file_names_a_place_on_a_machine() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the project is not known")
    listing = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert files
    assert [str(f.relative_to(ROOT)) for f in files if MACHINE_PATH.search(f.read_bytes())] == []


# --- The checkers, on sources that break the rules ------------------------------------------------

KNOWN = {"headstart", "headstart.errors", "headstart.settings", "headstart.data", "headstart.data.table"}
KNOWN |= {"headstart.training", "headstart.training.cache", "headstart.flow.fit.fit", "headstart.tasks"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("headstart.data.table", "from headstart.training.cache import Cache"),
        ("headstart.data.table", "from headstart.training import cache"),
        ("headstart.data.table", "from headstart import training"),
        ("headstart.data.table", "from headstart import fit"),
        ("headstart.data.table", "from ..training import cache"),
        ("headstart.data.table", "import headstart.flow.fit.fit"),
        ("headstart.data.table", "def f():\n    import headstart.flow.fit.fit as w\n    return w"),
        ("headstart.data.table", "import importlib\nimportlib.import_module('headstart.flow.fit.fit')"),
        ("headstart.errors", "from headstart.settings import SplitSettings"),
        ("headstart.delivery.bundle", "from headstart.flow.fit.fit import fit"),
        ("headstart.evaluation.metrics", "from headstart.data.table import Table"),
        ("headstart.attic.box", "import json"),
    ],
)
def test_wrong_direction_is_found(module: str, source: str) -> None:
    assert len(direction_faults(source, module, KNOWN)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("headstart.data.table", "import torch"),
        ("headstart.tasks.classification", "def f():\n    from torch import nn\n    return nn"),
        ("headstart.controls.scratch", "import torch.nn.functional as F"),
        ("headstart.report.build", "from transformers import AutoModel"),
    ],
)
def test_forbidden_library_is_found(module: str, source: str) -> None:
    assert len(direction_faults(source, module, KNOWN)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("headstart.flow.fit.fit", "from headstart.training.cache import Cache\nimport torch"),
        ("headstart.training.cache", "import torch\nfrom headstart.data import table"),
        (
            "headstart.data.table",
            "from headstart import __version__\nfrom .split import split\nimport torchless",
        ),
        ("headstart.bases.load", "import timm"),
    ],
)
def test_right_direction_passes(module: str, source: str) -> None:
    assert direction_faults(source, module, KNOWN) == []


def test_relative_imports_of_a_package_start_at_itself() -> None:
    assert list(imports("from .table import Table", "headstart.data", is_package=True)) == [
        (1, "headstart.data.table.Table")
    ]


def test_loops_are_found() -> None:
    assert loops({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]
    assert loops({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "np.load(path, allow_pickle=True)",
        "def f(x):\n    assert x, 'no x'",
    ],
)
def test_unsafe_source_is_found(source: str) -> None:
    assert len(safety_faults(source, "headstart.m")) == 1


def test_safe_source_passes() -> None:
    source = "torch.load(path, weights_only=True)\nnp.load(path, allow_pickle=False)\nf(trust_remote_code=False)"
    assert safety_faults(source, "headstart.m") == []


@pytest.mark.parametrize(
    "source",
    [
        "task.name == 'classification'",
        "'regression' != self.result.task",
        "kind in ('multilabel', None)",
        "'classification' in known",
        "base.modality == 'image'",
        "modality.name not in {'audio'}",
        "rates = {'classification': a, 'regression': b}",
        "inputs = {'image': 'pixels', 'text': 'tokens'}",
        "isinstance(spec, ImageSpec)",
        "isinstance(spec, front_end.AudioSpec | None)",
        "issubclass(kind, (Multilabel, Exception))",
        "task is Regression",
        "name == tasks.Regression.name",
        "match task:\n    case 'multilabel' | 'regression':\n        pass",
        "match modality:\n    case 'text':\n        pass",
        "match task:\n    case Regression():\n        pass",
    ],
)
def test_asking_for_a_kind_is_found(source: str) -> None:
    assert len(kind_faults(source, "headstart.flow.m")) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("headstart.flow.m", "task.values and task.name == other.name"),
        ("headstart.flow.m", "table.modality != base.modality"),
        ("headstart.flow.m", "column == 'text'"),
        ("headstart.flow.m", "isinstance(value, Path)"),
        ("headstart.flow.m", "name = Classification.name if whole else 'regression'"),
        ("headstart.flow.m", "Classification.name in metric.tasks"),
        ("headstart.flow.m", "columns = {'text': value}"),
        ("headstart.tasks.m", "record['task'] == 'regression' or isinstance(task, Regression)"),
        ("headstart.evaluation.m", "task == 'regression'"),
        ("headstart.bases.m", "modality == 'image' and isinstance(spec, ImageSpec)"),
    ],
)
def test_what_is_no_asking_passes(module: str, source: str) -> None:
    assert kind_faults(source, module) == []


def test_length_is_found() -> None:
    def function(lines: int) -> str:
        return "def f(\n    x=1,\n):\n" + "    x = 1\n" * lines

    assert size_faults(function(FUNCTION_LINES), "m") == []
    assert len(size_faults(function(FUNCTION_LINES + 1), "m")) == 1
    assert len(size_faults("x = 1\n" * (MODULE_LINES + 1), "m")) == 1


def test_heavy_import_is_found() -> None:
    assert "pyarrow" in loaded_by("import pyarrow")


@pytest.mark.parametrize("name", ["work", "root", "home", "Users"])
def test_machine_path_is_found(name: str) -> None:
    place = f"/{name}/"
    for text in (f'path = "{place}x"', f"cd {place}", f"file://{place}x", f"A={place}"):
        assert MACHINE_PATH.search(text.encode())
    for text in (f"https://example.org{place}x", f"~{place}x", f"$TOP{place}", f"a{place}b"):
        assert not MACHINE_PATH.search(text.encode())
