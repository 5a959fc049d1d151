# %% [markdown]
# # Inception modules
#
# Figs. 4, 5 and 6: the three blocks of Inception-v4. We write the first one three times: by hand,
# with three small modules, and as a description. We show that all three compute the same. Then B
# and C take a few lines each.
#
# **After this chapter you can**
#
# 1. read a figure of the paper as code, and code as a figure;
# 2. test whether two implementations compute the same function: copy the weights, compare the
#    outputs;
# 3. say where the released code turns a kernel of the paper's figures, and what that changes.

# %% tags=["hide-input"]
# @title Imports
import torch
from torch import nn

from inception_edu import data
from inception_edu.describe import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Pool,
    differences,
    figure,
    figures,
    measure,
    networks,
)
from inception_edu.study import Cell, difference, experiments
from inception_edu.teach import begin, branches, changes, check, claim, costs, figure_costs
from inception_edu.teach import five_lines
from inception_edu.teach import opening_figure, outcome, plots, predict, refusal, say, shapes, table
from inception_edu.nets import Concat as Join, ConvBNReLU, build
from inception_edu.learn import Recipe, default_device, train

QUICK = experiments.mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("03.same-shape", "03.orientation")

# %%
opening_figure("03")

# %% [markdown]
# ## Inception-A

# %% tags=["picture"]
figure(4)

# %%
predict(
    "03.branch",
    "Each branch gives 96 channels. Which one holds most of the parameters?",
    ["branch 1, the pool", "branch 2, 1×1", "branch 3, one 3×3", "branch 4, two 3×3"],
)

# %% [markdown]
# ### First: by hand
#
# No convolution of the figure has a V, so all have same padding. They have no bias. Batch norm and
# ReLU follow each of them.


# %%
def unit(channels, filters, kernel):
    conv = nn.Conv2d(channels, filters, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU())


class HandA(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), unit(384, 96, 1))
        self.one = unit(384, 96, 1)
        self.three = nn.Sequential(unit(384, 64, 1), unit(64, 96, 3))
        self.deep = nn.Sequential(unit(384, 64, 1), unit(64, 96, 3), unit(96, 96, 3))

    def forward(self, x):
        return torch.cat([self.pool(x), self.one(x), self.three(x), self.deep(x)], dim=1)


# %%
by_hand = HandA().eval()
x = torch.randn(2, 384, 35, 35, generator=torch.Generator().manual_seed(0))
parts = {**dict(by_hand.named_children()), "joined": by_hand}
with torch.inference_mode():
    sizes = {name: (tuple(part(x).shape),) for name, part in parts.items()}
table(sizes, ["branch", "output N×C×H×W"])

# %% [markdown]
# The paper does not state two details, so we take them from the released networks. Padded zeros do
# not count in the average: `count_include_pad=False`, while torch's default is `True`. And batch
# norm's ε is 0.001 in the released networks, while torch's default is 0.00001. With the wrong value
# nothing crashes. The outputs are just different, as we shall measure.
#
# ### Second: three modules
#
# torch already has pools and the linear 1×1. Everything else in Figs. 3 to 19 is one of three
# things: a convolution with batch norm and ReLU, branches that are joined, or a scaled sum. So the
# package has three modules and no more: `ConvBNReLU`, `Concat` (here called `Join`) and
# `ScaledResidual`.

# %%
with_modules = Join(
    nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), ConvBNReLU(384, Conv(96, 1))),
    ConvBNReLU(384, Conv(96, 1)),
    nn.Sequential(ConvBNReLU(384, Conv(64, 1)), ConvBNReLU(64, Conv(96, 3))),
    nn.Sequential(
        ConvBNReLU(384, Conv(64, 1)), ConvBNReLU(64, Conv(96, 3)), ConvBNReLU(96, Conv(96, 3))
    ),
).eval()
with_modules

# %% [markdown]
# The forward of the join is one line: `torch.cat([branch(x) for branch in self.children()],
# dim=1)`. One thing is still repeated by hand: how many channels *enter* each convolution. That
# number follows from the figure.
#
# ### Third: a description
#
# So we write down only what the figure prints. The number of channels that enter is computed.
# `build` makes the modules.

# %%
inception_a = Concat(
    Chain(AvgPool(3), Conv(96, 1)),
    Conv(96, 1),
    Chain(Conv(64, 1), Conv(96, 3)),
    Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3)),
    out=384,
)
described = build(inception_a, in_channels=384).eval()
assert inception_a.branches == figures.InceptionA().branches

# %% [markdown]
# The description is plain data. The figure above was drawn from it. Shapes and costs are computed
# from it, without a run.

# %%
shapes(inception_a, (384, 35, 35))

# %%
branches(inception_a, (384, 35, 35))

