"""What a licence says of commercial use, and the gate that ``--licence commercial`` sets.

The rule of the table: "yes" only where the licence's own text allows commercial use of the weights, be it under
conditions (naming the source, sharing alike, a list of forbidden uses as in OpenRAIL, a limit on users as in Llama's);
"no" where it forbids it; "unknown" for everything else, a missing licence and the Hub's "other" among it. This helps to
choose and is no legal advice: the conditions are for the user to read.
"""

from __future__ import annotations

from headstart.bases.identity import RUN, Ancestor, Identity, ancestors
from headstart.bases.table import entry_of
from headstart.errors import BaseError, SettingError, nearest

#: What may be asked for with ``--licence``.
LICENCES = ("any", "commercial")

# SPDX names and, where there is none, the Hub's, in lower case.
_PERMISSIVE = ("apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "isc", "mit", "unlicense", "zlib")
_COPYLEFT = ("agpl-3.0", "epl-2.0", "eupl-1.2", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "mpl-2.0")
_FOR_DATA = ("cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cdla-permissive-2.0")
_OPENRAIL = ("bigcode-openrail-m", "bigscience-openrail-m", "creativeml-openrail-m", "openrail", "openrail++")
_MAKERS = ("dinov3-license", "gemma", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3")
_YES = frozenset((*_PERMISSIVE, *_COPYLEFT, *_FOR_DATA, *_OPENRAIL, *_MAKERS))
_NO = frozenset(("fair-noncommercial-research-license", "opt-175b", "qwen-research"))
_NON_COMMERCIAL = "cc-by-nc"  # how all of Creative Commons' non-commercial ones begin


def commercial_use(licence: str) -> str:
    """Whether ``licence`` allows commercial use of the weights: "yes", "no" or "unknown".

    Args:
        licence: an SPDX name or the Hub's word, in any case.
    """
    name = licence.strip().lower().removesuffix("-only").removesuffix("-or-later")
    if name in _NO or name.startswith(_NON_COMMERCIAL):
        return "no"
    return "yes" if name in _YES else "unknown"


def asks_commercial(wanted: str | None) -> bool:
    """Whether ``wanted``, one of `LICENCES` or None, leaves out what may not be used commercially.

    Raises:
        SettingError: another word.
    """
    if wanted is not None and wanted not in LICENCES:
        raise SettingError(f"licence {wanted!r} is unknown; it is any or commercial.{nearest(wanted, LICENCES)}")
    return wanted == "commercial"


def objection(licence: str, commercial: str) -> str:
    """Why a base is not for commercial use, in words; "" where it is.

    Args:
        commercial: "yes", "no" or "unknown".
    """
    if commercial == "no":
        return f"licence {licence} forbids commercial use"
    if commercial == "yes":
        return ""
    return "licence unknown" if licence.lower() == "unknown" else f"commercial use unknown under licence {licence}"


def objection_to(identity: Identity) -> str:
    """Why a base, or what it was made from, is not known to be free for commercial use; "" where it is.

    Where the weights came without a licence that is known, the catalogue's row of that name says it; a local folder has
    no row.
    """
    for step in ancestors(identity):
        if step.source.startswith(RUN):
            continue  # the user's own, under the licences of what it was made from
        if why := objection(*_licence(step)):
            return why if step.name == identity.name else f"made from {step.name!r}: {why}"
    return ""


def refuse_unlicensed(identity: Identity, wanted: str | None) -> None:
    """Refuse a base that is not known to be free for commercial use, where that is wanted; see `objection_to`.

    Raises:
        BaseError: ``wanted`` is "commercial" and the base is not.
        SettingError: ``wanted`` is none of `LICENCES`.
    """
    if asks_commercial(wanted) and (why := objection_to(identity)):
        raise BaseError(
            f"base {identity.name!r}: {why}, and --licence commercial was asked for; "
            f"`headstart bases --licence commercial` lists what may be used."
        )


def _licence(step: Ancestor) -> tuple[str, str]:
    """The licence of ``step`` and what it allows."""
    use = commercial_use(step.licence)
    named = step.source.startswith(("hub ", "package ", "torchvision "))  # a folder can be called anything
    entry = entry_of(step.name.partition("@")[0]) if named else None
    if use == "unknown" and entry:
        return entry.licence, entry.commercial
    return step.licence, use
