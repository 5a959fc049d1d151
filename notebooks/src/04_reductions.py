# %% [markdown]
# # Reductions
#
# Between two stages the grid is halved and the width grows: Figs. 7, 8, 12 and 18 do it with a pool
# and strided convolutions side by side, so that nothing has to pass through a bottleneck.
#
# | | laptop, two cores |
# |---|---|
# | reading and computing | 35 min |
# | of which you wait | 1 min |
#
# **After this chapter you can**
#
# 1. halve a grid in four ways, and say what each costs in multiply-adds, in parameters and in
#    milliseconds;
# 2. read k, l, m, n off Table 1 and predict what leaves Reduction-A in each of the three networks;
# 3. write every reduction of the paper, and see from its channels to which network it belongs.

# %%
import statistics

import torch
from IPython.display import display
from torch import nn

from inception_edu import data
from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    FIGURES,
    MaxPool,
    amount,
    figure,
    figures,
    measure,
    networks,
    out_shape,
    size_words,
)
from inception_edu.study import Cell, difference, experiments
from inception_edu.teach import check, plots
from inception_edu.nets import build
from inception_edu.learn import Recipe, clock, default_device, train

QUICK = experiments.mode() == "quick"
print("mode:", experiments.mode(), "  threads:", torch.get_num_threads())

# %% [markdown]
# ## The task
#
# Four Inception-A blocks deliver 35×35×384. Inception-B wants 17×17×1024. Two ways come to mind:
# *pool, then widen* with a 3×3 convolution, or *widen, then pool*.
#
# **Predict.** The convolution is the same. How many times as many multiply-adds does it cost to
# widen first: 2, 4 or 8?
#
# <details><summary>Answer</summary>
#
# About 4. A convolution costs the same at every position, and there are $35^2/17^2 \approx 4.2$
# times as many before the pooling.
#
# </details>

# %%
ENTERS = (384, 35, 35)
pool_first = Chain(MaxPool(3, 2, "valid"), Conv(1024, 3))
widen_first = Chain(Conv(1024, 3), MaxPool(3, 2, "valid"))
ratio = measure(widen_first, ENTERS).macs / measure(pool_first, ENTERS).macs
print(
    f"both give {size_words(out_shape(pool_first, ENTERS))}; widening first costs {ratio:.2f} "
    "times as much"
)

# %% [markdown]
# Then why not pool first? Because everything that the network knows about the image must pass
# through the small pooled map. The next cell counts the numbers at the narrowest place of the way:


# %%
def narrowest(node, shape):
    """The fewest numbers that carry the image at any place between input and output."""
    if isinstance(node, Concat):
        return sum(narrowest(branch, shape) for branch in node.branches)
    if not isinstance(node, Chain):
        c, h, w = out_shape(node, shape)
        return c * h * w
    found = []
    for part in node.parts:
        found.append(narrowest(part, shape))
        shape = out_shape(part, shape)
    return min(found)


for name, node in {"pool first": pool_first, "widen first": widen_first}.items():
    print(
        f"{name:12} {narrowest(node, ENTERS):>8,} numbers at the narrowest place, of "
        f"{384 * 35 * 35:,} that enter"
    )

# %% [markdown]
# The v3 paper (arXiv 1512.00567, Section 5) calls this a *representational bottleneck*. It proposes
# a third way: pool and convolve **in parallel**, both with stride 2, and join the results.
# Reduction-A of this paper does that:

# %%
figure(7)

# %% [markdown]
# In code, with the four numbers that Table 1 gives for each network:


# %%
def reduction_a(k, l, m, n):
    return Concat(
        MaxPool(3, 2, "valid"),
        Conv(n, 3, 2, "valid"),
        Chain(Conv(k, 1), Conv(l, 3), Conv(m, 3, 2, "valid")),
    )


# %% [markdown]
# There is a fourth way: one strided convolution and nothing else. All four ways end in the same
# shape.

# %%
WAYS = {
    "pool, then widen": pool_first,
    "widen, then pool": widen_first,
    "one strided 3×3": Conv(1024, 3, 2, "valid"),
    "parallel (Fig. 7)": reduction_a(k=192, l=224, m=256, n=384),
}
for name, node in WAYS.items():
    m = measure(node, ENTERS)
    print(
        f"{name:18} {size_words(m.output)}  narrowest {narrowest(node, ENTERS):>8,}  "
        f"{m.params:>10,} parameters  {m.macs / 1e6:>7,.0f} million multiply-adds"
    )

