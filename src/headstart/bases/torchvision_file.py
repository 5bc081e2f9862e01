"""torchvision's checkpoints in torch.hub's cache: fetched once, and known by the hash in their names."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlparse

from headstart.bases.checks import first_line
from headstart.bases.identity import hash_file
from headstart.errors import BaseError
from headstart.progress import Progress


def weights_file(url: str, name: str, progress: Progress) -> Path:
    """The file at ``url``, from torch.hub's cache or fetched into it.

    Args:
        name: of the base, for errors.
        progress: told before a download.

    Raises:
        BaseError: offline, unreachable, or not what its name promises.
    """
    import torch

    file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    found = torch.hub.HASH_REGEX.search(file.name)
    prefix = found.group(1) if found else ""
    if not file.exists():
        _fetch(url, file, prefix, name, progress)
    elif not hash_file(file).startswith(prefix):
        raise BaseError(f"{file} is not the file of its name (its sha256 differs); delete it and try again.")
    return file


def _fetch(url: str, file: Path, prefix: str, name: str, progress: Progress) -> None:
    import torch

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise BaseError(
            f"the weights of {name!r} are not in {file.parent}, and HF_HUB_OFFLINE forbids fetching them; unset it, "
            f"put {file.name} there, or use an embedded base."
        )
    progress.say(f"fetching {url} into {file.parent}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), prefix or None, progress=False)
    except RuntimeError as error:  # the hash
        raise BaseError(
            f"what came from {url} is not the file of its name ({first_line(error)}); it was thrown away."
        ) from error
    except OSError as error:  # URLError and HTTPError among them
        raise BaseError(
            f"the weights of {name!r} could not be fetched from {url} ({first_line(error)}); try again with a "
            f"network, put the file into {file.parent}, or use an embedded base."
        ) from error
