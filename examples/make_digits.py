"""Write scikit-learn's handwritten digits (8x8 pixels, 10 classes) as an image folder, a subfolder a class.

Usage: python examples/make_digits.py FOLDER [--per-class 60] [--size 64]

The pictures are the test set of UCI's "Optical Recognition of Handwritten Digits", which scikit-learn
carries, enlarged bicubically. The first ones of each class are taken, so the same call writes the same files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def enlarged(digit: np.ndarray, size: int) -> Image.Image:
    """One digit ([8, 8], ink 0..16) as a grey picture of ``size`` x ``size`` pixels, dark ink on white."""
    grey = 255 - np.round(digit * (255 / 16)).astype(np.uint8)
    return Image.fromarray(grey).resize((size, size), Image.Resampling.BICUBIC)


def write_digits(folder: Path, per_class: int, size: int) -> int:
    """Write ``per_class`` digits of each class to ``folder``/CLASS/ROW.png; gives the number of files."""
    digits = load_digits()
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        rows = np.flatnonzero(digits.target == label)[:per_class]
        for row in rows:
            enlarged(digits.images[row], size).save(folder / str(label) / f"{row:04}.png")
    return 10 * per_class


def main() -> None:
    """Parse the command line and write the folder."""
    parser = argparse.ArgumentParser(description="Write handwritten digits as an image folder.")
    parser.add_argument("folder", type=Path, help="where to write; made if absent, must be empty")
    parser.add_argument("--per-class", type=int, default=60, help="pictures a class, 1 to 174 (default 60)")
    parser.add_argument("--size", type=int, default=64, help="width and height in pixels, 8 to 512 (default 64)")
    args = parser.parse_args()
    if not 1 <= args.per_class <= 174:
        sys.exit(f"--per-class {args.per_class} is not possible: the rarest digit has 174 pictures; give 1 to 174.")
    if not 8 <= args.size <= 512:
        sys.exit(f"--size {args.size} is not possible: give 8 to 512 pixels.")
    if args.folder.exists() and (not args.folder.is_dir() or any(args.folder.iterdir())):
        sys.exit(f"{args.folder} exists and is not an empty folder: name another one, or remove it first.")
    written = write_digits(args.folder, args.per_class, args.size)
    print(f"{written} pictures of 10 digits written to {args.folder}")


if __name__ == "__main__":
    main()
