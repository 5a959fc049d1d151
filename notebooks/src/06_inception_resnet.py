# %% [markdown]
# # Inception-ResNet
#
# Figs. 10 to 19 show Inception blocks that cost less, on a trunk that carries the identity. A
# linear 1×1 makes the addition possible. After the addition there is no batch norm. The arithmetic
# of the channels finds two misprints.
#
# **After this chapter you can**
#
# 1. write any Inception-ResNet block, and say why its last 1×1 has no ReLU;
# 2. state what a batch norm after the sum would cost in memory, measured on the full network;
# 3. follow the channels through both networks and find the two numbers that cannot be meant.

# %% tags=["hide-input"]
# @title Imports
from dataclasses import replace

import torch
from IPython.display import display
from torch import nn

from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    FIGURES,
    Linear,
    Residual,
    changed,
    draw,
    figure,
    figures,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_v3,
    inception_v4,
    measure,
    out_shape,
)
from inception_edu.labs.designer import block_designer
from inception_edu.nets import build
from inception_edu.study import experiments
from inception_edu.teach import begin, branches, check, figure_costs, five_lines, opening_figure
from inception_edu.teach import outcome, plots, predict, refusal, say, stages, table, totals

QUICK = experiments.mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("06.cheaper", "06.misprints", "06.norm")

# %%
opening_figure("06")

# %% [markdown]
# ## Residual connections
#
# Fig. 1 is ResNet's idea: what two convolutions compute is *added* to their input. Fig. 2 puts a
# 1×1 convolution before and after, which saves arithmetic. An addition needs equal shapes on both
# sides.

# %% tags=["picture"]
display(figure(1), figure(2))
print(FIGURES[2].node)

# %%
predict(
    "06.expansion",
    "The trunk carries 256 channels. Three narrow branches give 32 + 32 + 32 = 96. How can the two "
    "be added?",
    ["a 1×1 that gives 256 channels", "160 channels of zeros", "a sum over 96 channels only"],
)

# %% [markdown]
# ## Fig. 10, Inception-ResNet-A

# %%
figure(10)

# %% tags=["hide-input"]
outcome(
    "06.expansion",
    "a 1×1 that gives 256 channels",
    "The paper calls it *filter expansion*: the branches reduce the number of channels, and the "
    "1×1 makes up for it (Section 3.2). It has neither batch norm nor ReLU.",
)

# %%
inception_resnet_a = Residual(
    Chain(
        Concat(
            Conv(32, 1),
            Chain(Conv(32, 1), Conv(32, 3)),
            Chain(Conv(32, 1), Conv(32, 3), Conv(32, 3)),
        ),
        Linear(256),
    ),
)

# %% [markdown]
# `Residual` is one line of torch: `relu(x + scale * body(x))`, with scale 1 as the figure draws it.
# Here is the shape after each branch and each later step. Compare it with the picture:


# %%
assert inception_resnet_a.body.parts == figures.InceptionResNetA_v1().body.parts
branches(inception_resnet_a, (256, 35, 35), caption="Fig. 10, 256×35×35 enter")

# %% [markdown]
# Compare this block with Inception-A (Fig. 4). It has no pooling branch and far fewer filters,
# because the identity carries the input on. So one block costs far less:

# %%
figure_costs(4, 10, 16)

# %%
say("06.cheaper")

# %% [markdown]
# ## Why linear?
#
# With a ReLU on the 1×1, a branch could only add. Without it, a branch can also subtract.

# %%
predict(
    "06.relu",
    "Ten untrained blocks in a row. How does the mean activation grow with a ReLU on the 1×1, "
    "compared with none there?",
    ["the same growth", "faster growth", "less growth"],
)


# %%
def trunk_means(relu, seed, depth=10):
    """Mean activation at the input and behind each of `depth` fresh blocks of Fig. 10; the 1×1 with
    or without ReLU."""
    block = figures.InceptionResNetA_v1()
    body = Chain(block.body.parts[0], Conv(256, 1, norm=False, relu=relu))
    model = build(Chain(*[Residual(body)] * depth), in_channels=256, seed=seed)
    x = torch.rand(4, 256, 12, 12, generator=torch.Generator().manual_seed(seed))
    means = [x.mean().item()]
    with torch.no_grad():
        for module in model:
            x = module(x)
            means.append(x.mean().item())
    return means


