"""Claims of chapter 12, measured on the committed trained networks."""

from __future__ import annotations

from functools import cache

from torch import Tensor, nn

from inception_edu.data import data_dir, load
from inception_edu.describe import measure
from inception_edu.nets import NetworkModule, features, load_checkpoint
from inception_edu.nets.build import ScaledResidual, build, named_blocks
from inception_edu.teach.claims import registered

CLOTHES, PHOTOGRAPHS = "fashion_inception_resnet_v2", "inception_resnet_v2"
IMAGES = 64


@cache
def _read(name: str) -> tuple[NetworkModule, dict]:
    return load_checkpoint(data_dir() / "checkpoints" / f"{name}.safetensors")


def _trained(name: str) -> NetworkModule:
    return _read(name)[0]


@cache
def _images() -> Tensor:
    clothes = load("fashion")
    return clothes.normalise(clothes.test.images[:IMAGES])


def _residual_blocks(model: nn.Module) -> list[str]:
    return [name for name, part in named_blocks(model) if isinstance(part, ScaledResidual)]


@registered("12.listening")
def listening() -> tuple[bool, tuple[str, str]]:
    """The weights of the 1×1 on the branch with 1×n and n×1, in the blocks B and C."""
    shares = []
    for name in (CLOTHES, PHOTOGRAPHS):
        model = _trained(name)
        heard = [
            features.listening(features.block(model, block)) for block in _residual_blocks(model)
        ]
        shares += [two[1] for two in heard if len(two) == 2]
    louder = sum(share > 0.5 for share in shares)
    return louder == len(shares), (
        "A block B or C has two branches: one is a 1×1 alone, the other has 1×n and n×1. In "
        f"{louder} of {len(shares)} such blocks of two trained networks the linear 1×1 reads the "
        f"second branch more strongly: {min(shares):.0%} to {max(shares):.0%} of its weights, by "
        "their root mean square.",
        f"In {louder} of {len(shares)} blocks (2 networks) the 1×1 reads the 1×n most.",
    )


@registered("12.residual")
def residual() -> tuple[bool, str]:
    """The share of the residual before and after training."""
    model = _trained(CLOTHES)
    trained = features.residual_shares(model, _images())
    fresh = features.residual_shares(build(model.description, seed=0), _images())
    grown = [name for name in trained if trained[name] > fresh[name]]
    holds = len(grown) == len(trained) and max(trained.values()) < 0.5
    return holds, (
        "In the small network of this chapter (one seed) training makes the residual larger in "
        f"{len(grown)} of {len(trained)} blocks. Its share "
        f"of the sum is {min(fresh.values()):.0%} to {max(fresh.values()):.0%} before training and "
        f"{min(trained.values()):.0%} to {max(trained.values()):.0%} after it. The identity stays "
        "the larger part."
    )


@registered("12.field")
def field() -> tuple[bool, str]:
    """Theoretical and effective field before the border of the picture hides the difference."""
    model, block = _trained(CLOTHES), "inception_resnet_a.2"
    could = {row.name: row.receptive_field[0] for row in measure(model.description).rows}[block]
    does = features.field_radius(features.effective_field(model, _images(), block))
    return does < 0.75 * could, (
        f"After the second block of one trained network a value could see {could} pixels a side. "
        "95 % of its gradient "
        f"lies within {does:.0f}."
    )


@registered("12.dead")
def dead() -> tuple[bool, str]:
    """Dead channels in the last block of the tower before and after."""
    clothes, shares, steps = load("fashion"), {}, {}
    for when in ("before", "after"):
        tower, facts = _read(f"dying_{when}")
        steps[when] = facts["recipe"]["steps"]
        masks = features.dead_channels(tower, clothes, clothes.test[:250])
        last = list(masks)[-1]
        shares[when] = masks[last].float().mean().item()
    return shares["after"] > shares["before"] + 0.5, (
        f"In a tower of width {len(masks[last])} at a learning rate of {facts['recipe']['lr']:g}, "
        f"{shares['before']:.0%} of the last block's channels are dead after {steps['before']} "
        f"steps and {shares['after']:.0%} after {steps['after']} (one run; dead means 0 at every "
        "place of 250 test images)."
    )
