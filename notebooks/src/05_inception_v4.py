# %% [markdown]
# # Inception-v4
#
# Stem, 4 A, 7 B and 3 C blocks with two reductions between them. We assemble Fig. 9, find out where
# its parameters and multiply-adds sit, and compare its outputs with timm's.
#
# **After this chapter you can**
#
# 1. assemble Inception-v4 from its figures, and check that every shape is the printed one;
# 2. say where its parameters, its multiply-adds and its time sit, and for which blocks the three
#    differ;
# 3. copy weights between two implementations, and know what must match for their outputs to agree.

# %% tags=["hide-input"]
# @title Imports
import torch

from inception_edu.describe import (
    Block,
    Conv,
    FIG_9,
    Network,
    differences,
    figure,
    figures,
    inception_v4,
    leaves,
    measure,
    networks,
    smallest_image,
)
from inception_edu.labs.diagram import network_diagram
from inception_edu.nets import build, named_blocks
from inception_edu.study import experiments
from inception_edu.teach import begin, block_seconds, changes, check, count_and_time, five_lines
from inception_edu.teach import opening_figure, outcome, plots, predict, say, table

begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("05.total", "05.stem-and-c")

# %%
opening_figure("05")

# %% [markdown]
# ## The whole network
#
# Fig. 9, with the sizes that the paper prints:

# %% tags=["picture"]
figure(9)

# %%
predict(
    "05.parameters",
    "Which stage holds the most parameters?",
    ["A, on 35×35", "B, on 17×17", "C, on 8×8"],
)

# %%
predict(
    "05.work",
    "And which group of blocks does most multiply-adds?",
    ["the stem", "A, on 35×35", "B, on 17×17", "C, on 8×8"],
)

# %% [markdown]
# ## Assembled by code
#
# A network is a list of named blocks. Between brackets stand only figures that earlier chapters
# have built.

# %%
filters = figures.TABLE_1["inception_v4"]
mine = Network(
    "my Inception-v4",
    (
        Block("stem", figures.StemV4()),
        Block("inception_a", figures.InceptionA(), repeat=4, stage="A"),
        Block("reduction_a", figures.ReductionA(**filters)),
        Block("inception_b", figures.InceptionB(), repeat=7, stage="B"),
        Block("reduction_b", figures.ReductionB()),
        Block("inception_c", figures.InceptionC(), repeat=3, stage="C"),
    ),
)

# %% [markdown]
# Is this the package's own network? And is every shape the printed one? Fig. 9 is data too, so the
# next cell compares.

# %%
assert not differences(mine, inception_v4())
rows = {row.name: row for row in measure(mine).rows}
compared = []
for box in FIG_9:
    last = box.block if box.repeat == 1 else f"{box.block}.{box.repeat}"
    computed = rows[last].output
    compared.append((box.repeat, box.block, computed, box.output, computed == box.output))
table(compared, ["times", "block", "computed", "printed", "equal"])

# %% [markdown]
# Two descriptions can share the same mistake. So we build the network and send an image through it.
# A hook at each block reads the shape that leaves it.

# %%
model = build(mine, seed=0).eval()
image = torch.randn(1, 3, 299, 299, generator=torch.Generator().manual_seed(0))
seen = {}
for name, block in named_blocks(model):
    block.register_forward_hook(lambda module, x, y, name=name: seen.update({name: y.shape[1:]}))
with torch.inference_mode():
    logits = model(image)

# %%
assert all(tuple(shape) == rows[name].output for name, shape in seen.items())
say(
    f"{len(seen)} blocks give the described shapes, and {logits.shape[1]} logits come out.",
    "05.longest-path",
)

# %% [markdown]
# ## Why is it so regular?
#
# Section 3.1 says it. An older Inception was partitioned into several sub-networks, so that it
# fitted into memory. The layers' sizes were tuned until all parts had about equal work. TensorFlow,
# and backpropagation that keeps fewer tensors, ended this. Now the authors could make "uniform
# choices for the Inception blocks for each grid size". In the older networks, how many blocks of a
# stage differ from one another?

# %%
regular = []
for key in ("googlenet", "bn_inception", "inception_v3", "inception_v4"):
    stages = {stage: [] for stage in "ABC"}
    for block in networks.network(key).blocks:
        if block.stage:
            stages[block.stage] += [block.node] * block.repeat
    counts = [f"{len(set(nodes))} of {len(nodes)}" for nodes in stages.values()]
    regular.append((networks.network(key).name, *counts))
table(regular, ["different blocks", "A", "B", "C"])

# %%
say("05.uniform")

# %% [markdown]
# ## Lab: click through it
#
# Choose a block in the picture or in the list. You see its figure, its shapes, its cost and the
# code that made it.

# %%
lab = network_diagram("inception_v4")

# %% [markdown]
# ## Where do parameters and multiply-adds sit?

# %%
measured = measure(inception_v4())


def by_stage(value):
    """The sum of `value(row)` for each group of equal blocks, in order."""
    sums = {}
    for row in measured.rows:
        group = row.name.split(".")[0]
        sums[group] = sums.get(group, 0) + value(row)
    return sums


