"""Hub names: the files are downloaded once (and resumed) by huggingface_hub, then treated as a local folder."""

from __future__ import annotations

import os
from pathlib import Path

from headstart.bases.base import Base
from headstart.bases.folder import open_folder
from headstart.errors import BaseError

# Never code, never pickles: a checkpoint that has only those is refused with the reason.
_WANTED = ("*.json", "*.safetensors", "1_Pooling/*.json", "README.md")


def open_hub(name: str, repo: str) -> Base:
    """Download ``repo`` (``owner/model``, optionally ``@revision``) and open it.

    Raises:
        BaseError: offline, not found, gated, or without safetensors weights.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    repo, _, revision = repo.partition("@")
    try:
        folder = Path(snapshot_download(repo, revision=revision or None, allow_patterns=list(_WANTED)))
    except GatedRepoError as error:
        raise BaseError(f"base {name!r} is gated on the Hub: accept its terms there and set HF_TOKEN.") from error
    except RepositoryNotFoundError as error:
        raise BaseError(
            f"base {name!r} is not on the Hub (or is private and HF_TOKEN is not set); check the name."
        ) from error
    except RevisionNotFoundError as error:
        raise BaseError(f"base {name!r} has no revision {revision!r} on the Hub.") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise BaseError(
            f"base {name!r} could not be fetched from the Hub{_offline()}; use an embedded base, a local "
            f"folder, or try again with a network."
        ) from error
    if not list(folder.glob("*.safetensors")):
        raise BaseError(
            f"base {name!r} has no safetensors weights on the Hub; pickled weights are not loaded from there."
        )
    return open_folder(folder, name=name, source=f"hub {repo}", revision=folder.name, licence=_licence(folder))


def _offline() -> str:
    return (
        " (HF_HUB_OFFLINE is set and it is not in the local cache)"
        if os.environ.get("HF_HUB_OFFLINE") == "1"
        else " (no network, or the server did not answer)"
    )


def _licence(folder: Path) -> str:
    """The licence of the model card's front matter, or "unknown"."""
    card = folder / "README.md"
    if card.exists():
        for line in card.read_text(encoding="utf-8", errors="replace").splitlines()[:60]:
            if line.startswith("license:"):
                return line.partition(":")[2].strip().strip("\"'") or "unknown"
    return "unknown"
