"""One training step, and how a GPU is spared its overhead.

A step of a small network is a thousand small kernels. A GPU computes each in a few microseconds;
that Python starts each of them takes longer. So on CUDA the whole step is *captured* once, after a
few ordinary ones, as a CUDA graph, and then replayed with new images: the same kernels, started
together. Steps that are recorded stay ordinary ones, for the probes' hooks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakSet

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_edu.learn.dropout import Masks, own_dropout
from inception_edu.learn.evaluate import fast_layout
from inception_edu.learn.machine import device_of
from inception_edu.learn.optimisers import gradient_norm
from inception_edu.learn.recipe import Recipe
from inception_edu.nets.modules import NetworkModule

ORDINARY = 3  # steps before the capture: they make the optimizer's buffers and choose the kernels
_capturing = threading.Lock()
_running: WeakSet[Steps] = WeakSet()  # the runs of this process that use CUDA


class Steps:
    """Takes the steps of one run: forward, backward, optimizer.

    output, loss, norm = steps(images, labels, look=True)

    Auxiliary heads are answered for too, with the weights of the description; `loss` is that of the
    main output alone, so that networks with and without heads can be compared.

    `look`: an ordinary step, whose hooks are called and whose gradients' length is returned as
    `norm`, a scalar; without it `norm` means nothing. `captured` is None while no step is replayed.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        optimizer: torch.optim.Optimizer,
        drops: torch.Generator,
        cast: Callable,
    ):
        self.model, self.recipe, self.optimizer, self.cast = model, recipe, optimizer, cast
        self.masks = Masks(drops)
        heads = model.description.heads if isinstance(model, NetworkModule) else ()
        self.weights = [head.weight for head in heads]
        self.place = device_of(model)
        self.captured: _Captured | None = None
        self.refused: RuntimeError | None = None
        self.ordinary = 0
        self.thread = threading.get_ident()
        # Delayed gradients wait in a list of Python's, which a replay would not see.
        plain = recipe.replicas == 1
        self.capture = self.place.type == "cuda" and plain and can_be_captured(model)
        if self.place.type == "cuda":
            _running.add(self)
        if self.capture:
            self.stream = torch.cuda.Stream(self.place)
            # The replayed step reads the rate from the device, where `set_rate` writes it.
            for group in optimizer.param_groups:
                group["lr"] = torch.tensor(float(group["lr"]), device=self.place)

    def __call__(self, images: Tensor, labels: Tensor, look: bool) -> tuple[Tensor, Tensor, Tensor]:
        if not self.capture:
            return self._step(images, labels, look)
        with self._own_stream():
            if look or self.ordinary < ORDINARY or not self._ready(images, labels):
                self.ordinary += 1
                return self._step(images, labels, look)
            assert self.captured is not None
            return self.captured.replay(images, labels)

    def _ready(self, images: Tensor, labels: Tensor) -> bool:
        """Whether steps can be replayed: captures one, the first time, unless another thread of
        this process trains too, which would spoil the capture."""
        if self.captured is None and self.refused is None and self._alone():
            try:
                with _capturing:
                    self.captured = _Captured(self, images, labels)
            except RuntimeError as error:
                # Something in this process waited for the GPU meanwhile.
                self.refused = error
                self.masks.release()
        return self.captured is not None

    def _alone(self) -> bool:
        return all(other.thread == self.thread for other in list(_running))

    def _step(self, images, labels, look):
        """The step itself, in the order of every textbook."""
        with self.cast(), own_dropout(self.model, self.masks):
            answer = self.model(fast_layout(images))
            output, asides = answer if isinstance(answer, tuple) else (answer, [])
            loss = self._loss(output, labels)
            whole = loss
            for weight, aside in zip(self.weights, asides, strict=True):
                whole = whole + weight * self._loss(aside, labels)
        self.optimizer.zero_grad()
        whole.backward()
        norm = loss.detach()
        if look or self.recipe.clip:
            norm = gradient_norm(self.model, self.recipe.clip)
        self.optimizer.step()
        return output, loss, norm

    def _loss(self, output: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(output.float(), labels, label_smoothing=self.recipe.label_smoothing)

    @contextmanager
    def _own_stream(self) -> Iterator[None]:
        """Ordinary and captured steps are in one stream, as autograd wants it."""
        outside = torch.cuda.current_stream(self.place)
        self.stream.wait_stream(outside)
        with torch.cuda.stream(self.stream):
            yield
        outside.wait_stream(self.stream)


class _Captured:
    """A step as a CUDA graph: images and labels are copied into the place where it reads them."""

    def __init__(self, steps: Steps, images: Tensor, labels: Tensor):
        self.masks = steps.masks
        self.images, self.labels = images.clone(), labels.clone()
        self.masks.hold()
        self.graph = torch.cuda.CUDAGraph()
        # Another run may be under way in another thread of this process.
        with torch.cuda.graph(self.graph, stream=steps.stream, capture_error_mode="thread_local"):
            self.output, self.loss, self.norm = steps._step(self.images, self.labels, False)
        self.masks.release()

    def replay(self, images: Tensor, labels: Tensor):
        self.images.copy_(images)
        self.labels.copy_(labels)
        self.masks.refresh()
        self.graph.replay()
        return self.output, self.loss, self.norm


def can_be_captured(model: nn.Module) -> bool:
    """Whether a step of this network does the same each time, so that a recording of it will do.

    A module that is neither torch's nor this package's may draw random numbers, count or print in
    Python, and so may a hook; a replay would leave that out. INCEPTION_EDU_GRAPHS=0 says no for
    every network.
    """
    if os.environ.get("INCEPTION_EDU_GRAPHS", "1") == "0":
        return False
    for module in model.modules():
        home = type(module).__module__
        if not home.startswith(("torch.nn.", "inception_edu.nets.")):
            return False
        if module._forward_hooks or module._forward_pre_hooks or module._backward_hooks:
            return False
    return True