found = {
    relu: torch.tensor([trunk_means(relu, seed) for seed in range(5)]) for relu in (False, True)
}


# %% tags=["hide-input"]
axis = plots.figure(7, 2.8).add_subplot()
for relu, means in found.items():
    axis.plot(
        range(11),
        means.mean(0),
        "s--" if relu else "o-",
        label="ReLU on the 1×1" if relu else "linear 1×1",
    )
axis.set(xlabel="block (0: what enters)", ylabel="mean activation", ylim=(0, None))
axis.legend()
plots.show(
    axis.figure,
    "Mean activation behind ten residual blocks, five seeds averaged: it grows in both, and faster "
    f"with a ReLU on the 1×1, to {found[True][:, -1].mean():.2f} against "
    f"{found[False][:, -1].mean():.2f}.",
)

# %% tags=["hide-input"]
start = found[True][:, 0].mean().item()
linear, relu = (found[kind][:, -1] for kind in (False, True))
apart = relu.min() > linear.max()
outcome(
    "06.relu",
    "faster growth" if apart else "the same growth",
    f"From {start:.2f} the mean goes to {relu.mean():.2f} with the ReLU ({relu.min():.2f} to "
    f"{relu.max():.2f}, {len(relu)} seeds), and to {linear.mean():.2f} without it "
    f"({linear.min():.2f} to {linear.max():.2f}).",
)

# %% [markdown]
# With a ReLU the trunk can only grow, because no block can subtract anything, before or after
# training. With the linear 1×1 a branch can make a channel smaller. The ReLU *after* the sum then
# cuts at zero, so on average more is added than is taken away.
#
# How much of the branch's output is negative, and what does the 1×1 cost?

# %%
body = build(figures.InceptionResNetA_v1().body, in_channels=256, seed=0)
with torch.no_grad():
    out = body(torch.rand(4, 256, 12, 12, generator=torch.Generator().manual_seed(0)))
say(f"{(out < 0).float().mean():.0%} of what the linear 1×1 adds is negative.")

# %%
share = {}
for number in (10, 11, 13, 16, 17, 19):
    f = FIGURES[number]
    inside, last = f.node.body.parts
    cost = measure(last, out_shape(inside, f.input)).params
    share[f"Fig. {number}"] = (cost, cost / measure(f.node, f.input).params)
columns = ["block", "parameters of its 1×1", "share of the block"]
table(share, columns, formats={columns[2]: ".0%"})

# %% [markdown]
# ## The other blocks
#
# Inception-ResNet-v1 starts with the stem of Fig. 14, which chapter 02 draws. Its A block is Fig.
# 10 above. Its B and C blocks are Figs. 11 and 13.

# %%
display(figure(11))
branches(figures.InceptionResNetB_v1(), (896, 17, 17))

# %%
display(figure(13))
branches(figures.InceptionResNetC_v1(), (1792, 8, 8))

# %% [markdown]
# Inception-ResNet-v2 has v4's stem (Fig. 3) and wider blocks: Figs. 16, 17 and 19. In the pictures
# of 17 and 19, look at the last 1×1 and at the note below.

# %%
display(figure(16))
branches(figures.InceptionResNetA_v2(), (384, 35, 35))

# %%
display(figure(17))
branches(figures.InceptionResNetB_v2(), (1152, 17, 17))

# %%
display(figure(19))
branches(figures.InceptionResNetC_v2(), (2144, 8, 8))

# %% [markdown]
# ## The arithmetic that finds the misprints
#
# Both networks share one overview, Fig. 15. Its sizes are those of v1. The sizes of v2 are not
# printed anywhere.

# %%
figure(15)

# %% [markdown]
# So we compute from v2's own figures how wide it is. A reduction *joins*, so widths add up. A
# residual block *adds*, so the width stays:

# %%
stem = out_shape(figures.StemV4(), (3, 299, 299))
after_a = out_shape(figures.ReductionA(**figures.TABLE_1["inception_resnet_v2"]), stem)
after_b = out_shape(figures.ReductionB_v2(), after_a)
say("06.widths")

# %%
refusal(measure, inception_resnet_v2(printed=True))

# %% [markdown]
# The first error hid a second one. If we repair Fig. 17 alone, the error of Fig. 19 appears:

# %%
printed = inception_resnet_v2(printed=True)
repaired = replace(
    printed,
    blocks=tuple(
        inception_resnet_v2()[b.name] if b.name == "inception_resnet_b" else b
        for b in printed.blocks
    ),
)
refusal(measure, repaired)