params, macs = by_stage(lambda row: row.params), by_stage(lambda row: row.macs)

# %% tags=["hide-input"]
fig = plots.figure(8, 2.9)
for i, (title, values) in enumerate((("parameters", params), ("multiply-adds", macs))):
    share = {group: 100 * value / sum(values.values()) for group, value in values.items()}
    plots.bars(share, fig.add_subplot(1, 2, i + 1), f"% of all {title}", text="{:.0f}")
plots.show(
    fig,
    "Two bar charts by group of blocks: "
    + "; ".join(
        f"{group} {params[group] / measured.params:.0%} of parameters, "
        f"{macs[group] / measured.macs:.0%} of multiply-adds"
        for group in params
    )
    + ".",
)

# %% tags=["hide-input"]
WORDS = {
    "stem": "the stem",
    "inception_a": "A, on 35×35",
    "inception_b": "B, on 17×17",
    "inception_c": "C, on 8×8",
}
outcome("05.parameters", WORDS[max(WORDS, key=params.get)])

# %% tags=["hide-input"]
outcome("05.work", WORDS[max(WORDS, key=macs.get)])

# %%
say("05.b-stage", "05.stem-and-c", "05.stem-numbers")

# %% [markdown]
# Every parameter works once at each place: 64 times on 8×8, 289 times on 17×17, 1225 times on
# 35×35. So the stem does much of the work with few parameters. For the C blocks it is the other way
# round. Block by block:

# %% tags=["hide-input"]
fig = plots.figure(8, 3.4)
body = measured.rows[:-1]
for i, (title, values) in enumerate(
    (
        ("parameters (millions)", [r.params / 1e6 for r in body]),
        ("multiply-adds (billions)", [r.macs / 1e9 for r in body]),
    )
):
    axis = fig.add_subplot(1, 2, i + 1)
    axis.bar(
        range(len(body)),
        values,
        color=["#0072b2" if r.name.startswith("inception") else "#8a8a8a" for r in body],
    )
    axis.set_xticks(
        range(len(body)),
        [r.name.replace("inception_", "").replace("reduction", "red") for r in body],
        rotation=90,
        fontsize=8,
    )
    axis.set_ylabel(title)
plots.show(
    fig,
    "Parameters and multiply-adds of each of the 17 blocks. A block of stage C has most "
    "parameters, a block of stage A fewest. Multiply-adds are largest in the stem, then in "
    "Reduction-A.",
)

# %% [markdown]
# The grey bars are the stem and the reductions.
#
# ## And the time?
#
# We measure the processor time of each block for one image, on one core.

# %%
predict(
    "05.time",
    f"The stem does {100 * macs['stem'] / measured.macs:.0f} % of the multiply-adds. What is its "
    "share of the time?",
    ["smaller", "the same, within a tenth", "larger"],
)

# %%
seconds = block_seconds(model, image, rounds=2 if experiments.mode() == "quick" else 6)
whole = sum(seconds.values())

by_count = {group: 100 * macs[group] / measured.macs for group in seconds}
by_clock = {group: 100 * value / whole for group, value in seconds.items()}
count_and_time(by_count, by_clock, "% of the whole network", "{:.0f}")

# %% tags=["hide-input"]
ratio = by_clock["stem"] / by_count["stem"]
more = "larger" if ratio > 1.1 else "the same, within a tenth"
outcome(
    "05.time",
    "smaller" if ratio < 0.9 else more,
    f"One image takes {whole:.2f} s of processor time here. The stem takes "
    f"{by_clock['stem']:.0f} % of it, {ratio:.2f} times its share of the multiply-adds.",
)

# %% [markdown]
# The stem has few channels at many places: large maps are moved for little arithmetic. The
# convolutions of the C blocks work on small maps of 8×8. On average one of them does the fewest
# multiply-adds, so it gives the processor little to do at once.
#
# ## Any image size
#
# From 75×75 pixels on the network accepts an image of any size, because convolutions and the
# pooling at the end work on any map. The parameters stay the same. The cost grows a little faster
# than the area, because the V layers cut a border of the same width from every image.

# %%
sides = (smallest_image(inception_v4()), 139, 203, 299, 427)
sizes = {side: measure(inception_v4(), side) for side in sides}
table(
    [(n, m.output, m.params, m.macs / measured.macs, (n / 299) ** 2) for n, m in sizes.items()],
    ["side", "last map C×H×W", "parameters", "multiply-adds, 299 = 1", "area, 299 = 1"],
    formats={"multiply-adds, 299 = 1": ".2f", "area, 299 = 1": ".2f"},
    caption="The first row is the smallest image",
)

# %% [markdown]
# ## Equal to timm's?
#
# Shapes and counts can agree although the network computes something else: a wrong padding in an
# average, or a branch in the wrong place. Equal outputs are the better test. timm is a widely used
# library of image networks. Here its Inception-v4 gets random weights, and `from_timm` gives ours
# the same weights.

# %%
try:
    import timm

    from inception_edu.nets import from_timm

    with torch.random.fork_rng([]):  # timm draws from torch's global state: put it back
        torch.manual_seed(0)
        theirs = timm.create_model("inception_v4").eval()
    numbers = sum(p.numel() for p in theirs.parameters())
    same = "as many as" if numbers == measured.params else "not as many as"
    said = f"timm {timm.__version__} has {numbers:,} parameters, {same} the description."