# %% [markdown]
# Fig. 7 costs no less arithmetic than pooling first, or than one strided convolution. Against the
# first it has no bottleneck; against both it needs two thirds of the parameters, has two kernel
# sizes (one branch sees 5×5 through two 3×3), and passes 384 channels on for free.
#
# ## Does the arithmetic tell the time?
#
# **Predict.** Order the four ways by measured time before you run the cell. (Processor time of one
# core: what other programs do at the same moment does not count.)

# %%
x = torch.randn(4, *ENTERS, generator=torch.Generator().manual_seed(0))
built = {name: build(node, in_channels=384, seed=0).eval() for name, node in WAYS.items()}
timings = clock(built, x, rounds=3 if QUICK else 9, one_core=True)  # in turns
times = {name: 1000 * timing.median / len(x) for name, timing in timings.items()}

# %% tags=["hide-input"]
for name, node in WAYS.items():
    macs = measure(node, ENTERS).macs
    print(
        f"{name:18} {times[name]:6.1f} ms  {macs / 1e6:>7,.0f} million multiply-adds  "
        f"{macs / times[name] / 1e6:5.0f} billion a second"
    )

# %% [markdown]
# The last column differs between the four ways. So multiply-adds tell which way is far too slow,
# but not more. A further branch, a small map or a pool costs time that no multiply-add counts.
# Where two ways are close, measure them on your own machine.
#
# ## k, l, m, n
#
# Table 1 of the paper, and what it leads to. Only n, m and the pooled channels are joined. k and l
# are widths inside a branch.

# %%
TRUNK = {"inception_v4": 384, "inception_resnet_v1": 256, "inception_resnet_v2": 384}
for name, table in figures.TABLE_1.items():
    enters = (TRUNK[name], 35, 35)
    leaves = out_shape(figures.ReductionA(**table), enters)
    words = "  ".join(f"{key} {value}" for key, value in table.items())
    print(
        f"{name:20} {words}   {enters[0]} + {table['n']} + {table['m']} = {leaves[0]}   "
        f"{size_words(leaves)}"
    )

# %% [markdown]
# The three sums are the widths of the B stages. Figs. 9 and 15 print 1024 and 896. The third, 1152,
# is not printed anywhere in the paper. Chapter 06 shows what it prints instead.
#
# ## Reduction-B, three times
#
# Every network has a block of its own from 17×17 to 8×8. Inception-v4 has Fig. 8:

# %%
display(figure(8))
print(figures.ReductionB())


# %%
def shapes(number):
    """What each branch of a figure gives, and the whole."""
    f = FIGURES[number]
    for i, branch in enumerate(f.node.branches, 1):
        print(f"branch {i}: {size_words(out_shape(branch, f.input))}")
    print(f"Fig. {number}: {size_words(f.input)} → {size_words(out_shape(f.node, f.input))}")


shapes(8)

# %% [markdown]
# Both branches with convolutions begin with a 1×1. It reduces 1024 channels to 192 or 256. Without
# it the block would cost:

# %%
block = figures.ReductionB()
direct = Concat(
    MaxPool(3, 2, "valid"),
    Conv(192, 3, 2, "valid"),
    Chain(Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, 3, 2, "valid")),
)
costs = {
    name: measure(node, (1024, 17, 17))
    for name, node in {"Fig. 8": block, "no 1×1": direct}.items()
}
for name, m in costs.items():
    print(
        f"{name:7} {size_words(m.output)}  {m.params:>10,} parameters  {m.macs / 1e6:>6,.0f} "
        "million multiply-adds"
    )
with_it, without = costs.values()
print(
    f"without: {without.params / with_it.params:.1f} times the parameters, "
    f"{without.macs / with_it.macs:.1f} times "
    "the multiply-adds"
)

# %% [markdown]
# Inception-ResNet-v1 has Fig. 12. You will write its code in an exercise, so here is only the
# picture:

# %%
display(figure(12))
shapes(12)

# %% [markdown]
# Inception-ResNet-v2 has Fig. 18. Read the note below the picture: the caption names one network,
# another place of the paper names the other. The channels decide it, in an exercise below.

# %%
display(figure(18))
print(figures.ReductionB_v2())
shapes(18)

# %% [markdown]
# ## Where a reduction spends
#
# Four blocks, branch by branch. The pool costs no multiply-add. The last, deepest branch does most
# of the arithmetic. Only in Fig. 8 does it also hold more than half of the parameters.


