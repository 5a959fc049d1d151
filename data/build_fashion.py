"""Builds `fashion.npz` from the four original files of Fashion-MNIST.

    python data/build_fashion.py [FOLDER]

FOLDER holds `train-images-idx3-ubyte.gz` and its three companions; without it, the folder in which
Debian's package `dataset-fashion-mnist` puts them. The choice needs no random numbers: of each
class, the first 1,000 training images and the first 200 test images, in the order of the original
files, dealt out in rounds (one T-shirt, one trouser, ..., one ankle boot, then the next ten), so
that every run of ten images, and every prefix, is balanced.

The images are kept at their original 28×28 pixels; `inception_edu.data` adds the border of two
black pixels that makes them 32×32. The archive's time stamps are fixed, so the same zlib writes the
same bytes.
"""

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
TARGET = Path(__file__).resolve().with_name("fashion.npz")
ORIGINALS = {  # sha256 of the files as Zalando published them
    "train-images-idx3-ubyte.gz": (
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"
    ),
    "train-labels-idx1-ubyte.gz": (
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"
    ),
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}


def read(path):
    """One original file as an array: its header gives the number of axes and their lengths."""
    packed = path.read_bytes()
    if hashlib.sha256(packed).hexdigest() != ORIGINALS[path.name]:
        raise SystemExit(f"{path} is not the file that Zalando published: its checksum differs.")
    raw = gzip.decompress(packed)
    shape = [int.from_bytes(raw[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def deal(labels, per_class):
    """Positions of the first `per_class` images of each class, in rounds over the classes."""
    return np.stack([np.flatnonzero(labels == c)[:per_class] for c in range(10)], axis=1).reshape(
        -1
    )


def build(folder):
    """The bytes of `fashion.npz`."""
    arrays = {}
    for split, name, per_class in (("train", "train", 1000), ("test", "t10k", 200)):
        labels = read(folder / f"{name}-labels-idx1-ubyte.gz")
        chosen = deal(labels, per_class)
        arrays[f"{split}_images"] = read(folder / f"{name}-images-idx3-ubyte.gz")[chosen]
        arrays[f"{split}_labels"] = labels[chosen]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type, member.create_system, member.external_attr = (
                zipfile.ZIP_DEFLATED,
                3,
                0o644 << 16,
            )
            content = io.BytesIO()
            np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, content.getvalue(), compresslevel=9)
    return out.getvalue()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEBIAN
    if not folder.is_dir():
        raise SystemExit(
            f"{folder} does not exist: name the folder with the original files, or install the "
            "Debian "
            "package dataset-fashion-mnist."
        )
    content = build(folder)
    TARGET.write_bytes(content)
    print(f"{TARGET.name}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