# %% tags=["hide-input"]
words = ["branch 1, the pool", "branch 2, 1×1", "branch 3, one 3×3", "branch 4, two 3×3"]
params = [measure(branch, (384, 35, 35)).params for branch in inception_a.branches]
outcome(
    "03.branch",
    words[params.index(max(params))],
    "It has 64·384 + 9·64·96 + 9·96·96 = 162,816 weights, and two numbers of batch norm for each "
    "filter.",
)

# %% [markdown]
# A well-known tool, `torchinfo`, counts in another way: it sends an image through the module and
# notes what passes. Does it find the same numbers?

# %%
from torchinfo import summary

# Without a device named, it moves the module to a GPU where there is one.
info = summary(described, (1, 384, 35, 35), device="cpu", verbose=0)
whole = measure(inception_a, (384, 35, 35))
counted = [(info.total_params, info.total_mult_adds), (whole.params, whole.macs)]
table(dict(zip(("torchinfo", "the description"), counted)), ["by", "parameters", "multiply-adds"])

# %% [markdown]
# ### All three are the same
#
# "The same" means: with the same weights they give the same output. The tensors of all three stand
# in the same order. So we copy them one by one, including the running averages of batch norm.


# %%
def copy_weights(source, target):
    """Every parameter and buffer of `source` into `target`, in order; raises where a shape
    differs."""
    values = source.state_dict().values()
    target.load_state_dict(dict(zip(target.state_dict(), values, strict=True)))
    return target


generator = torch.Generator().manual_seed(1)
for buffer in by_hand.buffers():  # running averages as after some training, not 0 and 1
    if buffer.dtype.is_floating_point:
        buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)

# %%
others = {"three modules": with_modules, "description": described}
with torch.inference_mode():
    wanted = by_hand(x)
    found = {name: copy_weights(by_hand, other)(x) for name, other in others.items()}
rounding = {name: (y - wanted).abs().max().item() for name, y in found.items()}
table(rounding, ["against the module by hand", "largest difference"])

# %%
predict(
    "03.zeros",
    "Now the pool counts the padded zeros. Where does the output of the block change?",
    ["everywhere", "on the border, in 96 channels", "on the border, in all channels"],
)

# %%
slip = copy_weights(by_hand, HandA()).eval()
slip.pool[0].count_include_pad = True
with torch.inference_mode():
    off = (slip(x) - wanted).abs()
places = {
    "on the border, channels 1 to 96": off[:, :96].max().item(),
    "on the border, the other channels": off[:, 96:].max().item(),
    "inside": off[:, :, 1:-1, 1:-1].max().item(),
}
table(places, ["where", "largest difference"], formats={"largest difference": ".2f"})

# %% tags=["hide-input"]
other_eps = copy_weights(by_hand, HandA()).eval()
for module in other_eps.modules():
    if isinstance(module, nn.BatchNorm2d):
        module.eps = nn.BatchNorm2d(1).eps
with torch.inference_mode():
    moved = (other_eps(x) - wanted).abs().max().item()
claim(
    "03.slips",
    moved > 1e-4 and off.max().item() > 1e-2 and off.shape == wanted.shape,
    f"Two slips change no shape, and yet the outputs differ: by up to {off.max():.2f} where padded "
    f"zeros count in the average, and by up to {moved:.0e} with torch's ε in batch norm.",
)

# %% tags=["hide-input"]
border, others, inside = places.values()
which = "all" if others else "96"
outcome(
    "03.zeros",
    "everywhere" if inside else f"on the border, in {which} channels",
    "There the average is divided by 9, although only 6 pixels are real (4 at the corners). "
    "Inside, nothing changes. So a test of the shape does not notice this slip.",
)

# %% [markdown]
# ## Inception-B
#
# The maps are 17×17 here. Neighbourhoods of 7×7 pixels are covered by 1×7 and 7×1:

# %%
figure(5)

# %%
inception_b = Concat(
    Chain(AvgPool(3), Conv(128, 1)),
    Conv(384, 1),
    Chain(Conv(192, 1), Conv(224, (1, 7)), Conv(256, (1, 7))),
    Chain(Conv(192, 1), Conv(192, (1, 7)), Conv(224, (7, 1)), Conv(224, (1, 7)), Conv(256, (7, 1))),
    out=1024,
)
assert inception_b.branches == figures.InceptionB().branches
branches(inception_b, (1024, 17, 17), caption="Inception-B")

# %% [markdown]
# Look at branch 3: it has 1×7 and **again** 1×7. So one output sees a strip, 1 high and 13 wide.
# Watch it grow. Then choose branch 4, which sees 13×13:

# %%
from inception_edu.labs.field import field_lab

field = field_lab("Fig. 5, branch 3 (the paper's print)")

# %% [markdown]
# The released code, which everyone uses, has 1×7 and then 7×1:

