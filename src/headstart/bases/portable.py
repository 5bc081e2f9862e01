"""A network's graph without its weights: those stay in the files of the base, where they lie already.

An exported graph of all-MiniLM-L6-v2 takes 90 MB, 0.2 MB of which are not in its package. So each initializer whose
numbers are found in a file of the base is replaced by the place where they lie, and read from there when a session is
opened. What is found nowhere, as what training changed, stays in the graph.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.ctranslate2_file import spans
from headstart.errors import BaseError

if TYPE_CHECKING:
    import onnxruntime

#: Where the numbers lie: a file, or the content of one.
Content = Path | bytes
#: How the name of the file ends that tells where the weights lie which a kept graph lacks.
PLACES = ".places.json"
_LEAST = 1024  # bytes; smaller ones stay in the graph
_KEY = 512  # bytes by which a place is looked for before all is compared
_TRIES = 4  # places looked at that begin alike, as zeros do
_PATIENCE = 8  # more misses than hits by which a file is given up: it holds another precision
_FLOAT, _EXTERNAL = 1, 1  # onnx.TensorProto's numbers
#: Orders of axes in which files hold what torch holds as is: as is, transposed, or as TensorFlow has convolutions.
_ORDERS = {2: ((0, 1), (1, 0)), 4: ((0, 1, 2, 3), (2, 3, 1, 0), (0, 2, 3, 1))}


@dataclass(frozen=True)
class Place:
    """Where the numbers of an initializer of float32 lie.

    Attributes:
        name: of the initializer.
        file: name of the file.
        offset: bytes before them.
        shape: of the initializer.
        order: the axes in the order in which the file holds them.
        half: whether the file holds them in half precision, which all of them keep to.
    """

    name: str
    file: str
    offset: int
    shape: tuple[int, ...]
    order: tuple[int, ...]
    half: bool = False

    @property
    def dtype(self) -> np.dtype:
        """Of the numbers in the file."""
        return np.dtype("<f2" if self.half else "<f4")


@dataclass(frozen=True)
class Graph:
    """An ONNX graph, and where the weights lie that are not in it.

    Attributes:
        content: the model as ONNX has it.
        places: of the initializers that are not in it.
    """

    content: bytes
    places: tuple[Place, ...] = ()

    def places_json(self) -> str:
        """``places`` as JSON, an initializer a line."""
        lines = (json.dumps(asdict(place)) for place in self.places)
        return "[\n" + ",\n".join(lines) + "\n]\n"

    @classmethod
    def of(cls, content: bytes, places_json: str | bytes) -> Graph:
        """The inverse of `places_json`.

        Raises:
            ValueError, KeyError, TypeError: it is no such list.
        """
        places = (
            Place(
                str(one["name"]),
                str(one["file"]),
                int(one["offset"]),
                tuple(int(side) for side in one["shape"]),
                tuple(int(axis) for axis in one["order"]),
                bool(one.get("half", False)),
            )
            for one in json.loads(places_json)
        )
        return cls(content, tuple(places))

    def leaning_on(self, files: Mapping[str, Content]) -> Graph:
        """The same without the initializers whose very numbers are in one of ``files``, by name."""
        import onnx

        model, places = onnx.load_from_string(self.content), list(self.places)
        for name, content in files.items():
            with _opened(content) as data:
                search = _Search(data, name)
                for tensor in model.graph.initializer:
                    if place := search.place(tensor):
                        places.append(place)
                        _empty(tensor, name)
        return Graph(model.SerializeToString(), tuple(places))

    def with_tensors(self, tensors: Mapping[str, np.ndarray]) -> Graph | None:
        """The same with other numbers in the initializers called so; None where one of them is not in it."""
        import onnx

        model = onnx.load_from_string(self.content)
        left = {name: values for name, values in tensors.items() if values.dtype.kind == "f"}
        for tensor in model.graph.initializer:
            values = left.get(tensor.name)
            if values is not None and values.shape == tuple(tensor.dims) and tensor.data_type == _FLOAT:
                _fill(tensor, left.pop(tensor.name))
        if left:
            return None
        places = tuple(place for place in self.places if place.name not in tensors)
        return Graph(model.SerializeToString(), places)

    def session(self, files: Mapping[str, Content], threads: int = 0) -> onnxruntime.InferenceSession:
        """Ready to run on the CPU.

        Args:
            files: those that the places name.
            threads: that one run works on; 0: one a processor.

        Raises:
            BaseError: a file is missing or shorter than it was.
        """
        from onnxruntime import OrtValue

        values: list[OrtValue] = []
        for name in dict.fromkeys(place.file for place in self.places):
            if name not in files:
                raise BaseError(f"{name}, which holds weights of the base, is not there; install or download it again.")
            with _opened(files[name]) as data:
                mine = (place for place in self.places if place.file == name)
                values += [OrtValue.ortvalue_from_numpy(_read(data, place)) for place in mine]
        ordered = [p.name for name in dict.fromkeys(p.file for p in self.places) for p in self.places if p.file == name]
        return open_session(self.content, threads, dict(zip(ordered, values, strict=True)))


def open_session(
    graph: Path | bytes, threads: int = 0, weights: Mapping[str, onnxruntime.OrtValue] | None = None
) -> onnxruntime.InferenceSession:
    """A graph, in a file or in memory, ready to run on the CPU.

    Args:
        threads: that one run works on; 0: one a processor.
        weights: initializers that are not in it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # Waiting threads sleep: spinning ones take the processor from the threads that decode (81 -> 114 images/s).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if weights:
        options.add_external_initializers(list(weights), list(weights.values()))
    given = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def _empty(tensor: Any, file: str) -> None:
    """Take the numbers out of an initializer, which is given others when a session is opened."""
    tensor.ClearField("raw_data")
    tensor.data_location = _EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", file


