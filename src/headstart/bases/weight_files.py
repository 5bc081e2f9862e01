"""The files that hold a checkpoint's weights: found and looked over before anything is loaded."""

from __future__ import annotations

from pathlib import Path

from headstart.bases.checks import read_json
from headstart.errors import BaseError

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"

_PICKLES = ("pytorch_model*.bin", "*.pth")  # loaded with weights_only, so that no code in them runs
_POINTER = b"version https://git-lfs"


def weight_files(folder: Path, name: str) -> list[Path]:
    """The weights of the checkpoint in ``folder``: one file, the shards that its index lists, or what there is.

    Raises:
        BaseError: none, one that the index lists is missing, or a safetensors file that is cut short.
    """
    files = _found(folder, name)
    for file in files:
        _refuse_damaged(file, name)
    return files


def shards(index: Path, name: str) -> list[str]:
    """The names of the files that ``index`` lists, in order.

    Raises:
        BaseError: it is no index, or names files elsewhere or of another format.
    """
    listed = (read_json(index) or {}).get("weight_map")
    names = sorted({str(shard) for shard in listed.values()}) if isinstance(listed, dict) else []
    if not names or any(Path(shard).name != shard or not shard.endswith(".safetensors") for shard in names):
        raise BaseError(f"{index.name} of base {name!r} is no list of weights beside it; download it again.")
    return names


def _found(folder: Path, name: str) -> list[Path]:
    if (folder / WHOLE).exists():
        return [folder / WHOLE]
    if (folder / INDEX).exists():
        files = [folder / shard for shard in shards(folder / INDEX, name)]
        if missing := [file.name for file in files if not file.exists()]:
            raise BaseError(
                f"base {name!r} lacks {len(missing)} of the {len(files)} weights files that {INDEX} lists "
                f"({', '.join(missing[:3])}); download the rest."
            )
        return files
    for pattern in ("*.safetensors", *_PICKLES):
        if files := sorted(folder.glob(pattern)):
            return files
    raise BaseError(f"no weights in {folder}: expected one of *.safetensors, {', '.join(_PICKLES)}.")


def _refuse_damaged(file: Path, name: str) -> None:
    with file.open("rb") as opened:
        start = opened.read(len(_POINTER))
    if start == _POINTER:
        raise BaseError(
            f"{file.name} of base {name!r} is a Git LFS pointer, not weights; run: git lfs pull, in its folder."
        )
    if file.suffix != ".safetensors":
        return
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np"):
            pass
    except SafetensorError as error:
        raise BaseError(
            f"{file.name} of base {name!r} is damaged or cut short and cannot be loaded safely ({error}); "
            f"download it again."
        ) from error
