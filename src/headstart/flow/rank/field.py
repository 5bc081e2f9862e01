"""Which bases enter the ranking: here, of the modality, allowed by licence and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from headstart.bases.base import Base
from headstart.bases.catalogue import entry_of, open_base
from headstart.bases.choosing import choose
from headstart.bases.entry import Entry
from headstart.bases.licences import asks_commercial, objection_to
from headstart.data.table import Table
from headstart.errors import BaseError
from headstart.modalities import get
from headstart.progress import Progress
from headstart.ranking.ranked import NotRanked
from headstart.training.reading import read_as

_NOT_HERE = "not here; name it with --base to fetch it"


@dataclass(frozen=True)
class Candidate:
    """One base to be ranked; ``entry`` is its row of the catalogue, None where it has none."""

    base: Base
    entry: Entry | None
    given: str = ""  # what the user wrote, where that tells more than the base's own name

    @property
    def name(self) -> str:
        """What it goes by: a run that went on from a base has that base's name, and is another candidate."""
        return self.given or self.base.identity.name

    @property
    def work(self) -> float:
        """What an example costs, to compare bases by: parameters × inputs' size; infinite where that is not known.

        The size is that of a picture in pixels, or of a text in tokens: the layers pass over each of them.
        """
        if self.entry is None:
            return float("inf")
        return self.entry.parameters * get(self.entry.modality).work(self.entry.input)


@dataclass(frozen=True)
class Field:
    """The candidates, cheapest first, and what was left out."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[NotRanked, ...]

    def reading(self, table: Table) -> Field:
        """Each base as it takes the pictures of ``table``; see `read_as`."""
        return replace(self, candidates=tuple(replace(one, base=read_as(one.base, table)) for one in self.candidates))


def field_of(
    names: Sequence[str] | None,
    modality: str,
    licence: str | None,
    max_params: float | None,
    progress: Progress,
    *,
    remote_code: bool = False,
) -> Field:
    """The bases called ``names``; None: those of the catalogue that need no network.

    Only bases that the user names are ever fetched.

    Args:
        licence: "commercial", or None for any.
        max_params: most parameters, in millions.
        remote_code: whether code of a named base's own may run.

    Raises:
        BaseError: a base that is named is unknown or cannot be had, or none is left.
    """
    chosen = choose(modality, licence, max_params)
    allowed = {entry.name: entry for entry in chosen.kept}
    refused = {one.name: one.ground for one in chosen.left_out}
    if names is None:
        found, left_out = _embedded(allowed, modality)
        left_out += [NotRanked(name, reason) for name, reason in refused.items()]
    else:
        found, left_out = [], []
        for name in dict.fromkeys(names):
            reason = refused.get(name) or _refusal(name, max_params)
            one = NotRanked(name, reason) if reason else _named(name, modality, licence, progress, remote_code)
            (found if isinstance(one, Candidate) else left_out).append(one)  # type: ignore[arg-type]
    if not found:
        said = "; ".join(f"{one.name}: {one.reason}" for one in left_out if one.reason != _NOT_HERE)
        raise BaseError(
            f"no base is left to rank for {modality} data ({said}); allow more, or name others with --base."
        )
    return Field(tuple(sorted(found, key=lambda one: (one.work, one.name))), tuple(left_out))


def _embedded(allowed: Mapping[str, Entry], modality: str) -> tuple[list[Candidate], list[NotRanked]]:
    """Of the ``allowed`` rows those whose weights are in installed packages, and the others."""
    found, left_out = [], []
    for name, entry in allowed.items():
        if not entry.embedded:
            left_out.append(NotRanked(name, _NOT_HERE))
            continue
        try:
            found.append(Candidate(open_base(name, modality), entry))
        except BaseError as error:  # its package is not installed
            left_out.append(NotRanked(name, str(error)))
    return found, left_out


def _named(
    name: str, modality: str, licence: str | None, progress: Progress, remote_code: bool
) -> Candidate | NotRanked:
    """A base that the user named; one that cannot be had is an error, one without the licence asked for is left out."""
    progress.say(f"  base {name}")
    base = open_base(name, modality, remote_code=remote_code, progress=progress)
    why = objection_to(base.identity) if asks_commercial(licence) else ""
    return NotRanked(name, why) if why else Candidate(base, entry_of(name), name if base.identity.lineage else "")


def _refusal(name: str, max_params: float | None) -> str:
    """Why a base without a row in the catalogue cannot be let in, or ""."""
    if max_params is None or entry_of(name) is not None:
        return ""
    return f"its size is not known, and --max-params {max_params:g}M was given"