# %%
def branch_costs(number):
    """(parameters, multiply-adds) of each branch of a figure."""
    f = FIGURES[number]
    costs = [measure(branch, f.input) for branch in f.node.branches]
    return [(c.params, c.macs) for c in costs]


for number in (7, 8, 12, 18):
    print(
        f"Fig. {number:<3}",
        "   ".join(f"{amount(p):>7} / {amount(m):>7}" for p, m in branch_costs(number)),
    )

# %% tags=["hide-input"]
fig = plots.figure(7.5, 3)
for column, what in enumerate(("parameters", "multiply-adds")):
    axis = fig.add_subplot(1, 2, column + 1)
    left = [0.0] * 4
    for branch in range(4):
        values = [
            costs[branch][column] / 1e6 if branch < len(costs) else 0
            for costs in map(branch_costs, (7, 8, 12, 18))
        ]
        axis.barh(
            ["Fig. 7", "Fig. 8", "Fig. 12", "Fig. 18"],
            values,
            left=left,
            label=f"branch {branch + 1}",
            color=plots.BRANCH_COLOURS[branch],
            edgecolor="white",
        )
        left = [a + b for a, b in zip(left, values)]
    axis.set(xlabel=f"millions of {what}")
    axis.invert_yaxis()
axis.legend(frameon=False, fontsize=8)
plots.show(
    fig,
    "Stacked bars of parameters and multiply-adds by branch for Figs. 7, 8, 12 and 18: the last, "
    "deepest "
    "branch has the most multiply-adds in each; the pool costs nothing.",
)

# %% [markdown]
# ## Lab: design a reduction
#
# **Your task.** Change k, l, m, n, add a branch, or take the V away, and see what no longer fits.
# Then reach the goal: the same output with half of the multiply-adds. Point at a box for its
# arithmetic. Which branch do you starve?

# %%
from inception_edu.labs.designer import block_designer

lab = block_designer("ReductionA", goal="17×17×1024 with half of the multiply-adds")

# %% [markdown]
# ## Experiment: does the bottleneck hurt?
#
# The argument sounds right. Does it show? A small Inception-v4 on clothes, the same blocks and
# widths, only its two reductions swapped. The parallel way needs far fewer parameters, so watch
# them too. (The maps are only 16×16, so small networks pad where the paper has a V: here all three
# ways do.)

# %%
from dataclasses import replace

SMALL = networks.mini(networks.inception_v4(), width=1 / 16, repeats=(1, 1, 1))


def with_reductions(make):
    """The small network, each reduction replaced by `make(channels)` of as many output channels."""
    rows = {row.name: row for row in measure(SMALL).rows}
    return replace(
        SMALL,
        blocks=tuple(
            replace(block, node=make(rows[block.name].output[0]))
            if block.name.startswith("reduction")
            else block
            for block in SMALL.blocks
        ),
    )


CONTESTANTS = {
    "pool, then widen": with_reductions(lambda c: Chain(MaxPool(3, 2), Conv(c, 3))),
    "widen, then pool": with_reductions(lambda c: Chain(Conv(c, 3), MaxPool(3, 2))),
    "parallel (Figs. 7, 8)": SMALL,
}

# %%
SEEDS, STEPS = (range(2), 10) if QUICK else (range(5), 40)
clothes, device = data.load("fashion"), default_device()
print(clothes.describe())
accuracy = {name: [] for name in CONTESTANTS}
for seed in SEEDS:
    for name, network in CONTESTANTS.items():
        recipe = Recipe(steps=STEPS, batch_size=64, lr=0.05, schedule="one-cycle", seed=seed)
        accuracy[name].append(
            train(build(network, seed=seed).to(device), clothes, recipe).test_accuracy
        )

# %%
for name, network in CONTESTANTS.items():
    m, found = measure(network), accuracy[name]
    print(
        f"{name:22} {statistics.mean(found):.1%} right (n = {len(found)})   {m.params:>8,} "
        "parameters  "
        f"{m.macs / 1e6:5.1f} million multiply-adds"
    )

# %% tags=["hide-input"]
axis = plots.dots(accuracy, xlabel="% of test images right", percent=True)
means = ", ".join(f"{name} {statistics.mean(values):.1%}" for name, values in accuracy.items())
plots.show(
    axis.figure,
    f"Test accuracy of {len(SEEDS)} seeds for three ways to halve the grid; on average {means}.",
)

