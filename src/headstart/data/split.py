"""Assigning every row to train, valid or test."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from headstart.data.draw import draw, numbers_of
from headstart.data.naming import counted, some
from headstart.data.sheet import as_number
from headstart.data.strata import count_labels, labels_of, strata, units
from headstart.data.table import PARTS, Fact, Table
from headstart.errors import LabelError, SettingError, SplitError
from headstart.settings import SplitSettings
from headstart.tasks import get

_LEAST_UNITS = 2  # of training rows, to choose the settings of a head on


@dataclass(frozen=True)
class EarlierParts:
    """The parts of an earlier run: ``parts`` maps the content key of each of its rows to train, valid or test."""

    run: str
    parts: Mapping[str, str]


def assign(
    table: Table,
    settings: SplitSettings,
    keys: np.ndarray | None = None,
    contents: np.ndarray | None = None,
    earlier: EarlierParts | None = None,
) -> tuple[Table, tuple[Fact, ...]]:
    """The table with every row in a part, and what is to be said about it.

    Parts that the table already has are kept; missing ones are drawn from its "train" and "" rows, test
    first, then valid, and the rest is train. The draw is stratified: by class, by the rarest label of each
    row (multilabel) or by quantile bins (regression). Every label keeps a row in train. It goes by the seed and by what
    the rows contain (`headstart.data.draw`), so rows keep their part when others are added, and whatever their order.

    With a test share of 0 there is no test part: rows given to it are trained on too.

    Args:
        table: labelled examples.
        settings: shares and seed.
        keys: [n] content hashes, or numbers of clusters of near duplicates; rows of one key, like those of one group,
            stay on one side of a draw.
        contents: [n] str content hashes, by which rows are drawn where there are no groups; None: by their ids.
        earlier: rows that it has keep their part, and so does whatever belongs together with them: test before valid
            before train. Others are drawn. Needs ``contents``.

    Raises:
        LabelError: no targets, only one class, a class of one example, or a given part has labels that train
            lacks.
        SplitError: too few rows for a part, or a split value that names none.
        SettingError: a share outside (0, 1); ``earlier`` has none of the rows, or parts are given with the data.
    """
    _check(table, settings, keys)
    names = table.groups if table.groups is not None else table.ids if contents is None else contents
    together = units(table.groups, keys, len(table))
    if earlier is None:
        parts, facts = _parts(table, settings, together, names)
    else:
        own = np.array([earlier.parts.get(key, "") for key in np.asarray(contents, dtype=str).tolist()], dtype="U5")
        parts, facts = _parts_kept(table, settings, together, names, own, earlier)
    out = replace(table, split=parts)
    _check_unseen(out)
    return out, (*facts, *_rare(out), *_leaks(out, keys))


def check(table: Table, settings: SplitSettings) -> None:
    """Raise what `assign` would raise for this table whatever the rows contain; cheap, for before any work."""
    _check(table, settings, None)


def _check(table: Table, settings: SplitSettings, keys: np.ndarray | None) -> None:
    for name, share in (("valid", settings.valid), ("test", settings.test)):
        if not 0 < share < 1 and not (name == "test" and share == 0):
            raise SettingError(f"the {name} share is {share}; it must lie between 0 and 1, both excluded.")
    if table.targets is None:
        raise LabelError("the examples have no labels; name the target column with --target.")
    bad = sorted(set(table.split.tolist()) - {"", *PARTS})
    if bad:
        raise SplitError(f"the given split holds {some(map(repr, bad))}; a split is one of {', '.join(PARTS)}.")
    if settings.like and (table.split != "").any():
        raise SettingError(
            f"the data have a split of their own, and --split-from {settings.like} others; leave one of them out."
        )
    if keys is not None and len(keys) != len(table):
        raise SplitError(f"{len(keys)} keys were given for {len(table)} rows.")
    if not get(table.task).values:
        given = np.where(table.split == "", "train", table.split)
        if (given == "train").any():
            _check_unseen(replace(table, split=given))
        _check_counts(table)


def _check_counts(table: Table) -> None:
    counts = count_labels(labels_of(table))
    if not counts or (len(counts) == 1 and get(table.task).exclusive):
        raise LabelError(f"only one class was found ({some(counts) or 'none'}); training needs two or more.")
    single = sorted(label for label, count in counts.items() if count == 1)
    if single:
        names, them = some(map(repr, single)), "class has" if len(single) == 1 else "classes have"
        also = ", or predict the numbers (--task regression)" if _are_numbers(counts) else ""
        do = f"add examples, drop the class or merge it{also}."
        raise LabelError(f"{len(single)} {them} one example only: {names}; {do}")


def _are_numbers(labels: Iterable[str]) -> bool:
    """Whether more than two labels are numbers all of them, so that they may be a measure and no classes."""
    known = [*labels]
    return len(known) > 2 and all(as_number(label) is not None for label in known)


def _parts(
    table: Table, settings: SplitSettings, together: np.ndarray, names: np.ndarray
) -> tuple[np.ndarray, tuple[Fact, ...]]:
    """[n] part of each row."""
    parts = np.where(table.split == "", "train", table.split).astype("U5")
    if settings.test == 0:
        parts[parts == "test"] = "train"
    missing = [part for part in _drawn(settings) if not (parts == part).any()]
    if not (parts == "train").any():
        raise SplitError("no row is left to train on: every row is given to valid or test; give a train split too.")
    for part in missing:
        pool = np.flatnonzero(parts == "train")
        share = settings.test if part == "test" else settings.valid
        inside = table.take(pool)
        _check_room(part, share, inside)
        held = _draw(part, share, inside, together[pool], names[pool], settings.seed)
        left = len(np.unique(together[pool[~held]]))
        if not held.any() or (not get(table.task).exclusive and left < _LEAST_UNITS):
            raise _undrawable(part, len(pool), len(np.unique(together[pool])), table)
        parts[pool[held]] = part
    return parts, (_split_fact(parts, missing, table.task, settings),)


def _undrawable(part: str, rows: int, units: int, table: Table) -> SplitError:
    """What keeps so many ``rows`` from being split: how few the ``units`` are that no split parts."""
    needed = f"train needs {_LEAST_UNITS} after every draw; add rows with other inputs"
    if get(table.task).exclusive:
        needed = "each class must keep an example in train; add rows" + " of other groups" * (table.groups is not None)
    alike = "equal or nearly equal inputs" + (", and rows of one group," if table.groups is not None else "")
    sets = counted(units, "set")
    return SplitError(
        f"no {part} split can be drawn from {rows} rows: {alike} stay together, which makes {sets} of them, and "
        f"{needed}, or give a {part} split."
    )


def _drawn(settings: SplitSettings) -> tuple[str, ...]:
    """The parts besides train, in the order in which they are drawn."""
    return ("test", "valid") if settings.test else ("valid",)


def _draw(
    part: str,
    share: float,
    pool: Table,
    together: np.ndarray,
    names: np.ndarray,
    seed: int,
    settled: Container[str] = (),
) -> np.ndarray:
    """[n] bool: the rows of ``pool`` for ``part``; labels that are ``settled`` need no row to stay."""
    labels = [tuple(label for label in row if label not in settled) for row in labels_of(pool)]
    numbers = numbers_of(names, together, part, seed)
    held = draw(share, strata(pool), together, labels, numbers)
    if get(pool.task).values and not held.any():
        held = _one_unit(together, numbers)
    return held if get(pool.task).exclusive else _sparing(held, share, together, numbers)


def _one_unit(units: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """[n] bool: the unit of least number that leaves at least half of the rows; none where no unit does.

    For values: where all rows of one range of them are in one unit, no unit leaves some of every range.
    """
    sizes = np.unique(units, return_inverse=True, return_counts=True)
    small = 2 * sizes[2][sizes[1]] <= len(units)
    return small & (numbers == numbers[small].min(initial=np.inf))


def _sparing(held: np.ndarray, share: float, units: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """``held`` [n] bool, or where hardly a unit would stay behind, its share of the units: those of least ``numbers``.

    One input that most rows have makes one unit, in whose place all others would be drawn.
    """
    count = len(np.unique(units))
    if not held.any() or count - len(np.unique(units[held])) > _LEAST_UNITS:
        return held
    own = np.unique(numbers[held])
    most: float = own[min(len(own), max(1, int(share * count))) - 1]
    return held & (numbers <= most)


def _parts_kept(
    table: Table,
    settings: SplitSettings,
    together: np.ndarray,
    names: np.ndarray,
    own: np.ndarray,
    earlier: EarlierParts,
) -> tuple[np.ndarray, tuple[Fact, ...]]:
    """[n] part of each row: that of its unit in the earlier run, where ``own`` [n] has one, or drawn anew."""
    if not (own != "").any():
        raise SettingError(
            f"--split-from {earlier.run}: none of its {len(earlier.parts):,} rows is among the {len(table):,} of the "
            "data, so there is no split to keep; leave it out, or name a run on these data."
        )
    rank = np.zeros(int(together.max()) + 1, dtype=int)  # 0: not known; the last of `PARTS`, test, wins
    np.maximum.at(rank, together, np.array([PARTS.index(part) + 1 if part else 0 for part in own.tolist()]))
    parts = np.array(["", *PARTS], dtype="U5")[rank[together]]
    moved = int(((own != "") & (own != parts)).sum())
    if settings.test == 0:
        parts[parts == "test"] = "train"
    new = int((parts == "").sum())
    for part in _drawn(settings):
        pool = np.flatnonzero(parts == "")
        if not len(pool):
            break
        share = settings.test if part == "test" else settings.valid
        settled = count_labels(labels_of(table.take(parts == "train")))
        inside = table.take(pool)
        held = _draw(part, share, inside, together[pool], names[pool], settings.seed, settled)
        parts[pool[held]] = part
    parts[parts == ""] = "train"
    return parts, (_kept_fact(parts, own, new, moved, settings, earlier),)


def _kept_fact(
    parts: np.ndarray, own: np.ndarray, new: int, moved: int, settings: SplitSettings, earlier: EarlierParts
) -> Fact:
    tested = {key for key, part in earlier.parts.items() if part == "test"}
    said = [f"as in {earlier.run}: {int((own == 'test').sum()):,} of the rows are of its {len(tested):,} test inputs"]
    if new:
        said.append(f"{new:,} new rows drawn with seed {settings.seed}")
    if moved:
        said.append(
            f"{moved:,} of its rows moved to another split, as new ones belong together with rows of two splits"
        )
    return Fact("split", _sizes(parts), "; ".join(said))


def _check_room(part: str, share: float, pool: Table) -> None:
    """Too few rows: not one whole row for the part, or none beyond the one that each class keeps in train."""
    wanted = round(share * len(pool))
    exclusive = get(pool.task).exclusive
    classes = len(count_labels(labels_of(pool))) if exclusive else 1
    if wanted < 1 or len(pool) - classes < 1:
        of, keeps = (f" of {classes} classes", "each class keeps one") if exclusive else ("", "one stays")
        raise SplitError(
            f"too few rows for a {part} split: {counted(len(pool), 'row')}{of}, of which {share:g} is "
            f"{share * len(pool):.1f} and {keeps} in train; add examples, or give a {part} split."
        )


def _sizes(parts: np.ndarray) -> str:
    return ", ".join(f"{part} {int((parts == part).sum())}" for part in PARTS)


def _split_fact(parts: np.ndarray, drawn: list[str], task: str, settings: SplitSettings) -> Fact:
    none = "" if settings.test else "; no test set, as --test-size is 0"
    if not drawn:
        return Fact("split", _sizes(parts), f"given with the data{none}")
    given = [part for part in _drawn(settings)[::-1] if part not in drawn]
    said = f" ({' and '.join(given)} given)" if given else ""
    names = " and ".join(reversed(drawn))
    how = f"{names} drawn by content with seed {settings.seed}, balanced by {get(task).balanced_by}"
    return Fact("split", _sizes(parts), f"{how}{said}{none}")


def _check_unseen(table: Table) -> None:
    labels = labels_of(table)
    seen = count_labels(row for row, part in zip(labels, table.split, strict=True) if part == "train")
    for part in ("valid", "test"):
        counts = count_labels(row for row, own in zip(labels, table.split, strict=True) if own == part)
        unseen = sorted(counts.keys() - seen.keys())
        if unseen:
            rows = sum(1 for row, own in zip(labels, table.split, strict=True) if own == part and {*row} & {*unseen})
            occur = "occurs" if len(unseen) == 1 else "occur"
            raise LabelError(
                f"{counted(len(unseen), 'label')} of the {part} split never {occur} in train: "
                f"{some(map(repr, unseen))} ({counted(rows, 'row')}); add training examples of them, correct "
                "the labels, or remove those rows."
            )


def _rare(table: Table) -> tuple[Fact, ...]:
    """Labels that a part cannot say anything about."""
    labels = labels_of(table)
    everywhere = count_labels(labels)
    facts = []
    for part in ("valid", "test"):
        here = count_labels(row for row, own in zip(labels, table.split, strict=True) if own == part)
        if not (table.split == part).any():  # a run without a test set
            continue
        absent = sorted(everywhere.keys() - here.keys())
        if absent:
            value = f"{len(absent)} of {len(everywhere)} without an example in {part}"
            facts.append(Fact("rare classes", value, f"too few examples to give one to {part}: {some(absent)}"))
    return tuple(facts)


def _leaks(table: Table, keys: np.ndarray | None) -> tuple[Fact, ...]:
    """Groups and contents that lie in more than one part, which only a given split can bring about."""
    facts = []
    for what, values in (("group{}", table.groups), ("set{} of equal or nearly equal contents", keys)):
        if values is None:
            continue
        codes = np.unique(values, return_inverse=True)[1]
        pairs = np.unique(np.stack([codes, np.unique(table.split, return_inverse=True)[1]]), axis=1)
        astride = np.bincount(pairs[0]) > 1
        if astride.any():
            rows = int(astride[codes].sum())
            count = int(astride.sum())
            value = f"{count} {what.format('' if count == 1 else 's')} in more than one split"
            facts.append(Fact("leak", value, f"that is so of {counted(rows, 'row')}; the score may be too good"))
    return tuple(facts)