# %%
draw(
    figures.InceptionResNetC_v2(printed=True), (2144, 8, 8), wrong=True, title="Fig. 19 as printed"
)

# %% [markdown]
# Could the print be meant as it stands? Then the shortcut must change the width too, with a
# convolution of its own. Some implementations read it so. But Figs. 17 and 19 draw no convolution
# on the shortcut. And only the first block of a stage would need one: the second B block receives
# 1154 channels already.

# %%
predict(
    "06.projection",
    "In this reading the first C block has a 1×1 convolution on its shortcut, from 2146 channels "
    "to 2048. How many times the parameters of the block as drawn does it have?",
    ["1.1 times", "2 times", "3 times"],
)

# %% [markdown]
# This reading would cost:


# %%
def projected(block, width):
    """The block with its printed number, and a 1×1 on the shortcut so that the widths agree."""
    return replace(block, shortcut=Linear(width))


B, C = figures.InceptionResNetB_v2, figures.InceptionResNetC_v2
after_1154 = out_shape(figures.ReductionB_v2(), (1154, *after_a[1:]))
b = measure(projected(B(printed=True), 1154), after_a).params
c = measure(projected(C(printed=True), 2048), after_1154).params
as_drawn = [measure(B(), after_a).params, measure(C(), after_b).params]
table(
    {"B": (as_drawn[0], b), "C": (as_drawn[1], c)},
    ["block", "parameters with the identity", "with a projection"],
)

# %% tags=["hide-input"]
times = c / as_drawn[1]
outcome(
    "06.projection",
    f"{times:.0f} times",
    f"Exactly {times:.2f}. The shortcut alone has 2146 · 2048 = {2146 * 2048:,} weights, the whole "
    f"block {as_drawn[1]:,}.",
)

# %% [markdown]
# With 1152 and 2144 the two sides of every sum agree, and the shortcut stays the identity that the
# paper argues for. The released code computes the width of the linear layer from the trunk, so this
# error cannot occur there. We use 1152 and 2144.
#
# ## Both networks

# %%
stages(inception_resnet_v1(), inception_resnet_v2())

# %% [markdown]
# Section 3.2 names counterparts: v1 should cost about as much as Inception-v3, and v2 about as much
# as Inception-v4. We count:

# %%
totals(inception_resnet_v1(), inception_v3(), inception_resnet_v2(), inception_v4())

# %%
say("06.cost")

# %% [markdown]
# Chapter 07 comes back to this.
#
# ## Scaling
#
# Fig. 20 multiplies the last linear activations by a constant before the sum. Chapter 08 is about
# that constant.

# %%
figure(20)

# %% [markdown]
# ## Lab: change a block
#
# **Your task.** Give Fig. 17 its printed 1154 filters and see which addition fails. Then find a
# block of the same cost with a larger receptive field.

# %%
lab = block_designer("InceptionResNetB_v2")

# %% [markdown]
# ## Experiment: no batch norm after the sum
#
# The paper normalises inside the branches but "not on top of the summations". Its reason is memory:
# a replica had to fit on one GPU. How much memory would these norms need? The change is an edit of
# the description: each block becomes `relu(norm(x + scale * body(x)))`.

# %%
as_described = inception_resnet_v2()
with_norms = changed(as_described, "norm after every sum")

# %% [markdown]
# torch can tell what is kept for the backward pass, because a hook sees every such tensor (the
# folded cell).


