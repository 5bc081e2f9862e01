"""Which column serves as what, and what kind of task the targets make: every guess with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.infer_task import infer_task
from headstart.data.inputs import is_picture
from headstart.data.naming import (
    FILE_NAMES,
    ID_NAMES,
    SPLIT_NAMES,
    TARGET_NAMES,
    TEXT_NAMES,
    TOKEN_NAMES,
    modality_of,
    part_of,
    some,
)
from headstart.data.numerals import styles_of
from headstart.data.sheet import Cells, Choice, Sheet, as_numbers, as_text, is_empty
from headstart.data.table import Fact
from headstart.data.tagged import find_tags, is_tagging, is_words
from headstart.errors import ColumnError, SettingError, SplitError, nearest
from headstart.modalities import get, modalities
from headstart.settings import SourceSettings
from headstart.tasks import tasks

_SAMPLE = 200  # values looked at to tell paths from text
_MOST = 0.9  # share of them that must agree


def check_settings(settings: SourceSettings) -> None:
    """Raise SettingError if the task or the modality is none that there is."""
    for what, value, known in (("task", settings.task, tasks()), ("modality", settings.modality, modalities())):
        if value is not None and value not in known:
            raise SettingError(f"{what} {value!r} is unknown; it is one of {', '.join(known)}.{nearest(value, known)}")


def choose(sheet: Sheet, settings: SourceSettings, like: Choice | None = None) -> tuple[Choice, list[Fact]]:
    """The columns of ``sheet`` to use and how, with a fact for each guess.

    Args:
        sheet: the columns as read.
        settings: what the user named is taken as it is.
        like: an earlier source's choice: if firm, its columns, task and modality are imposed, else such of its columns
            as are there are taken.

    Raises:
        ColumnError: a named column is missing, or several could serve and none is named as is usual.
        SplitError: the split column that was asked for holds other values than parts.
    """
    settings = replace(settings, target=_parted(sheet, settings.target))
    asked = [("group", settings.group), ("weight", settings.weight), *(("slice", name) for name in settings.slices)]
    for option, name in asked:
        if name is not None:
            sheet.column(name, option)
    split, split_facts = _split(sheet, settings)
    if like is not None and like.firm:
        targets = () if settings.target == () else like.targets
        sheet.column(like.input, "input")
        for target in targets:
            sheet.column(target, "target")
        return Choice(like.input, targets, like.modality, like.task, like.cells, split), split_facts
    settings, known = _known(sheet, settings, like)
    reserved = {settings.group, settings.weight, *settings.slices, settings.split, *_named(sheet, SPLIT_NAMES)} - {None}
    tagged = find_tags(sheet, settings, reserved | {sheet.group})
    if tagged is not None:
        return tagged.choice(split), [*tagged.facts(known, settings.task), *split_facts]
    input_name, why_input = _input(sheet, settings, reserved)
    why_input = "what the model was trained on" if known else why_input
    modality, why_modality = _modality(sheet, input_name, settings)
    facts = [Fact("input column", input_name, why_input), Fact("modality", modality, why_modality)]
    targets, why_targets = _targets(sheet, settings, reserved - set(settings.target or ()), input_name)
    facts.append(Fact("target column", ", ".join(targets) or "none", why_targets))
    task, cells = "", Cells()
    if targets:
        task, cells, why_task = infer_task(sheet, targets, settings.task, input_name)
        facts.append(Fact("task", task, why_task))
    elif like is not None and is_tagging(like.task):
        cells = Cells("tags")  # the words of the input, where it is a list of them
    return Choice(input_name, targets, modality, task, cells, split), facts + split_facts


def _parted(sheet: Sheet, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The target columns as named, "colour,shape" in two where the sheet has these and no column of that name."""
    if not names:
        return names
    found: list[str] = []
    for name in names:
        pieces = [piece.strip() for piece in name.split(",")]
        found += [name] if name in sheet.columns or not {*pieces} <= {*sheet.columns} else pieces
    return tuple(found)


def _known(sheet: Sheet, settings: SourceSettings, like: Choice | None) -> tuple[SourceSettings, bool]:
    """The settings with the columns of ``like`` that the sheet has, where none is named; whether that is the input."""
    if like is None:
        return settings, False
    known = settings.input is None and like.input in sheet.columns
    if known:
        settings = replace(settings, input=like.input)
    if settings.target is None and like.targets and {*like.targets} <= {*sheet.columns}:
        settings = replace(settings, target=like.targets)
    return settings, known