except ImportError:
    theirs = None
    said = "timm is not installed here, so this comparison is left out: pip install timm"
say(said)

# %% [markdown]
# The statistics of batch norm must be random too (the folded cell does it). Otherwise a mistake in
# them would not be seen. Then one image goes through both networks:


# %% tags=["hide-input"]
def shake(model, seed=0):
    """Give every batch norm other statistics and weights than 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.copy_(0.8 + 0.4 * torch.rand(len(tensor), generator=generator))
            for tensor in (module.bias.data, module.running_mean):
                tensor.copy_(0.1 * torch.randn(len(tensor), generator=generator))


# %%
said = "Left out, because timm is not installed here."
if theirs is not None:
    shake(theirs)
    ours = from_timm("inception_v4", theirs)
    with torch.inference_mode():
        a, b = theirs(image), ours(image)
    off, spread = (a - b).abs().max(), a.std()
    said = f"The 1000 logits differ by at most {off:.1e}. Their spread is {spread:.3f}."
say(said)

# %% [markdown]
# This difference is rounding: the same sums in another order. `from_timm` had to change two things.
# timm *joins* the branches in another order than the figures show, so the input channels of each
# later convolution are permuted. And the released code *turns* some kernels, so the description
# used here is `inception_v4("released")`.

# %%
turned = differences(inception_v4("paper"), inception_v4("released"))
changes(turned, "in the paper", "as released")

# %% [markdown]
# A 7×1 kernel cannot be loaded as a 1×7 one. Chapter 07 looks at what the paper prints there. With
# a network connection, `from_timm("inception_v4")` without a second argument fetches the released
# ImageNet weights.
#
# ## Exercises


# %%
# exercise: How many convolutions? | ●○○ | 4 min
# task: Write `convolutions(network)`: how many convolutions a network has, repeats counted.
# hint: `leaves(block.node)` yields the convolutions and pools of a block; `isinstance(leaf, Conv)`
#   tells them apart.
# hint: A block stands for `block.repeat` copies.
# explain: 149 for Inception-v4. The longest path from image to pooling passes 75 of them; the
#   others run beside it.
def convolutions(network):
    # begin solution
    return sum(
        block.repeat * isinstance(leaf, Conv)
        for block in network.blocks
        for leaf in leaves(block.node)
    )
    # end solution
    # stub: return ...


# check:
check("05.1", convolutions)


# %%
# exercise: A share of the work | ●○○ | 4 min
# task: Write `share(network, stage)`: the part, from 0 to 1, of a network's multiply-adds that is
#   done in the blocks whose name begins with `stage`, such as `"inception_b"`.
# hint: `measure(network).rows` has a row a block, with `.name` and `.macs`; `measure(network).macs`
#   is the total.
def share(network, stage):
    # begin solution
    m = measure(network)
    return sum(row.macs for row in m.rows if row.name.startswith(stage)) / m.macs
    # end solution
    # stub: return ...


# check:
check("05.2", share)

# %%
# exercise: A smaller relative | ●●○ | 6 min
# task: Make `light`: Inception-v4 with as many B blocks as possible, but below 9 billion
#   multiply-adds at 299×299, and everything else as it is.
# hint: `dataclasses.replace(block, repeat=5)` copies a block with another number of repeats.
# hint: How much does one B block cost? `measure(inception_v4()).rows` knows.
# explain: One B block costs about 0.85 billion, so four of the seven must go.
from dataclasses import replace

# begin solution
v4 = inception_v4()
light = replace(
    v4, blocks=tuple(replace(b, repeat=3) if b.name == "inception_b" else b for b in v4.blocks)
)


# end solution
# stub: light = ...
# check:
check("05.3", light)

# %%
# exercise: The largest map | ●●○ | 4 min
# task: During the forward pass of one 299×299 image, the largest single map inside Inception-v4 has
#   how many numbers? Set `largest`. (The lab above shows the shapes.)
# hint: The sides inside the stem are 149, 147, 147, 73, 71, 35; the filters 32, 32, 64, …
# explain: 64·147·147 = 1.4 million numbers, 5.5 MB as 32-bit floats, in a network whose last map
#   has 98 thousand. The stem makes about a third of all the numbers that a forward pass computes,
#   with 1.4 % of the parameters.
# begin solution
largest = 64 * 147 * 147
# end solution
# stub: largest = ...
# check:
check("05.4", largest)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "05.total",
    "05.b-stage",
    "05.stem-and-c",
    "Time follows arithmetic only roughly. On this machine the C blocks take "
    f"{by_clock['inception_c']:.0f} % of the time for {by_count['inception_c']:.0f} % of the "
    "multiply-adds.",
    "With timm's weights, and with kernels turned as released, our network gives timm's outputs.",
)

# %% [markdown]
# **What would change our mind.** An image for which a logit of ours and of timm's differ by more
# than rounding.
#
# **Next:** chapter 06 adds the identity and takes the pooling branches away.
