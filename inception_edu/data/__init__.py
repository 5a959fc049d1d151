"""Data sets as two tensors on the CPU.

    data = load("fashion")
    print(data.describe())
    order = torch.Generator().manual_seed(0)
    for images, labels in data.batches(data.train, 64, order, augment="crop+flip"):
        ...                                   # images: 64×3×32×32 float32, labels: 64 int64

| source        | what it is                                                                     |
|---------------|--------------------------------------------------------------------------------|
| `fashion`     | embedded: 10,000 + 2,000 images of Fashion-MNIST, 32×32 grey, 10 classes       |
| `scales`      | generated: shapes and textures whose size is known (`scales:64` for 64×64)     |
| `cifar10`     | an existing copy, or else the original archive from the internet (163 MiB)     |
| `folder:PATH` | any folder with one subfolder of images for each class                         |
"""

from inception_edu.data.augmentation import AUGMENTATIONS, augment, reach, window
from inception_edu.data.paths import data_dir, downloads_dir
from inception_edu.data.pictures import PictureError, folder_pictures, free_name, read_picture
from inception_edu.data.sources import load
from inception_edu.data.types import Data, DataError, Split, evenly, rescale

__all__ = [
    "AUGMENTATIONS",
    "Data",
    "DataError",
    "PictureError",
    "Split",
    "augment",
    "data_dir",
    "downloads_dir",
    "evenly",
    "folder_pictures",
    "free_name",
    "load",
    "read_picture",
    "reach",
    "rescale",
    "window",
]
