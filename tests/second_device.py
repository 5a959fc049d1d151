"""A second device without hardware: `toy`, whose tensors lie on the CPU and say that they do not.

    import second_device
    second_device.register("cuda")        # or "mps"
    torch.zeros(3, device="toy")

torch lets one device be written in Python. Each operation takes the CPU tensors out of its
arguments, computes, and wraps what comes out. What a real device refuses is refused here:

- tensors of the CPU and of the device in one operation (a number alone, and positions to pick at,
  are allowed, as on CUDA);
- `.numpy()`, and whatever else would read the device's memory;
- on "mps" also 64-bit floats, and the operations that Apple's backend does not have.

It is slower than the CPU, never faster: it is there for what raises, not for what takes long.
"""

from __future__ import annotations

from functools import cache

import torch
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "toy"
PLACE = f"{NAME}:0"
# Operations that may take tensors of both: copies, and picking by positions from the CPU.
MIXED = ("copy_", "_to_copy", "_copy_from", "index", "index_put_", "_index_put_impl_", "set_")
NOT_ON_MPS = ("linalg_eig", "_linalg_eigh", "linalg_eigvals", "linalg_lstsq", "cholesky_inverse")
WIDE = (torch.float64, torch.complex128)

_variant = "cuda"
_library: list[torch.library.Library] = []  # kept, or its kernels go


class Toy(torch.Tensor):
    """A tensor of the device; `inner` is where its numbers are."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=PLACE,
        )

    def __init__(self, inner: torch.Tensor):
        if _variant == "mps" and inner.dtype in WIDE:
            raise TypeError(
                f"Cannot convert a {NAME} tensor to {inner.dtype}, as this device doesn't support "
                "float64. Please use float32 instead."
            )
        self.inner = inner

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return compute(operation, *args, **(kwargs or {}))

    def tolist(self):  # torch refuses it for subclasses; a real device has it
        return self.inner.tolist()

    def __getitem__(self, at):
        # torch makes a tensor of a list of positions below the place where Python is asked.
        parts = at if isinstance(at, tuple) else (at,)
        parts = tuple(torch.tensor(part) if isinstance(part, list) else part for part in parts)
        return super().__getitem__(parts if isinstance(at, tuple) else parts[0])

    def __repr__(self):
        return f"{self.inner!r} on {PLACE}"


def compute(operation, *args, **kwargs):
    """One operation on the CPU tensors inside."""
    name = operation.overloadpacket.__name__
    here: list[Toy] = []
    elsewhere: list[torch.Tensor] = []

    def take_out(value):
        if isinstance(value, Toy):
            here.append(value)
            return value.inner
        if isinstance(value, torch.Tensor):
            if value.ndim:
                elsewhere.append(value)
        elif isinstance(value, (list, tuple)):
            return type(value)(take_out(part) for part in value)
        elif isinstance(value, torch.device) and value.type == NAME:
            return torch.device("cpu")
        return value

    wanted = kwargs.get("device")
    inside = [take_out(value) for value in args]
    options = {key: take_out(value) for key, value in kwargs.items()}
    if here and elsewhere and name not in MIXED:
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{PLACE} and cpu! ({name})"
        )
    if _variant == "mps" and name in NOT_ON_MPS:
        raise NotImplementedError(f"The operator aten::{name} is not implemented for this device.")
    out = operation(*inside, **options)
    if name == "_copy_from":
        return args[1]
    if _writes(operation):
        return args[0] if args else next(iter(kwargs.values()))
    if wanted is not None and torch.device(wanted).type != NAME:
        return out  # to the CPU
    if name == "_to_copy" and wanted is None and not here:
        return out
    return _wrap(out)


def _wrap(out):
    if type(out) is torch.Tensor:
        return Toy(out)
    if isinstance(out, (list, tuple)):
        return type(out)(_wrap(part) for part in out)
    return out


@cache
def _writes(operation) -> bool:
    """Whether the operation changes its first argument and returns it."""
    first = operation._schema.arguments[:1]
    return bool(
        operation._schema.returns
        and first
        and first[0].alias_info is not None
        and first[0].alias_info.is_write
    )


def register(variant: str = "cuda") -> None:
    """Make the device known to torch, once a process."""
    global _variant
    if variant not in ("cuda", "mps"):
        raise ValueError(f'variant is "cuda" or "mps", got {variant!r}.')
    _variant = variant
    if not _library:
        _setup_privateuseone_for_python_backend(NAME)
        _library.append(torch.library.Library("_", "IMPL"))
        _library[0].fallback(compute, "PrivateUse1")
