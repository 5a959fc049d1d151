# %% [markdown]
# # Inception-v4
#
# Stem, 4 A, 7 B and 3 C blocks with two reductions between them: Fig. 9 assembled, its parameters
# and multiply-adds laid open block by block, and its outputs equal to timm's.
#
# | | laptop, two cores |
# |---|---|
# | reading and computing | 35 min |
# | of which you wait | 1 min |
#
# **After this chapter you can**
#
# 1. assemble Inception-v4 from its figures, and prove that every shape is the printed one;
# 2. say where its parameters, its multiply-adds and its time sit, and for which blocks the three
#    disagree;
# 3. copy weights between two implementations, and know what must match for their outputs to agree.

# %%
from functools import partial

import torch

from inception_edu.describe import (
    Block,
    Conv,
    FIG_9,
    Network,
    amount,
    differences,
    figure,
    figures,
    inception_v4,
    leaves,
    measure,
    smallest_image,
)
from inception_edu.study import experiments
from inception_edu.teach import check, plots, table
from inception_edu.nets import build, named_blocks
from inception_edu.labs.diagram import network_diagram
from inception_edu.learn import clock

print("mode:", experiments.mode(), "  threads:", torch.get_num_threads())

# %% [markdown]
# ## The whole network
#
# Fig. 9, with the sizes that the paper prints:

# %%
figure(9)

# %% [markdown]
# **Predict.** Which stage holds the most parameters: A (35×35), B (17×17) or C (8×8)? And which one
# computes most?
#
# <details><summary>Answer</summary>
#
# Every parameter works once at each position: 64 times on 8×8, 289 times on 17×17, 1225 times on
# 35×35. So the wide C blocks are far ahead of A in parameters and behind it in arithmetic. But
# seven B blocks are many. The bars below decide.
#
# </details>
#
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
# Two descriptions can share the same mistake. So we build the network and send a real image through
# it. A hook at each block reads the shape that leaves it.

# %%
model = build(mine, seed=0).eval()
image = torch.randn(1, 3, 299, 299, generator=torch.Generator().manual_seed(0))
seen = {}
for name, block in named_blocks(model):
    block.register_forward_hook(
        lambda module, inputs, out, name=name: seen.update({name: tuple(out.shape[1:])})
    )
with torch.inference_mode():
    logits = model(image)
described = {name: row.output for name, row in rows.items() if name in seen}
assert seen == described and logits.shape == (1, 1000)
last = ["stem", "inception_a.4", "reduction_a", "inception_b.7", "reduction_b", "inception_c.3"]
table([(name, seen[name]) for name in last], ["block", "its output, measured"])

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
rows_by_stage = [
    (
        group,
        params[group],
        params[group] / measured.params,
        macs[group],
        macs[group] / measured.macs,
    )
    for group in params
]
rows_by_stage.append(("together", measured.params, None, measured.macs, None))
columns = ["stage", "parameters", "share of them", "multiply-adds", "share of these"]
table(rows_by_stage, columns, formats={columns[2]: ".1%", columns[4]: ".1%"})

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

# %% [markdown]
# The seven B blocks hold nearly half of all parameters and of all multiply-adds. The stem has
# hardly any parameters, and yet a large part of the work, because its maps are large. For the three
# C blocks it is the other way round. Block by block:

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
        fontsize=7,
    )
    axis.set_ylabel(title)
plots.show(
    fig,
    "Parameters and multiply-adds of each of the 17 blocks. Parameters grow towards the "
    "end; multiply-adds are largest in the stem, then in Reduction-A.",
)

# %% [markdown]
# The repeated blocks of a stage cost the same; the grey bars are the stem and the reductions.
#
# ## And the time?
#
# **Predict.** You know the stem's share of the multiply-adds. Will its share of the measured time
# be smaller, equal or larger? (Processor time of one core: what other programs do at the same
# moment does not count.)


# %%
def block_times(model, x, rounds):
    """Processor time of each block in seconds, on one core."""
    calls = {}
    with torch.inference_mode():
        for name, block in named_blocks(model):
            calls[name] = partial(block, x)
            x = block(x)
    timings = clock(calls, rounds=rounds, device=x.device, one_core=True)
    return {name: timing.median for name, timing in timings.items()}