def _named(sheet: Sheet, usual: Sequence[str]) -> list[str]:
    """The columns that bear one of the ``usual`` names, in the order of those."""
    order = {name: i for i, name in enumerate(usual)}
    return sorted((c for c in sheet.columns if c.lower() in order), key=lambda c: order[c.lower()])


def _split(sheet: Sheet, settings: SourceSettings) -> tuple[str | None, list[Fact]]:
    if settings.split is not None:
        bad = sorted({as_text(v) for v in sheet.column(settings.split, "split") if not part_of(v)})
        if bad:
            raise SplitError(
                f"{sheet.name}: column {settings.split!r} holds values that name no split: "
                f"{some(map(repr, bad))}; rename them to train, valid or test, or drop --split."
            )
        return settings.split, [Fact("split column", settings.split, "named by --split")]
    for name in _named(sheet, SPLIT_NAMES):
        if name in {settings.input, settings.group, settings.weight, *(settings.target or ()), *settings.slices}:
            continue
        bad = sorted({as_text(v) for v in sheet.columns[name] if not part_of(v)})
        if not bad:
            return name, [Fact("split column", name, "named like one, and every value is train, valid or test")]
        reason = f"column {name!r} is named like one, but holds values that name no split: {some(map(repr, bad))}"
        return None, [Fact("split column", "none", reason)]
    return None, []


def _input(sheet: Sheet, settings: SourceSettings, reserved: set[Any]) -> tuple[str, str]:
    if settings.input is not None:
        sheet.column(settings.input, "input")
        return settings.input, "named by --input"
    taken = reserved | set(settings.target or ())
    free = {name: values for name, values in sheet.columns.items() if name not in taken}
    asked = None if settings.modality is None else get(settings.modality)
    files = [] if asked and asked.tokenised else [n for n in free if _share_of_files(free[n]) >= _MOST]
    texts = (
        []
        if asked and asked.files
        else [n for n in free if n not in files and (_is_text(free[n]) or _are_words(n, free[n]))]
    )
    usual_files = [n for n in _named(sheet, FILE_NAMES) if n in files]
    usual_texts = [n for n in _named(sheet, TEXT_NAMES) if n in texts]
    if usual_files and usual_texts:
        raise _several(sheet, [usual_files[0], usual_texts[0]], "input")
    usual = usual_files or usual_texts
    if usual:
        others = f"; {some(usual[1:])} could serve too (--input)" if usual[1:] else ""
        return usual[0], f"named like an input{others}"
    if len(files) > 1:
        raise _several(sheet, files, "input")
    if files:
        return files[0], f"its values are names of {_kind_of(free[files[0]])} files"
    return _longest_text(sheet, {n: free[n] for n in texts if n.lower() not in _NO_TEXT})


_NO_TEXT = frozenset([*TARGET_NAMES, *FILE_NAMES, *ID_NAMES])


def _longest_text(sheet: Sheet, texts: dict[str, list[Any]]) -> tuple[str, str]:
    lengths = {name: float(np.mean([len(as_text(v)) for v in values])) for name, values in texts.items()}
    # A class name recurs, a text does not: without this a table of ids and labels would pass for text.
    lengths = {n: mean for n, mean in lengths.items() if 2 * len(set(texts[n])) > len(sheet) and _has_spaces(texts[n])}
    if not lengths:
        raise ColumnError(
            f"{sheet.name}: no column could serve as the input (it has {', '.join(sheet.columns)}); pass --input NAME."
        )
    longest = max(lengths, key=lambda n: lengths[n])
    rivals = [name for name, mean in lengths.items() if 2 * mean >= lengths[longest]]
    if len(rivals) > 1:
        raise _several(sheet, rivals, "input")
    return longest, f"the column of the longest texts ({lengths[longest]:.0f} characters on average)"


def _several(sheet: Sheet, names: Sequence[str], option: str) -> ColumnError:
    return ColumnError(
        f"{sheet.name}: several columns could serve as the {option}: {some(names, 8)}; pass --{option} NAME to choose."
    )


def file_name(value: Any) -> str:
    """The file name that a cell holds, "" if it holds none: a path, or an image as datasets stores it."""
    if isinstance(value, dict):
        return str(value.get("path") or "")
    return value.strip() if isinstance(value, str) else ""


