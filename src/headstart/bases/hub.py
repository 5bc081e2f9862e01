"""Hub names: the files are downloaded once by huggingface_hub, checked, and then treated as a local folder."""

from __future__ import annotations

from pathlib import Path

from headstart.bases.base import Base
from headstart.bases.checks import refuse_modality
from headstart.bases.folder import open_folder
from headstart.bases.hub_files import fetch, listed, mirror
from headstart.bases.kinds import kind_of
from headstart.bases.remote_code import settle_code
from headstart.bases.weight_files import INDEX, WHOLE, shards
from headstart.errors import BaseError
from headstart.progress import Progress

# What tells of the weights without them: configuration, tokenizer, processor, pooling, card.
_SMALL = (
    "config.json",
    INDEX,
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "modules.json",
    "1_Pooling/config.json",
    "README.md",
)


def open_hub(
    name: str,
    repo: str,
    *,
    modality: str | None = None,
    remote_code: bool = False,
    progress: Progress | None = None,
) -> Base:
    """Download ``repo`` (``owner/model``, optionally ``@revision``) and open it.

    Small files come first, so that what would be refused is refused before its weights are fetched. Never pickles, and
    code only where it is needed and allowed. Offline, and where the Hub cannot be reached, the local cache serves.

    Args:
        name: what the user wrote.
        modality: of the data; a base of another one is refused. None: any.
        remote_code: whether code of the checkpoint's own may run.

    Raises:
        BaseError: unreachable, not found, gated, damaged on the way, without safetensors weights, or see `open_folder`.
    """
    repo, _, revision = repo.partition("@")
    _refuse_name(name, repo)
    progress = progress or Progress()
    folder = fetch(name, repo, revision, _SMALL, Progress())
    commit, source = folder.name, f"hub {repo}{mirror()}"
    kind = kind_of(folder, name)
    refuse_modality(name, kind.modality, modality)
    code = settle_code(kind.config, name, f"{repo}{mirror()} at commit {commit}", remote_code)
    wanted = [*_weights(name, repo, folder), *(_code(repo, folder) if code else ())]
    fetch(name, repo, commit, wanted, progress)
    return open_folder(folder, name, source, commit, remote_code=remote_code)


def _refuse_name(name: str, repo: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise BaseError(
            f"base {name!r} is neither a folder here nor a name on the Hub (owner/model, or owner/model@revision); "
            f"check the path."
        ) from error


def _weights(name: str, repo: str, folder: Path) -> list[str]:
    """The names of the files that hold the weights: one, or the shards of the index, or what there is."""
    there = _names(repo, folder)
    if WHOLE in there:
        return [WHOLE]
    if (folder / INDEX).exists():
        needed = shards(folder / INDEX, name)
        if missing := [shard for shard in needed if shard not in there]:
            raise BaseError(
                f"base {name!r} lacks {len(missing)} of the {len(needed)} weights files that {INDEX} lists "
                f"({', '.join(missing[:3])}), on the Hub itself; choose another revision (owner/model@revision)."
            )
        return needed
    found = [file for file in there if file.endswith(".safetensors")]
    if not found:
        raise BaseError(
            f"base {name!r} has no safetensors weights on the Hub; pickled weights are not loaded from there: choose a "
            f"revision that has them ({repo}@refs/pr/N, from its page's discussions), or save them as a local folder."
        )
    return found


def _code(repo: str, folder: Path) -> list[str]:
    return [file for file in _names(repo, folder) if file.endswith(".py")]


def _names(repo: str, folder: Path) -> list[str]:
    """Files at the top of the repository; of the cached folder where no list of the repository is at hand."""
    known = [file.path for file in listed(repo, folder.name)] or [file.name for file in folder.iterdir()]
    return sorted(file for file in known if "/" not in file)