seconds = block_times(model, image, 2 if experiments.mode() == "quick" else 6)
shares = {}
for name, value in seconds.items():
    shares[name.split(".")[0]] = shares.get(name.split(".")[0], 0) + value / sum(seconds.values())
columns = ["stage", "of the time", "of the multiply-adds"]
table(
    {group: (share, macs[group] / measured.macs) for group, share in shares.items()},
    columns,
    formats=dict.fromkeys(columns[1:], ".1%"),
    caption=f"One image takes {sum(seconds.values()):.2f} s of processor time on this machine",
)

# %% [markdown]
# Where time and arithmetic differ, something else costs time. The stem has few channels at many
# positions: large maps are moved for little arithmetic. The C stage has small maps, 8×8, cut into
# many separate convolutions: each gives the processor little to do at once.
#
# ## Any image size
#
# A convolution accepts an image of any size, and the pooling at the end accepts any map. So the
# parameters stay the same. The cost grows roughly with the area. It grows a little faster, because
# the V layers cut a border of the same width from every image. Below a certain size the map
# vanishes.

# %%
sized = {side: measure(inception_v4(), side) for side in (75, 139, 203, 299, 427)}
columns = ["side", "last map", "parameters", "multiply-adds", "of those at 299", "area, of 299's"]
table(
    [
        (side, m.output, m.params, m.macs, m.macs / measured.macs, (side / 299) ** 2)
        for side, m in sized.items()
    ],
    columns,
    formats={"parameters": amount, "multiply-adds": amount, **dict.fromkeys(columns[4:], ".2f")},
    caption=f"The smallest image has {smallest_image(inception_v4())} pixels a side",
)

# %% [markdown]
# ## Equal to timm's?
#
# Shapes and counts can agree while the network computes something else: a wrong padding in an
# average, or a branch in the wrong place. Only equal outputs are a proof. Here timm's Inception-v4
# gets random weights, and `from_timm` gives ours the same weights.

# %%
try:
    import timm

    from inception_edu.nets import from_timm

    torch.manual_seed(0)
    theirs = timm.create_model("inception_v4").eval()
    ours = from_timm("inception_v4", theirs)
    print(
        f"timm {timm.__version__}: {sum(p.numel() for p in theirs.parameters()):,} parameters; "
        f"ours: {sum(p.numel() for p in ours.parameters()):,}"
    )
except ImportError:
    theirs = ours = None
    print("timm is not installed here, so this comparison is left out: pip install timm")

# %% [markdown]
# The statistics of batch norm must be random too. Otherwise a mistake in them would not be seen.
# Then one image goes through both networks:


# %%
def shake(model, seed=0):
    """Give every batch norm other statistics and weights than 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.copy_(0.8 + 0.4 * torch.rand(len(tensor), generator=generator))
            for tensor in (module.bias.data, module.running_mean):
                tensor.copy_(0.1 * torch.randn(len(tensor), generator=generator))


if theirs is not None:
    shake(theirs)
    ours = from_timm("inception_v4", theirs)
    with torch.inference_mode():
        a, b = theirs(image), ours(image)
    print(
        f"largest difference of 1000 logits: {(a - b).abs().max():.1e}, their spread {a.std():.3f}"
    )

# %% [markdown]
# This difference is rounding: the same sums in another order. `from_timm` had to change two things.
# timm *joins* the branches in another order than the figures show, so the input channels of each
# later convolution are permuted. And the released code *turns* some kernels, so the description
# used here is `inception_v4("released")`.

# %%
table(
    [(str(d),) for d in differences(inception_v4("paper"), inception_v4("released"))],
    ["paper against released"],
)

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
# hint: `dataclasses.replace(block, repeat=3)` copies a block with another number of repeats.
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
#   how many numbers? Set `largest`. (The third convolution of the stem has 64 filters.)
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
#
# - Inception-v4 is a list: stem, 4 A, Reduction-A, 7 B, Reduction-B, 3 C, average pooling, dropout,
#   classifier.
# - Every shape of Fig. 9 follows from the figures of its parts; a real forward pass agrees.
# - The B stage holds the largest part of the parameters and of the work; stem and C stage trade
#   places between the two.
# - Time follows arithmetic only roughly: measure it.
# - With timm's weights our network gives timm's outputs, in the released orientation of the
#   kernels.
#
# **What would change our mind.** One logit that differs by more than rounding, for any image.
#
# **Next:** chapter 06 adds the identity and takes the pooling branches away.