def _share_of_files(values: list[Any]) -> float:
    sample = [v for v in values if not is_empty(v)][:_SAMPLE]
    hits = sum(bool(_modality_of_cell(v)) for v in sample)
    return hits / len(sample) if sample else 0.0


def _modality_of_cell(value: Any) -> str:
    """The modality of what a cell holds or names, other than a text; "" where it is none."""
    named = modality_of(file_name(value))
    if named:
        return named
    for name, modality in modalities().items():
        if not isinstance(value, str) and modality.cell(value) is not None:
            return name
    return ""


def _is_text(values: list[Any]) -> bool:
    sample = [v for v in values if not is_empty(v)][:_SAMPLE]
    return all(isinstance(v, str) for v in sample) and as_numbers(sample) is None


def _are_words(name: str, values: list[Any]) -> bool:
    """Whether a column of the usual name holds lists of words."""
    sample = [v for v in values if not is_empty(v)][:_SAMPLE]
    return name.lower() in TOKEN_NAMES and bool(sample) and all(map(is_words, sample))


def _has_spaces(values: list[Any]) -> bool:
    sample = [v for v in values if not is_empty(v)][:_SAMPLE]
    return 2 * sum(" " in v.strip() for v in sample) >= len(sample)


def _kind_of(values: list[Any]) -> str:
    """The modality of most of ``values``, cells that hold or name files."""
    sample = [v for v in values if not is_empty(v)][:_SAMPLE]
    return Counter(kind for v in sample if (kind := _modality_of_cell(v))).most_common(1)[0][0]


def _modality(sheet: Sheet, name: str, settings: SourceSettings) -> tuple[str, str]:
    if settings.modality is not None:
        return settings.modality, "named by --modality"
    values = sheet.columns[name]
    if _share_of_files(values) >= _MOST:
        found = _kind_of(values)
        return found, f"column {name!r} holds {found} files"
    return "text", f"column {name!r} holds text"


def _targets(
    sheet: Sheet, settings: SourceSettings, reserved: set[Any], input_name: str
) -> tuple[tuple[str, ...], str]:
    if settings.target is not None:
        return _asked_targets(sheet, settings.target, input_name)
    free = [name for name in sheet.columns if name not in reserved and name != input_name]
    usual = [name for name in _named(sheet, TARGET_NAMES) if name in free]
    if usual:
        others = f"; {some(usual[1:])} could serve too (--target)" if usual[1:] else ""
        return (usual[0],), f"named like a target{others}"
    serving = [n for n in free if n.lower() not in ID_NAMES and _could_be_target(sheet.columns[n])]
    if len(serving) > 1 and all(_is_binary(sheet.columns[n]) for n in serving):
        return tuple(serving), f"{len(serving)} columns that hold only 0 and 1"
    if len(serving) > 1:
        raise _several(sheet, serving, "target")
    if not serving:
        return (), "no other column is named like a target or holds values that recur"
    distinct = len({str(v) for v in sheet.columns[serving[0]]})
    return (serving[0],), f"the only other column that could serve ({distinct} distinct values in {len(sheet)} rows)"


def _asked_targets(sheet: Sheet, names: tuple[str, ...], input_name: str) -> tuple[tuple[str, ...], str]:
    for name in names:
        sheet.column(name, "target")
    if input_name in names:
        raise ColumnError(f"{sheet.name}: column {input_name!r} cannot be both the input and the target.")
    if len(set(names)) < len(names):
        raise ColumnError(f"{sheet.name}: a target column is named twice: {', '.join(names)}.")
    return names, "named by --target" if names else "no target asked for"


def _could_be_target(values: list[Any]) -> bool:
    known = [v for v in values if not is_empty(v)]
    if not known or isinstance(known[0], bytes | dict | tuple) or is_picture(known[0]):
        return False
    numbers = as_numbers(known)
    if isinstance(known[0], list) or (numbers is not None and bool((numbers % 1 != 0).any())) or styles_of(known):
        return True
    return 2 <= len({str(v) for v in known}) <= max(2, len(known) // 2)


def _is_binary(values: list[Any]) -> bool:
    return {str(v).strip().lower() for v in values} <= {"0", "1", "0.0", "1.0", "true", "false"}
