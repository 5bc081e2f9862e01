"""An ONNX file as it lies on disk: checked, with the files it keeps tensors in, and opened without code of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.bases.checks import first_line
from headstart.bases.portable import open_session
from headstart.errors import BaseError

if TYPE_CHECKING:
    import onnx
    import onnxruntime


def onnx_files(path: Path) -> list[Path]:
    """``path`` and the files beside it in which its tensors lie.

    Raises:
        BaseError: it is missing, no ONNX model, or its tensors lie in files that are missing or elsewhere.
    """
    if not path.is_file():
        raise BaseError(f"there is no ONNX file at {path}; give its path, or put it back where it was.")
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError, OSError) as error:
        raise BaseError(f"{path} is no ONNX model ({first_line(error)}); export or download it again.") from error
    if not model.graph.node:
        raise BaseError(f"{path} is no ONNX model (its graph is empty); export or download it again.")
    return [path, *(_beside(path, place) for place in sorted(set(_external(model))))]


def _external(model: onnx.ModelProto) -> Iterator[str]:
    """Where the tensors of ``model`` lie that are not in the file itself."""
    yield from _places(model.graph)
    for function in model.functions:
        yield from _places(function)


def _places(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[str]:
    """The same for a graph or function, and the graphs within it."""
    tensors, sparse = list(getattr(graph, "initializer", ())), list(getattr(graph, "sparse_initializer", ()))
    for node in graph.node:
        for attribute in node.attribute:
            tensors += [attribute.t, *attribute.tensors]
            sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
            for inner in (attribute.g, *attribute.graphs):
                yield from _places(inner)
    tensors += [part for one in sparse for part in (one.values, one.indices)]
    for tensor in tensors:
        yield from (entry.value for entry in tensor.external_data if entry.key == "location")


def _beside(path: Path, place: str) -> Path:
    file = path.parent / place
    if Path(place).is_absolute() or ".." in Path(place).parts:
        raise BaseError(
            f"{path} keeps tensors outside its own folder ({place}), which is not followed; export it again."
        )
    if not file.is_file():
        raise BaseError(f"{path} keeps tensors in {place}, which is not beside it; put it there.")
    return file


def session_of(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """The graph opened by ONNX Runtime on the CPU; no libraries of operators are ever loaded for it.

    Raises:
        BaseError: it cannot be run.
    """
    try:
        return open_session(path, threads)
    except Exception as error:  # ONNX Runtime has a class of its own for each way to fail
        raise BaseError(
            f"ONNX Runtime cannot open {path} ({short(error)}); export it with standard operators only."
        ) from error


def short(error: Exception) -> str:
    """What ONNX Runtime says, without its codes and the places in its source."""
    said: str = first_line(error).rpartition(" : ")[2]
    return said if len(said) <= 160 else f"{said[:157]}..."


def sides(given: Any) -> list[int | None]:
    """The sizes of an input's axes; None where they are free."""
    return [size if isinstance(size, int) and size > 0 else None for size in given.shape]
