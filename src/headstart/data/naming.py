"""The names that files, folders and columns conventionally carry, and what each stands for."""

from __future__ import annotations

import os
from collections.abc import Iterable

from headstart.errors import SplitError
from headstart.modalities import file_types

PART_ALIASES = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# In order of preference: the first that a table has is taken.
TARGET_NAMES = _words(
    "label labels target targets class classes class_name category categories intent intents y "
    "tag tags sentiment topic topics emotion rating stars score"
)
TEXT_NAMES = _words(
    "text texts sentence utterance query review message document content body comment comment_text tweet "
    "post question prompt input x description headline title tokens words form"
)
#: Columns with the words of a text, one by one.
TOKEN_NAMES = _words("tokens words token word form forms")
#: Columns with a tag for each of them, and those with marked stretches of a text.
WORD_TAG_NAMES = _words("tags ner_tags ner ner_tag tag pos_tags upos pos xpos bio iob iob_tags labels label target y")
SPAN_NAMES = _words("entities spans label labels ner annotations")
FILE_NAMES = _words(
    "path filepath file_path file filename file_name image img image_path img_path image_file image_name "
    "images audio audio_path image_id"
)
#: Targets that are numbers, even where few of them are different; words of a column's name.
NUMBER_WORDS = frozenset(
    _words(
        "price prices cost costs amount salary wage income revenue sales age ages weight height length width depth "
        "distance area size temperature percent percentage count counts quantity number total score scores points "
        "year years month months week weeks day days hour hours minute minutes second seconds duration population "
        "votes views likes rank calories grams kg km usd eur"
    )
)
#: Targets whose numbers are names of classes, even where they are not counted from 0 or 1.
CLASS_WORDS = frozenset(
    _words(
        "label labels class classes category categories intent intents tag tags topic topics type kind code codes id "
        "ids zip zipcode plz postcode cluster group species sku cat"
    )
)
SPLIT_NAMES = _words("split splits part subset partition set")
# The nameless column is the row number that pandas writes.
ID_NAMES = (
    "",
    *_words("id ids idx index uid uuid guid key row rowid row_id url date time datetime timestamp"),
)

TABLE_TYPES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
ARCHIVE_TYPES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUPPORTED = (
    "a folder of images or recordings (one subfolder a class), a table (.csv .tsv .jsonl .ndjson .json .parquet), "
    "words with tags (.conll .conllu .iob), an archive of any of these (.zip .tar .tar.gz .tar.bz2 .tar.xz), or a "
    "folder written by datasets.save_to_disk"
)

# What systems, network drives, programs that keep folders alike, and tools of programmers leave in folders, in small
# letters; some of it holds copies of the pictures.
_CLUTTER = frozenset(
    {
        *("__macosx", "icon\r", "network trash folder", "temporary items", "thevolumesettingsfolder", "lost+found"),
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "zbthumbnail.info"),
        *("$recycle.bin", "recycler", "system volume information", "found.000", "_gsdata_"),
        *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "@sharebin", "#recycle", "#snapshot", "~snapshot"),
        *("__pycache__", "node_modules"),
    }
)
_CLUTTER_ENDS = (":zone.identifier", "@synoeastream", "@synoresource")
#: Extensions of what is kept beside pictures and is none: notes, annotations, lists, records, programs, and what
#: is half written or saved before a change. Pictures of kinds that cannot be read are not among them.
NOTE_TYPES = frozenset(
    _words(
        ".txt .md .rst .html .htm .pdf .doc .docx .odt .rtf .xml .json .jsonl .ndjson .yaml .yml .toml .ini .cfg .csv "
        ".tsv .xlsx .xls .ods .parquet .pq .xmp .aae .thm .dop .pp3 .on1 .caption .cap .srt .vtt .m3u .m3u8 .log .db "
        ".sqlite .info .dat .nfo .geojson .kml .gpx .py .ipynb .sh .bat .cmd .ps1 .zip .tar .gz .tgz .rar .7z .md5 "
        ".sha1 .sha256 "
        ".lnk .url .webloc .desktop .tmp .temp .part .partial .crdownload .bak .old .swp"
    )
)


def modality_of(name: str) -> str:
    """The modality of a file called ``name``, by its extension; "" where it is of none."""
    return file_types().get(extension(name), "")


def extension(name: str) -> str:
    """The lower-case extension of ``name`` with its dot, or ""."""
    return os.path.splitext(name)[1].lower()


def is_hidden(name: str) -> bool:
    """Whether ``name`` is a dot file, or clutter that a system or a program leaves behind."""
    lowered = name.lower()
    return name.startswith((".", "~$")) or lowered in _CLUTTER or lowered.endswith(_CLUTTER_ENDS)


def part_of(name: object) -> str:
    """The part ("train", "valid" or "test") that ``name`` is an alias of, or ""."""
    return PART_ALIASES.get(str(name).strip().lower(), "")


def one_name_a_part(names: Iterable[tuple[str, str]], where: str) -> dict[str, str]:
    """(name, part) pairs as {part: name}, train first.

    Raises:
        SplitError: two names stand for the same part.
    """
    parts: dict[str, str] = {}
    for name, part in names:
        if part in parts:
            raise SplitError(
                f"{where}: both {parts[part]!r} and {name!r} would be the {part} split; rename one of them."
            )
        parts[part] = name
    return {part: parts[part] for part in ("train", "valid", "test") if part in parts}


def counted(count: int, singular: str, plural: str = "") -> str:
    """ "1 row", "1,200 rows", "3 classes"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def some(names: Iterable[object], most: int = 5) -> str:
    """The first ``most`` names, comma-separated, and how many more there are."""
    known = [str(name) for name in names]
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more
