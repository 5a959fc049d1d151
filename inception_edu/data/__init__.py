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

Names are fetched when they are first used: `window` and `data_dir` need no torch.
"""

from typing import TYPE_CHECKING

from inception_edu._lazy import lazy

if TYPE_CHECKING:
    from inception_edu.data.augmentation import AUGMENTATIONS as AUGMENTATIONS
    from inception_edu.data.augmentation import augment as augment
    from inception_edu.data.errors import DataError as DataError
    from inception_edu.data.paths import data_dir as data_dir
    from inception_edu.data.paths import downloads_dir as downloads_dir
    from inception_edu.data.pictures import PictureError as PictureError
    from inception_edu.data.pictures import folder_pictures as folder_pictures
    from inception_edu.data.pictures import free_name as free_name
    from inception_edu.data.pictures import read_picture as read_picture
    from inception_edu.data.sources import load as load
    from inception_edu.data.types import Data as Data
    from inception_edu.data.types import Split as Split
    from inception_edu.data.types import evenly as evenly
    from inception_edu.data.types import rescale as rescale
    from inception_edu.data.windows import reach as reach
    from inception_edu.data.windows import window as window

_NAMES = {
    ".augmentation": ("AUGMENTATIONS", "augment"),
    ".errors": ("DataError",),
    ".paths": ("data_dir", "downloads_dir"),
    ".pictures": ("PictureError", "folder_pictures", "free_name", "read_picture"),
    ".sources": ("load",),
    ".types": ("Data", "Split", "evenly", "rescale"),
    ".windows": ("reach", "window"),
}
__all__ = sorted(name for names in _NAMES.values() for name in names)

__getattr__, __dir__ = lazy(__name__, _NAMES)