# %% tags=["hide-input"]
def kept_bytes(model, images):
    """Bytes of activations that one training step keeps for its backward pass; parameters do not
    count."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model.train()(images).sum()
    return sum(kept.values())


# %%
side = 107 if QUICK else 299
images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
plain, normed = (
    kept_bytes(build(network, seed=0), images) / len(images)
    for network in (as_described, with_norms)
)
say(
    f"At {side}×{side} pixels Inception-ResNet-v2 keeps {plain / 1e6:.1f} MB for an image as "
    f"described and {normed / 1e6:.1f} MB with a norm after each sum, {normed / plain - 1:+.1%}."
)

# %% [markdown]
# We check this number by counting. Each extra norm keeps its input, which is one map as wide as the
# trunk for each block:

# %%
rows = measure(as_described, side).rows
extra = sum(
    4 * c * h * w for c, h, w in (row.output for row in rows if isinstance(row.node, Residual))
)
say(
    f"{extra / 1e6:.1f} MB are expected and {(normed - plain) / 1e6:.1f} MB are measured. "
    f"**Verdict.** A batch of 32 images of {side}×{side} would need "
    f"{32 * (normed - plain) / 1e9:.2f} GB more, beside {32 * plain / 1e9:.1f} GB of activations."
)

# %% [markdown]
# Whether this decides that a replica fits depends on the GPU and on the batch, which the paper does
# not state. Would such a norm keep wide networks alive? Chapter 09 tries it.
#
# ## Exercises


# %%
# exercise: The residual line | ●○○ | 3 min
# task: Write `residual(x, body, scale)`: the block of Fig. 20 for a tensor `x` and a function
#   `body`. (With scale 1 it is the block of Figs. 10, 11, 13, 16, 17 and 19.)
# hint: Only what `body` gives is scaled.
# hint: The ReLU comes after the addition.
def residual(x, body, scale):
    # begin solution
    return torch.relu(x + scale * body(x))
    # end solution
    # stub: return ...


# check:
check("06.1", residual)

# %%
# exercise: Write Fig. 16 | ●●○ | 5 min
# task: Describe Inception-ResNet-A of v2 for a trunk of 384 channels, scale 1. The picture stands
#   above.
# hint: `Residual(Chain(Concat(…), Linear(…)))`.
# hint: The third branch grows: 32, 48, 64.
# begin solution
fig_16 = Residual(
    Chain(
        Concat(
            Conv(32, 1),
            Chain(Conv(32, 1), Conv(32, 3)),
            Chain(Conv(32, 1), Conv(48, 3), Conv(64, 3)),
        ),
        Linear(384),
    )
)
# end solution
# stub: fig_16 = ...
# check:
check("06.2", fig_16)

# %%
# exercise: Repair Fig. 19 for the released network | ●○○ | 4 min
# task: The released Inception-ResNet-v2 has a narrower trunk: 320 channels in stage A. Its
#   reductions are the same as in the paper. How wide is its stage C? Set `width_c`.
# hint: Reduction-A adds n + m = 384 + 384, Reduction-B adds 384 + 288 + 320.
# explain: 320 + 768 = 1088 in stage B, 1088 + 992 = 2080 in stage C. Chapter 07 compares the two
#   networks.
# begin solution
width_c = 320 + 384 + 384 + 384 + 288 + 320
# end solution
# stub: width_c = ...
# check:
check("06.3", width_c)


# %%
# exercise: A block by hand | ●●○ | 8 min
# task: Finish the plain module for Fig. 11 (v1's B block): N×896×17×17 → the same. `unit` pads so
#   that the map keeps its size.
# hint: The 1×7 has kernel `(1, 7)`.
# hint: The expansion is `nn.Conv2d(256, 896, 1)`, with its bias.
def unit(channels, filters, kernel):
    padding = tuple(k // 2 for k in kernel)
    conv = nn.Conv2d(channels, filters, kernel, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU())


class Block17(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = unit(896, 128, (1, 1))
        # begin solution
        self.right = nn.Sequential(
            unit(896, 128, (1, 1)), unit(128, 128, (1, 7)), unit(128, 128, (7, 1))
        )
        self.expand = nn.Conv2d(256, 896, 1)
        # end solution

    def forward(self, x):
        # begin solution
        return torch.relu(x + self.expand(torch.cat([self.left(x), self.right(x)], dim=1)))
        # end solution
        # stub: return ...


# check:
check("06.4", Block17)

# %%
# exercise: What a norm keeps | ●●○ | 4 min
# task: One batch norm after the sum of one v2 A block (35×35×384) keeps its input for the backward
#   pass, in 32-bit floats. Set `kept` to its bytes for one image.
# hint: Channels times height times width times four.
# begin solution
kept = 384 * 35 * 35 * 4
# end solution
# stub: kept = ...
# check:
check("06.5", kept)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "A residual block is `relu(x + linear_1x1(concat(branches(x))))`. Its 1×1 is linear, so that a "
    "branch can subtract.",
    "06.cheaper",
    "06.norm",
    "06.widths",
    "06.misprints",
)

# %% [markdown]
# **What would change our mind.** An erratum by the authors, or a checkpoint with 1154 filters.
#
# **Next:** chapter 07 compares the paper's network with the one that everybody runs.