# %% tags=["hide-input"]
parallel, first = (
    Cell(name, tuple(accuracy[name])) for name in ("parallel (Figs. 7, 8)", "pool, then widen")
)
gap = difference(parallel, first)
size = measure(CONTESTANTS[parallel.label]).params / measure(CONTESTANTS[first.label]).params
print(f"parallel minus pool-first, after {STEPS} steps: {gap.text()}: {gap.word()}")
print(f"Verdict on the design: undecided, for parallel has {size:.2f} times the parameters.")

# %% [markdown]
# The verdict is about a network with a sixteenth of the filters, about small pictures and a short
# training. It cannot confirm or refute the principle for ImageNet. The paper gives no experiment
# for it either.
#
# ## Exercises


# %%
# exercise: What leaves Reduction-A | ●○○ | 3 min
# task: Write `leaves(c, k, l, m, n)`: the number of channels that leave Fig. 7 when `c` enter.
# hint: Follow the three lines that reach the join at the top of the figure.
# explain: k and l are consumed inside the third branch.
def leaves(c, k, l, m, n):
    # begin solution
    return c + n + m
    # end solution
    # stub: return ...


# check:
check("04.1", leaves)

# %%
# exercise: Write Fig. 12 | ●●○ | 6 min
# task: Describe Reduction-B of Inception-ResNet-v1 (the picture stands above): 17×17×896 →
#   8×8×1792.
# hint: Four branches; `MaxPool(3, 2, "valid")` is the first.
# hint: Only the last operation of each branch has stride 2 and V.
fig_12 = Concat(
    MaxPool(3, 2, "valid"),
    # begin solution
    Chain(Conv(256, 1), Conv(384, 3, 2, "valid")),
    Chain(Conv(256, 1), Conv(256, 3, 2, "valid")),
    Chain(Conv(256, 1), Conv(256, 3), Conv(256, 3, 2, "valid")),
    # end solution
    # stub: ...,
)
# check:
check("04.2", fig_12)


# %%
# exercise: Reduction-A by hand | ●●○ | 8 min
# task: Finish the plain module for Inception-v4's Reduction-A (k 192, l 224, m 256, n 384):
#   N×384×35×35 → N×1024×17×17. `unit` makes convolution, batch norm and ReLU.
# hint: `torch.cat([...], dim=1)` joins along the channels.
# hint: V is `padding=0`; a 3×3 that keeps the grid needs `padding=1`.
def unit(channels, filters, kernel, stride=1, padding=0):
    conv = nn.Conv2d(channels, filters, kernel, stride, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU())


class ReductionA(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(3, 2)
        # begin solution
        self.conv = unit(384, 384, 3, stride=2)
        self.deep = nn.Sequential(
            unit(384, 192, 1), unit(192, 224, 3, padding=1), unit(224, 256, 3, stride=2)
        )
        # end solution

    def forward(self, x):
        # begin solution
        return torch.cat([self.pool(x), self.conv(x), self.deep(x)], dim=1)
        # end solution
        # stub: return ...


# check:
check("04.3", ReductionA)

# %%
# exercise: Whose block is Fig. 18? | ●●○ | 4 min
# task: Its caption says "the wider Inception-ResNet-v1". Try it: 896 channels enter v1's
#   Reduction-B. Set `leaves_18` to the number of channels that would leave Fig. 18 then, and
#   compare with what Figs. 13 and 15 print for v1: 1792.
# hint: The pooled channels are passed on; each other branch adds the filters of its last
#   convolution.
# explain: 896 + 384 + 288 + 320 = 1888 does not fit v1, whose C stage is 1792 wide; 1152 + 384 +
#   288 + 320 = 2144 is what v2 needs. Fig. 15's own caption assigns the block to v2: the word in
#   Fig. 18's caption is a slip.
# begin solution
leaves_18 = 896 + 384 + 288 + 320
# end solution
# stub: leaves_18 = ...
# check:
check("04.4", leaves_18)

# %% [markdown]
# ## In five lines
#
# - Pooling first is cheap but squeezes the image through a quarter of the numbers; widening first
#   costs four times as
#   much.
# - Reductions pool and convolve in parallel, with stride 2 and valid padding throughout, and join
#   the results.
# - Reduction-A gives c + n + m channels; k and l are inner widths: 1024, 896 and 1152 in the three
#   networks.
# - Reduction-B begins its convolutions with a 1×1: without it Fig. 8 costs nearly twice as much.
# - Close contestants are told apart by measured time and by seeds, not by multiply-adds or by a
#   good argument.
#
# **What would change our mind.** A longer training at full width in which pooling first lags behind
# by more than the seeds scatter, or catches up.
#
# **Next:** chapter 05 puts stem, stages and reductions together.
