"""Pictures that PIL cannot hold: arrays, their files (.npy, .npz), and TIFFs of many bands or of deep values.

What is read is raw: [h, w] or [h, w, channels] in the values' own dtype, upright. "Deep" are values of more than 8
bits, and floats.
"""

from __future__ import annotations

import io
import logging
import zipfile
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from PIL import Image as pil

from headstart.modalities.image import file, pixels
from headstart.modalities.types import Unreadable

#: Channels that a picture may have.
MOST = 64
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_PLAIN = (b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")  # formats that have 8 bits a channel
_PNG, _PNG_DEPTH = b"\x89PNG\r\n\x1a\n", slice(24, 26)  # bit depth and colour type in the header
_ALPHA = (1, 2)  # TIFF's ExtraSamples that are transparency; 0 is a band of some other meaning
_BLACK, _RGB = (0, 1), 2  # TIFF's PhotometricInterpretation
_ORIENTATION = 274  # TIFF tag

# PIL writes a line to the terminal for every TIFF of more bands than it knows, which others still read here.
logging.getLogger("PIL.TiffImagePlugin").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Kind:
    """What a picture's header says.

    Attributes:
        channels: 1 (grey), 3 (colour; what is transparent becomes white), or how many bands there are.
        dtype: of the values.
        deep: whether values have more than 8 bits, and are read so.
    """

    channels: int
    dtype: str = "uint8"
    deep: bool = False


def is_array_file(data: bytes) -> bool:
    """Whether ``data`` are those of a .npy or .npz file."""
    return data.startswith((_NPY, _ZIP))


def looked(value: Any) -> Kind:
    """The kind of ``value`` (bytes of a file, a PIL image or an array), from its header where it has one.

    Raises:
        Unreadable: it is none, or an array of a shape or dtype that is no picture's.
    """
    if isinstance(value, np.ndarray):
        return _of_array(value)
    if isinstance(value, pil.Image):
        return _of_mode(value.mode)
    if value.startswith(_PNG):
        return _of_png(value)
    if value.startswith(_PLAIN):
        return Kind(3)
    if is_array_file(value):
        return _of_array(array_file(value))
    if value.startswith(_TIFF):
        return _Tiff(value).kind
    return _of_mode(file.opened(value).mode)


def raw(value: Any) -> np.ndarray:
    """The values of a deep or many-banded picture: [h, w] or [h, w, channels].

    Args:
        value: as `looked` takes it.

    Raises:
        Unreadable: it cannot be read.
    """
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, pil.Image):
        if is_array_file(value):
            return array_file(value)
        if value.startswith(_TIFF):
            return _Tiff(value).values()
        value = file.load(value, lambda width, height: min(width, height))
    with file.reading():
        return np.asarray(pixels.upright(value, pixels.orientation(value)))


def array_file(data: bytes) -> np.ndarray:
    """The array in a .npy file, or the only one in a .npz file; objects are not loaded, for they can hold code."""
    with file.reading():
        if data.startswith(_NPY):
            return _npy(io.BytesIO(data), len(data))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
            if len(names) != 1:
                raise Unreadable(f"{len(names)} arrays in one .npz file; one picture a file is read")
            with archive.open(names[0]) as inside:
                return _npy(inside, names[0].file_size)


def _npy(file: IO[bytes], size: int) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(file)
    if dtype.hasobject:
        raise Unreadable("an array of objects; allowed are numbers")
    _check_size(shape)
    if int(np.prod(shape, dtype=np.int64)) * dtype.itemsize > size:
        raise Unreadable("truncated: the array is shorter than its header says")
    file.seek(0)
    values: np.ndarray = np.load(file, allow_pickle=False)
    return values


def _check_size(shape: tuple[int, ...]) -> None:
    limit = pil.MAX_IMAGE_PIXELS
    if limit is not None and int(np.prod(shape[:2], dtype=np.int64)) > limit:
        raise Unreadable(f"too large: {list(shape)}, the limit is {limit:,} pixels (PIL.Image.MAX_IMAGE_PIXELS)")