# %%
printed, released = figures.InceptionB("paper"), figures.InceptionB("released")
changes(differences(printed, released), "in the paper", "as released")

# %%
third = {"in the paper": printed.branches[2], "as released": released.branches[2]}
costs(third, (1024, 17, 17), caption="Branch 3")

# %% [markdown]
# Shapes, parameters and multiply-adds are equal for both, in branch 4 too. The functions are
# different: the weights of one do not even fit the shapes of the other.

# %%
say("03.orientation")

# %%
refusal(copy_weights, build(printed, 1024), build(released, 1024))

# %% [markdown]
# In branch 4 every kernel is turned. So it is the paper's branch for an image that lies on its
# side: if we turn the image and every kernel, the outputs agree. For branch 3 this does not work,
# because only one of its two kernels is turned.


# %%
def turned(paper, released, x):
    """How far `released`, with the turned weights of `paper`, is from it on the turned image."""
    source, target = build(paper, x.shape[1], seed=0).eval(), build(released, x.shape[1]).eval()
    weights = [v.transpose(2, 3) if v.dim() == 4 else v for v in source.state_dict().values()]
    try:
        target.load_state_dict(dict(zip(target.state_dict(), weights)))
    except RuntimeError:
        return "the weights do not fit"
    with torch.inference_mode():
        return f"{(target(x.transpose(2, 3)).transpose(2, 3) - source(x)).abs().max():.1g}"


y = torch.randn(1, 1024, 17, 17, generator=torch.Generator().manual_seed(0))
table(
    {f"branch {n}": turned(printed.branches[n - 1], released.branches[n - 1], y) for n in (3, 4)},
    ["turned", "largest difference"],
)

# %% [markdown]
# To load the released *weights* you need the released order.
#
# ## Inception-C
#
# On 8×8 maps the branches split once more: 1×3 and 3×1 stand side by side on the same 384 (or 512)
# channels.

# %%
figure(6)

# %%
inception_c = Concat(
    Chain(AvgPool(3), Conv(256, 1)),
    Conv(256, 1),
    Chain(Conv(384, 1), Concat(Conv(256, (1, 3)), Conv(256, (3, 1)))),
    Chain(
        Conv(384, 1),
        Conv(448, (1, 3)),
        Conv(512, (3, 1)),
        Concat(Conv(256, (3, 1)), Conv(256, (1, 3))),
    ),
    out=1536,
)
assert inception_c.branches == figures.InceptionC().branches
branches(inception_c, (1536, 8, 8), caption="Inception-C")

# %% [markdown]
# Six times 256 is 1536, so as many channels leave as enter. This holds for all three blocks. So
# each can be repeated: 4, 7 and 3 times in Inception-v4. One block of each kind costs:

# %%
figure_costs(4, 5, 6)

# %% [markdown]
# ## Lab: take the block apart
#
# **Your task.** Make branch 3 see 7×7, as in the released code. The lab says when you are there,
# and what to notice. Then turn other kernels, drop a branch, or add one. The diagram, the fields
# and the costs follow each change. *Run it* sends an image through the built block.

# %%
from inception_edu.labs.designer import block_designer

lab = block_designer("InceptionB", goal="branch 3 sees 7×7")

# %% [markdown]
# ## Experiment: does the orientation matter?
#
# Two small networks have the same blocks. One has the paper's kernels, the other the released ones.
# All else is equal. In pictures of clothes, neighbours across and neighbours down do not differ
# equally (the folded cell measures it). So if the orientation matters, it should matter here.


# %%
def small(orientation):
    """Inception-v4's blocks, one of each stage, with a sixteenth of the filters, for 32×32
    pictures."""
    return networks.mini(networks.inception_v4(orientation), width=1 / 16, repeats=(1, 1, 1))


SEEDS, STEPS = (range(2), 4) if QUICK else (range(5), 40)
clothes = data.load("fashion", limit=(5000, 200 if QUICK else 1000))

# %% tags=["hide-input"]
pixels = clothes.train.images.float()
across, down = (pixels.diff(dim=d).abs().mean().item() for d in (3, 2))
say(
    f"{clothes.describe()}. Neighbours differ by {across:.1f} grey levels across and by {down:.1f} "
    "down."
)

# %%
accuracy = {"paper": [], "released": []}
for seed in SEEDS:
    for orientation in accuracy:
        recipe = Recipe(steps=STEPS, batch_size=32, lr=0.05, schedule="one-cycle", seed=seed)
        model = build(small(orientation), seed=seed).to(default_device())
        accuracy[orientation].append(train(model, clothes, recipe).test_accuracy)