def _fill(tensor: Any, values: np.ndarray) -> None:
    """Lay ``values`` into an initializer, whether it had its numbers or they lay elsewhere."""
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")
    tensor.raw_data = np.asarray(values, "<f4", order="C").tobytes()


@contextmanager
def _opened(content: Content) -> Iterator[bytes | mmap.mmap]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _read(data: bytes | mmap.mmap, place: Place) -> np.ndarray:
    """The numbers of ``place``, a copy, in the order of the initializer."""
    lying = tuple(place.shape[axis] for axis in place.order)
    size = int(np.prod(lying, dtype=np.int64))
    end = place.offset + place.dtype.itemsize * size
    raw = data[place.offset : end]
    if len(raw) != end - place.offset:
        raise BaseError(f"{place.file}, which holds weights of the base, is cut short; install or download it again.")
    found = np.frombuffer(raw, place.dtype).reshape(lying)
    return np.ascontiguousarray(found.transpose(np.argsort(place.order)), "<f4")


class _Search:
    """Initializers looked for in one file, which is given up where it does not hold them."""

    def __init__(self, data: bytes | mmap.mmap, file: str) -> None:
        self._data, self._file = data, file
        self._tensors = _tensors(data)
        self._next, self._missed = 0, 0  # where the last one ended; misses less hits
        self._usual: dict[int, tuple[int, ...]] = {}  # axes -> the order that was found last
        self._half = False  # whether that was in half precision

    def place(self, tensor: Any) -> Place | None:
        """Where the numbers of an initializer are."""
        if tensor.data_type != _FLOAT or len(tensor.raw_data) < _LEAST or self._missed > _PATIENCE:
            return None
        shape = tuple(tensor.dims)
        values = np.frombuffer(tensor.raw_data, "<f4").reshape(shape)
        for half in (self._half, not self._half):
            stored = _halved(values) if half else values
            if stored is None:
                continue
            for order in self._orders(len(shape)):
                raw = stored.transpose(order).tobytes()
                offset = self._offset(raw)
                if offset is not None:
                    self._next, self._missed = offset + len(raw), self._missed - 1
                    self._usual[len(shape)], self._half = order, half
                    return Place(tensor.name, self._file, offset, shape, order, half)
        self._missed += 1
        return None

    def _orders(self, axes: int) -> list[tuple[int, ...]]:
        allowed = list(_ORDERS.get(axes, (tuple(range(axes)),)))
        return sorted(allowed, key=lambda order: order != self._usual.get(axes))

    def _offset(self, raw: bytes) -> int | None:
        return next((at for at in self._candidates(raw) if self._data[at : at + len(raw)] == raw), None)

    def _candidates(self, raw: bytes) -> Iterator[int]:
        """Where the numbers may begin."""
        key = raw[:_KEY]
        if self._tensors is not None:
            yield from (at for at in self._tensors.get(len(raw), ()) if self._data[at : at + len(key)] == key)
            return
        for start in dict.fromkeys((self._next, 0)):  # files hold tensors in about the order of the network
            at = start - 1
            for _ in range(_TRIES):
                at = self._data.find(key, at + 1)
                if at < 0:
                    break
                yield at


def _halved(values: np.ndarray) -> np.ndarray | None:
    """``values`` float32 in half precision; None where that would change any."""
    with np.errstate(over="ignore"):
        found = values.astype("<f2")
    return found if np.array_equal(found.astype("<f4"), values) else None


def _tensors(data: bytes | mmap.mmap) -> dict[int, list[int]] | None:
    """Size in bytes -> where tensors of that size begin; None where the file has no list of them that is read."""
    found = _safetensors(data)
    if found is None and (listed := spans(data)):
        found = {}
        for start, size in listed:
            for parts in (1, 3):  # a matrix may hold queries, keys and values
                for part in range(parts) if size % parts == 0 else ():
                    found.setdefault(size // parts, []).append(start + part * (size // parts))
    return found


def _safetensors(data: bytes | mmap.mmap) -> dict[int, list[int]] | None:
    """Size in bytes -> where tensors of that size begin; None where it is no safetensors file."""
    length = int.from_bytes(data[:8], "little")
    if not 0 < length < len(data):
        return None
    try:
        told = json.loads(data[8 : 8 + length])
        spans = [one["data_offsets"] for name, one in told.items() if name != "__metadata__"]
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
    found: dict[int, list[int]] = {}
    for start, end in spans:
        found.setdefault(end - start, []).append(8 + length + start)
    return found
