"""The training loop on one page. `train` does the same, bit for bit, and tells more on the way."""

from typing import Any

import torch
import torch.nn.functional as F

from inception_edu.learn.recipe import Recipe, learning_rate


def plain_train(model, data, recipe: Recipe) -> list[float]:
    """Train with stochastic gradient descent; returns the loss of every step."""
    device = next(model.parameters()).device
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]  # biases and batch norms do not decay
    decaying: dict[str, Any] = {"params": weights, "weight_decay": recipe.weight_decay}
    optimizer = torch.optim.SGD(
        [decaying, {"params": others}], lr=recipe.lr, momentum=recipe.momentum, fused=True
    )
    order = torch.Generator().manual_seed(recipe.seed)
    batches = data.batches(
        data.train, recipe.batch_size, order, recipe.augment, steps=recipe.steps, device=device
    )

    model.train()
    losses = []
    for step, (images, labels) in enumerate(batches, 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step)
        images = images.contiguous(memory_format=torch.channels_last)
        output = model(images)
        loss = F.cross_entropy(output, labels, label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