# %% tags=["hide-input"]
axis = plots.dots(accuracy, xlabel="% of test images right", percent=True)
plots.show(
    axis.figure,
    f"Test accuracy of {len(SEEDS)} seeds after {STEPS} steps: "
    + ", ".join(f"{name} {sum(v) / len(v):.1%}" for name, v in accuracy.items()),
)

# %% tags=["hide-input"]
gap = difference(*(Cell(name, tuple(values)) for name, values in accuracy.items()))
say(
    f"**Verdict.** Paper minus released after {STEPS} steps, {len(SEEDS)} seeds: {gap.text()}, "
    f"{gap.word()}. With other seeds or another rounding the word may change."
)

# %% [markdown]
# One interval of one short training is not a verdict on the paper (`docs/verdicts.md` says what is
# one). A small network cannot settle the question for ImageNet.
#
# ## Exercises


# %%
# exercise: Two kernels on one map | ●●○ | 8 min
# task: Write the third branch of Fig. 6 as a plain module: 1×1 with 384 filters, then 1×3 and 3×1
#   with 256 filters each **on the same 384 channels**, concatenated: N×1536×8×8 → N×512×8×8. Run
#   the 1×1 once and give its result to both. `thin(channels, filters, kernel)` makes convolution,
#   batch norm and ReLU for any (height, width).
# hint: Call the 1×1 once and keep its result.
# hint: `y = self.reduce(x)`, then `torch.cat([…, …], dim=1)`.
def thin(channels, filters, kernel):
    conv = nn.Conv2d(
        channels, filters, kernel, padding=(kernel[0] // 2, kernel[1] // 2), bias=False
    )
    return nn.Sequential(conv, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU())


class Fan(nn.Module):
    def __init__(self):
        super().__init__()
        self.reduce = thin(1536, 384, (1, 1))
        # begin solution
        self.wide = thin(384, 256, (1, 3))
        self.high = thin(384, 256, (3, 1))
        # end solution

    def forward(self, x):
        # begin solution
        y = self.reduce(x)
        return torch.cat([self.wide(y), self.high(y)], dim=1)
        # end solution
        # stub: return ...


# check:
check("03.1", Fan)


# %%
# exercise: Four slips | ●●○ | 8 min
# task: This Inception-A runs, and gives N×384×35×35, and yet is not Fig. 4. Run the check and mend
#   `__init__` until the check agrees.
# hint: The check names the branch, the step and what should be there; mend one thing at a time.
# explain: A 5×5 in place of two 3×3, a pool that counts the padding, and filters that add up all
#   the same: nothing of that shows in the output's shape.
class Slips(HandA):
    def __init__(self):
        super().__init__()
        # begin solution
        self.pool[0] = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.one = unit(384, 96, 1)
        self.three = nn.Sequential(unit(384, 64, 1), unit(64, 96, 3))
        self.deep = nn.Sequential(unit(384, 64, 1), unit(64, 96, 3), unit(96, 96, 3))
        # end solution
        # stub: self.pool[0] = nn.AvgPool2d(3, 1, 1)
        # stub: self.one = unit(384, 64, 1)
        # stub: self.three = nn.Sequential(unit(384, 64, 1), unit(64, 128, 3))
        # stub: self.deep = nn.Sequential(unit(384, 64, 1), unit(64, 96, 5))


# check:
check("03.2", Slips)

# %%
# exercise: Turn a description | ●●● | 10 min
# task: Write `turn(node)`: the same description for images lying on their side, with every kernel
#   (h, w) as (w, h). It must work on a `Conv`, a `Pool`, a `Chain` and a `Concat`, however deep.
# hint: `dataclasses.replace(conv, kernel=…)` makes a changed copy of a frozen dataclass.
# hint: `Chain(*[turn(part) for part in node.parts])`.
from dataclasses import replace


def turn(node):
    # begin solution
    if isinstance(node, (Conv, Pool)):
        return replace(node, kernel=node.kernel[::-1])
    if isinstance(node, Chain):
        return Chain(*[turn(part) for part in node.parts])
    return Concat(*[turn(branch) for branch in node.branches])
    # end solution
    # stub: return ...


# check:
check("03.3", turn)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "03.same-shape",
    "A block by hand, from 3 modules, or from a description is one function: with copied weights "
    f"the outputs differ by at most {max(rounding.values()):g}.",
    "The description holds only what the figure prints. Channels that enter, costs and the picture "
    "follow from it.",
    f"Two slips change no shape: padded zeros that count (outputs move by up to {off.max():.2f}) "
    f"and another ε in batch norm ({moved:.0e}).",
    "03.orientation",
)

# %% [markdown]
# **What would change our mind.** A statement by the authors that Fig. 5 is meant as printed. So
# far two things speak for a misprint: the released code, and the other branches, in which each 1×n
# has its n×1.
#
# **Next.** Chapter 04: how 35×35 becomes 17×17.
