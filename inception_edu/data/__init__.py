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

from inception_edu._lazy import lazy

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