def _of_array(values: np.ndarray) -> Kind:
    """[h, w], [h, w, 1] or [h, w, channels]."""
    shape = list(values.shape)
    if values.ndim not in (2, 3) or not values.size:
        raise Unreadable(f"an array of shape {shape}; allowed are [height, width] and [height, width, channels]")
    if values.dtype.kind not in "biuf":
        raise Unreadable(f"an array of dtype {values.dtype}; allowed are bool, integers and floats")
    channels = shape[2] if values.ndim == 3 else 1
    if values.ndim == 3 and shape[0] < min(shape[1:]):
        raise Unreadable(
            f"an array of shape {shape}, which looks like [channels, height, width]; move the channels last, as in "
            f"numpy.moveaxis(x, 0, -1)"
        )
    return Kind(channels, str(values.dtype), values.dtype not in (np.uint8, np.bool_))


def _of_mode(mode: str) -> Kind:
    if mode in ("I", "F") or mode.startswith("I;"):
        return Kind(1, {"F": "float32", "I": "int32"}.get(mode, "uint16"), True)
    return Kind(1 if mode in ("1", "L", "LA") else 3)


def _of_png(data: bytes) -> Kind:
    depth, colour = data[_PNG_DEPTH].ljust(2, b"\0")
    if depth != 16:
        return Kind(1 if colour in (0, 4) else 3)
    # PIL gives the upper 8 bits of colour, and of grey with transparency; by PNG's rules values span all 16.
    return Kind(1, "uint16", True) if colour == 0 else Kind(3 if colour & 2 else 1, "uint16, of which the upper 8 bits")


class _Tiff:
    """A TIFF by the tifffile library: its first picture, or the bands that its pages are."""

    def __init__(self, data: bytes) -> None:
        import tifffile

        self._file: Any
        with file.reading():
            self._file = tifffile.TiffFile(io.BytesIO(data))
            self._page: Any = self._file.pages[0]
            series = self._file.series[0]
            self._banded = len(series.shape) == 3 and series.axes[0] in "CQ"  # pages of one picture, else of several
            self._source: Any = series if self._banded else self._page
            self.axes, self.shape = self._source.axes, tuple(self._source.shape)
            _check_size((self._page.imagelength, self._page.imagewidth))
            self.kind = self._kind()

    def _kind(self) -> Kind:
        dtype, photometric = self._source.dtype, int(self._page.photometric)
        if dtype is None or (photometric not in (*_BLACK, _RGB)):  # palettes, CMYK, YCbCr: PIL turns them to colour
            return Kind(3)
        return Kind(self._channels(), str(dtype), self._page.bitspersample > 8)

    def _channels(self) -> int:
        if len(self.shape) == 2:
            return 1
        if self._banded:
            return int(self.shape[self._axis()])
        count, extra = int(self._page.samplesperpixel), [int(kind) for kind in self._page.extrasamples]
        colours = 3 if int(self._page.photometric) == _RGB else 1
        # Of deep values it is a band whatever the file says: tifffile calls the fourth of any four so.
        transparent = count == colours + 1 and extra[:1] and extra[0] in _ALPHA and self._page.bitspersample <= 8
        return colours if transparent else count

    def _axis(self) -> int:
        """Which axis holds the bands; a file that does not say so has fewer of them than pixels a side."""
        if "S" in self.axes:
            return int(self.axes.index("S"))
        return 2 if self.axes[0] == "Q" and self.shape[2] < self.shape[0] else 0

    def values(self) -> np.ndarray:
        """[h, w] or [h, w, bands], upright."""
        with file.reading():
            try:
                values: np.ndarray = self._source.asarray()
            except (KeyError, ValueError) as error:
                if "imagecodecs" in str(error):
                    raise Unreadable(
                        f"a TIFF compressed by {self._page.compression.name}; reading it needs the package "
                        f"imagecodecs: run pip install imagecodecs, or save it uncompressed"
                    ) from error
                raise
            if values.ndim == 3:
                values = np.moveaxis(values, self._axis(), -1)
            tag = self._page.tags.get(_ORIENTATION)
            return pixels.turned(values, int(tag.value) if tag else 1)
