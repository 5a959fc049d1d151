# %% [markdown]
# # From GoogLeNet to Inception-v3
#
# Why an Inception block has branches, why each begins with a 1×1, and why a 5×5 became two 3×3:
# what it saves on paper, and what the clock says. Then what the paper adds to it: the identity
# path.
#
# | | laptop, two cores | Colab, T4 |
# |---|---|---|
# | reading and computing | 45 min | 45 min |
# | of which you wait | 1 min | 1 min |
#
# **After this chapter you can**
#
# 1. count the multiply-adds of a convolution, and cut them with a 1×1 or with smaller kernels;
# 2. tell when fewer multiply-adds are *not* faster, because you measured it;
# 3. say what batch norm, label smoothing and the identity path each do, in one line of code.

# %%
from textwrap import fill

import torch
import torch.nn.functional as F

from inception_edu.study import experiments, kernel_sizes
from inception_edu.teach import check, plots
from inception_edu.nets.build import build
from inception_edu.describe import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Residual,
    SpecError,
    amount,
    draw,
    figure,
    measure,
    out_shape,
    size_words,
)
from inception_edu.learn import clock

QUICK = experiments.mode() == "quick"
print("mode:", experiments.mode(), "  threads:", torch.get_num_threads())

# %% [markdown]
# ## Which kernel?
#
# A dog can fill the picture or be a speck. It seems plain that a small kernel suits the speck and a
# large one the dog; which one should a layer have? GoogLeNet (2014) answers: **several, side by
# side**, and lets the next layer choose.

# %%
naive = Concat(Conv(64, 1), Conv(128, 3), Conv(32, 5), name="a naive block")
draw(naive, (192, 28, 28))

# %% [markdown]
# All branches read the same map; their results are joined along the channels: 64 + 128 + 32 = 224.
#
# **Predict.** Which of the three branches costs most?
#
# <details><summary>Answer</summary>
#
# The 3×3: 9 · 128 = 1152 weights per input channel, against 25 · 32 = 800 for the 5×5 and 64 for
# the 1×1. But filter for filter the 5×5 is nearly three times as dear as the 3×3.
#
# </details>
#
# A convolution does, at every place of its output, one multiply-add for each weight: height × width
# × channels in × filters. With batch norm, further down (its γ and β: two numbers a filter, once),
# that is what `measure` counts:


# %%
def count(node, shape):
    """One line: what a block gives and what it costs."""
    m = measure(node, shape)
    print(
        f"{size_words(m.output):11} {amount(m.params):>6} parameters  {amount(m.macs):>6} "
        "multiply-adds"
    )


for branch in naive.branches:
    print(f"{branch!r:12}", end=" ")
    count(branch, (192, 28, 28))
print(f"by hand, 5×5: {28 * 28 * 192 * 32 * 5 * 5 + 2 * 32:,}")

# %% [markdown]
# Watch one do it. **Play**, then point at an output: the orange window shows what it read. Choose
# 5×5: how many products does each sum have now? Choose *edges down*, then change a weight by
# clicking it.

# %%
from inception_edu.labs.convolution import convolution_lab

moving = convolution_lab(size=12, kernel=(3, 3), padding="same")

# %% [markdown]
# ## 1×1: pay for fewer channels
#
# Most of the 5×5's cost is its 192 input channels. A 1×1 convolution first mixes them down to fewer.
# It sees one place, but all channels there. Here it takes green from red, pixel by pixel, and the
# white middle becomes 0. Click the weights: which other three make it 0, too?

# %%
mixing = convolution_lab(kernel=(1, 1), channels=3, mix="opposed")

# %% [markdown]
# This is GoogLeNet's block "3a", with a pool branch; its 1×1 leaves 16 channels for the 5×5:

# %%
googlenet = Concat(
    Conv(64, 1),
    Chain(Conv(96, 1), Conv(128, 3)),
    Chain(Conv(16, 1), Conv(32, 5)),
    Chain(AvgPool(3), Conv(32, 1)),  # GoogLeNet has a max pool here; this paper's blocks average
    name="with 1×1 first",
)
draw(googlenet, (192, 28, 28))

# %%
for name, node in {"naive": naive, "with 1×1": googlenet}.items():
    print(f"{name:9}", end=" ")
    count(node, (192, 28, 28))

# %% [markdown]
# Less than half, with one branch more. The price: what does not fit into 16 channels is lost before
# the 5×5 sees it.
#
# ## 5×5 as two 3×3, and n×n as 1×n and n×1
#
# Two 3×3 in a row also see 5×5 pixels, with 18 weights in place of 25, and a ReLU in between.
# Inception-v3 goes on: 1×7 and then 7×1 see 7×7 with 14 weights in place of 49.

# %%
MAP = (96, 17, 17)
PAIRS = {
    "5×5": Conv(96, 5),
    "3×3, 3×3": Chain(Conv(96, 3), Conv(96, 3)),
    "7×7": Conv(96, 7),
    "1×7, 7×1": Chain(Conv(96, (1, 7)), Conv(96, (7, 1))),
    "3×3": Conv(96, 3),
    "1×3, 3×1": Chain(Conv(96, (1, 3)), Conv(96, (3, 1))),
}
for name, node in PAIRS.items():
    row = measure(node, MAP).rows[0]
    print(
        f"{name:9} sees {row.receptive_field[0]}×{row.receptive_field[1]}  {amount(row.macs):>7} "
        "multiply-adds"
    )

# %% [markdown]
# "Sees" counts pixels, and all of them alike. Walk back from one output, map by map, and count on
# how many *paths* each pixel reaches it. Compare *3×3 ∘ 3×3* with *5×5*, then *six 3×3*: what does
# the curve beside the map become? Which of the two 1×7 pairs sees a square?

# %%
from inception_edu.labs.field import field_lab

field = field_lab("3×3 ∘ 3×3")

# %% [markdown]
# **Predict.** By how much is each second line *faster* than the line before it: as much as the
# counts say, or less?


# %%
def milliseconds(node, shape, batch=8):
    """Processor time of a forward pass for one image of a batch, on one core; batch norm and ReLU
    included."""
    module = build(node, shape[0], seed=0).eval()
    x = torch.randn(batch, *shape, generator=torch.Generator().manual_seed(0))
    took = clock({"": module}, x, rounds=40, budget=0.2 if QUICK else 1.5, one_core=True)
    return 1000 * took[""].median / batch


times = {name: milliseconds(node, MAP) for name, node in PAIRS.items()}

# %%
names = list(PAIRS)
for whole, split in zip(names[::2], names[1::2]):
    fewer = measure(PAIRS[whole], MAP).macs / measure(PAIRS[split], MAP).macs
    faster = times[whole] / times[split]
    print(
        f"{whole} {times[whole]:5.2f} ms   {split} {times[split]:5.2f} ms   "
        f"{fewer:.2f} times fewer multiply-adds, {faster:.2f} times faster"
    )
print(
    "billion multiply-adds a second:",
    ", ".join(
        f"{name} {measure(node, MAP).macs / times[name] / 1e6:.0f}" for name, node in PAIRS.items()
    ),
)

# %% tags=["hide-input"]
lag = [
    n
    for n, s in zip(names[::2], names[1::2])
    if times[n] / times[s] < 0.85 * measure(PAIRS[n], MAP).macs / measure(PAIRS[s], MAP).macs
]
slower = [s for n, s in zip(names[::2], names[1::2]) if times[n] < times[s]]
print(
    "Here the clock",
    f"gives back over 15 % less than the count promises for: {', '.join(lag)}."
    if lag
    else "keeps what the count promises, within 15 %.",
    f"Slower, though cheaper: {', '.join(slower)}." if slower else "",
)

# %% [markdown]
# An honest word. Multiply-adds are not time. Each split also writes and reads one map more and does
# a second batch norm and ReLU; one call with much work hides such fixed costs better than two with
# little. Which kernels a library serves best differs from machine to machine: see the last line.
# Counts tell you what is *hopeless*; between things that are close, only the clock of the machine
# that will run them decides.
#
# A block like those of Inception-v3's first stage, before and after the step from 5×5 to two 3×3.
# It saves less than 25 : 18, because the first 3×3 already widens from 64 to 96 filters: 25·64·96
# against 9·64·96 + 9·96·96.


# %%
def stage_a(large):
    return Concat(
        Conv(64, 1), Chain(Conv(48, 1), Conv(64, 3)), large, Chain(AvgPool(3), Conv(64, 1))
    )


before = stage_a(Chain(Conv(64, 1), Conv(96, 5)))
after = stage_a(Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3)))
for name, node in {"5×5": before, "3×3, 3×3": after}.items():
    print(f"{name:9} {milliseconds(node, (288, 35, 35), 4):6.2f} ms", end="  ")
    count(node, (288, 35, 35))

# %% [markdown]
# ## Lab: rebuild an Inception-v3 block
#
# This is v3's own first-stage block, as released: its second branch still has a 5×5. Replace it by
# two 3×3, take a 1×1 away, add a 1×7: see the cost, what each place sees, and whether it still
# fits.

# %%
from inception_edu.labs.designer import block_designer

lab = block_designer("InceptionA_v3", goal="branch 2 sees 5×5 with 96 % of the parameters")

# %% [markdown]
# ## Experiment: which kernels see which objects?
#
# Back to the first question. The data set `scales` holds objects of 8 to 28 pixels in 32×32
# pictures. All are drawn with twelve dots, and the dots keep their size when the object grows: who
# wants to tell a circle from a square must see several dots at once.

# %% tags=["hide-input"]
from inception_edu.data.scales import CLASSES, scales

images = torch.cat([scales(10, 32, seed=1, sizes=(s, s)).images for s in (9, 15, 26)])
plots.show(
    plots.image_grid(images, list(CLASSES) + [""] * 20, columns=10).figure,
    "Ten kinds of objects, small in the "
    "first row, medium in the second, large in the third: " + ", ".join(CLASSES),
)

# %% [markdown]
# To isolate the kernel we train *nothing but the last layer*: random filters of one size, three
# numbers from each (mean, maximum, spread of its response), a linear classifier in closed form. 48
# filters, seconds, no learning rate.
#
# **Predict.** Random 3×3 and random 9×9 filters with stride 2: who is better on small objects, who
# on large ones?

# %%
live = [(3,), (9,)] if QUICK else [(3,), (9,), (3, 5, 9)]
data = kernel_sizes.pictures(seed=0)
for kernels in live:
    seen = kernel_sizes.see(kernels, filters=48, seed=0, data=data)
    print(
        f"{kernels!s:10}",
        {size: f"{seen[size]:.0%}" for size in kernel_sizes.SIZES},
        f"{seen['seconds']:.1f} s",
    )

# %% [markdown]
# One seed. The committed runs have five for each of twelve choices (the seed draws filters *and*
# pictures):

# %%
cells, facts = kernel_sizes.committed()
print(
    facts["data"],
    "· seeds",
    facts["seeds"],
    "· device",
    facts["device"],
    "· torch",
    facts["versions"]["torch"],
)
SIZES = list(kernel_sizes.SIZES)
for key in kernel_sizes.SAME_FILTERS:
    cell = cells[key]
    print(
        f"{cell.label:22} {kernel_sizes.multiply_adds(*key) / 1e6:5.2f} M  "
        + "  ".join(f"{size} {cell.mean(size):.0%} ± {cell.spread(size):.0%}" for size in SIZES)
    )
print("at the same cost as 48 filters of 5×5:")
for key in kernel_sizes.SAME_COST:
    cell = cells[key]
    print(
        f"{cell.label:22} × {cell.filters:<6} "
        + "  ".join(f"{size} {cell.mean(size):.0%} ± {cell.spread(size):.0%}" for size in SIZES)
    )

# %% tags=["hide-input"]
fig = plots.figure(8.5, 3.6)
single = [k for k, n in kernel_sizes.SAME_FILTERS if len(k) == 1]
axis = fig.add_subplot(1, 2, 1)
for size, colour, dash, mark in zip(SIZES, plots.COLOURS, plots.DASHES, plots.MARKERS):
    line, spread = zip(
        *((100 * cells[k, 48].mean(size), 100 * cells[k, 48].spread(size)) for k in single)
    )
    axis.errorbar(
        [k[0] for k in single], line, spread, color=colour, ls=dash, marker=mark, label=size
    )
axis.set_title("48 filters of one size", fontweight="bold")
axis.set(xlabel="kernel (pixels)", ylabel="% right", xticks=[k[0] for k in single])
axis.legend()
axis = fig.add_subplot(1, 2, 2)
plots.dots(
    {cells[key].label: cells[key].accuracy["all"] for key in kernel_sizes.SAME_COST},
    axis,
    "% right, all sizes",
    True,
)
axis.set_title("the same cost (0.9 M multiply-adds)", fontweight="bold")
plots.show(
    fig,
    "Left: accuracy against kernel size for small, medium and large objects; large objects need "
    "large "
    "kernels most. Right: five choices of equal cost; "
    + ", ".join(
        f"{cells[key].label} {cells[key].mean('all'):.0%}" for key in kernel_sizes.SAME_COST
    ),
)


# %% tags=["hide-input"]
def best(keys, size):
    return max(keys, key=lambda key: cells[key].mean(size))


ones = [key for key in kernel_sizes.SAME_FILTERS if len(key[0]) == 1]
three, nine, mixed = cells[(3,), 48], cells[(9,), 48], cells[(3, 5, 9), 48]
whole = cells[best(ones, "all")]
print(
    "Verdict (5 seeds). With as many filters, 9×9 against 3×3:",
    ", ".join(f"{size} {100 * (nine.mean(size) - three.mean(size)):+.0f} points" for size in SIZES)
    + ".",
)
print(
    "At equal cost the best on",
    ", ".join(
        f"{size} objects is {cells[best(kernel_sizes.SAME_COST, size)].label}" for size in SIZES
    )
    + ".",
)
share = kernel_sizes.multiply_adds((3, 5, 9)) / kernel_sizes.multiply_adds((9,))
print(
    f"The mixture 3×3 + 5×5 + 9×9 is right in {mixed.mean('all'):.0%}, the best single size, "
    f"{whole.label}, in "
    f"{whole.mean('all'):.0%}; the mixture has {share:.0%} of the 9×9's cost."
)
ranking = sorted(kernel_sizes.SAME_COST, key=lambda key: -cells[key].mean("all"))
print(
    "At equal cost, best first:",
    ", ".join(f"{cells[key].label} {cells[key].mean('all'):.0%}" for key in ranking),
)

# %% [markdown]
# A surprise: a 9×9 holds a small object whole, so with as many filters it wins there too, though
# least. Small kernels are good because more of them can be afforded, not because they see small
# things better. And the mixture is no magic: whoever *knows* the right size does better with it
# alone. It is an insurance for those who do not.
#
# **Run it yourself**: other kernels, other counts, your own seed.

# %%
my_kernels, my_filters, my_seed = (3, 7), 24, 1
seen = kernel_sizes.see(my_kernels, my_filters, my_seed)
print({size: f"{seen[size]:.0%}" for size in (*SIZES, "all")})

# %% [markdown]
# ## Batch norm
#
# Since 2015 nearly every convolution (not the linear 1×1 of chapter 06) is followed by batch norm:
# subtract each channel's mean over the batch and all places, divide by its spread, then multiply by
# γ and add β, two learned numbers a channel. Ten layers whose weights start 30 % too small, with
# and without it (γ = 1, β = 0):


# %%
def spreads(norm, layers=10, gain=0.7, seed=0):
    """Standard deviation of the signal after each of ten 3×3 convolutions with ReLU."""
    torch.manual_seed(seed)
    x, found = torch.randn(16, 32, 8, 8), []
    for _ in range(layers):
        x = F.conv2d(x, gain * torch.randn(32, 32, 3, 3) * (2 / (32 * 9)) ** 0.5, padding=1)
        if norm:
            x = (x - x.mean((0, 2, 3), keepdim=True)) / (
                x.var((0, 2, 3), keepdim=True) + 1e-3
            ).sqrt()
        x = x.relu()
        found.append(x.std().item())
    return found


for norm in (False, True):
    print(
        "with batch norm   " if norm else "without batch norm", [round(s, 3) for s in spreads(norm)]
    )

# %% [markdown]
# Without it a small mistake is multiplied layer after layer; with it each layer starts afresh. At
# test time the batch's mean and spread are replaced by running averages, so that an image's answer
# does not depend on its neighbours.
#
# ## Label smoothing
#
# Inception-v3 also asks for less than certainty: of ten classes the right one should get 0.91, the
# others 0.01 each.

# %%
smoothing, classes = 0.1, 10
target = torch.full((classes,), smoothing / classes)
target[3] += 1 - smoothing
logits = torch.randn(classes, generator=torch.Generator().manual_seed(0))
by_hand = -(target * logits.log_softmax(0)).sum()
by_torch = F.cross_entropy(logits[None], torch.tensor([3]), label_smoothing=smoothing)
print(f"by hand {by_hand:.6f}, torch {by_torch:.6f}")

# %% [markdown]
# What changes is where it stops. Without smoothing the loss can always fall further by pushing the
# right logit up; with it there is a best distance, and going beyond costs:

# %%
gaps = torch.arange(0, 16, 0.5)
rows = torch.zeros(len(gaps), classes)
rows[:, 3] = gaps
label = torch.full((len(gaps),), 3)
for smoothing in (0.0, 0.1):
    loss = F.cross_entropy(rows, label, reduction="none", label_smoothing=smoothing)
    print(
        f"smoothing {smoothing}: smallest loss {loss.min():.3f}, the right logit leads by "
        f"{gaps[loss.argmin()]}"
    )
print(f"the formula: ln(0.91 / 0.01) = {torch.tensor(91.0).log():.2f}")

# %% [markdown]
# (15.5 is just where our list ends.) The paper at hand says nowhere whether it smooths labels; v3's
# paper does.
#
# ## The identity path
#
# The other ancestor is ResNet (2015). Fig. 1: two convolutions compute a *correction*, which is
# added to x itself.

# %%
figure(1)

# %% [markdown]
# Fig. 2 does the same on fewer channels, between two 1×1: the bottleneck again.

# %%
figure(2)

# %%
fig_1 = Residual(Chain(Conv(64, 3), Conv(64, 3, relu=False)))  # relu(x + body(x))
fig_2 = Residual(Chain(Conv(64, 1), Conv(64, 3), Conv(256, 1, relu=False)))
wide = Residual(Chain(Conv(256, 3), Conv(256, 3, relu=False)))
for name, node, shape in [
    ("Fig. 1", fig_1, (64, 56, 56)),
    ("Fig. 2", fig_2, (256, 56, 56)),
    ("Fig. 1 with 256 channels", wide, (256, 56, 56)),
]:
    print(f"{name:25}", end="")
    count(node, shape)

# %% [markdown]
# With 256 channels Fig. 2 does for a seventeenth of the cost what Fig. 1 would do: both keep the
# shape, else nothing could be added. What enters an addition must have the channels of what it is
# added to:

# %%
try:
    out_shape(fig_1, (256, 56, 56))
except SpecError as error:
    print(fill(str(error), 100))

# %% [markdown]
# What does the identity buy? A way for the gradient. We send a signal through 24 blocks of two 3×3
# convolutions and ask how long a gradient is that arrives at the first one; five seeds, no
# training. How large the first weights are matters as much, so there are two sizes of them, and
# batch norm:


# %%
def arrives(identity, gain=1.0, norm=False, blocks=24, seed=0):
    """Length of a gradient at the input of a stack, over its length at the output."""
    torch.manual_seed(seed)

    def conv(z):
        z = F.conv2d(
            z, gain * torch.randn(16, 16, 3, 3) / 12, padding=1
        )  # std 1/√fan-in, times gain
        return F.batch_norm(z, None, None, training=True) if norm else z

    x = torch.randn(4, 16, 8, 8, requires_grad=True)
    y = x
    for _ in range(blocks):
        body = conv(F.relu(conv(y)))
        y = F.relu(y + body) if identity else F.relu(body)
    there = torch.randn_like(y)
    (gradient,) = torch.autograd.grad(y, x, there)
    return (gradient.norm() / there.norm()).item()


# %%
STARTS = (
    ("std 1/√fan-in", 1.0, False),
    ("√2 larger", 2**0.5, False),
    ("with batch norm", 1.0, True),
)
for words, gain, norm in STARTS:
    for identity in (False, True):
        found = [arrives(identity, gain, norm, seed=seed) for seed in range(5)]
        print(
            f"{words:16} {'with' if identity else 'without':7} identity: {min(found):8.2g} to "
            f"{max(found):8.2g}"
        )

# %% [markdown]
# Small first weights: each ReLU halves the signal, and without the identity next to nothing
# arrives. Weights √2 larger (He's rule) make up for the ReLU, and now the *sum* grows from block to
# block, which chapter 08 is about. Batch norm alone turns vanishing into growth; with the identity
# it stays moderate. So the identity lets a deep stack depend less on how it starts. Whether
# Inception *needs* it is the question of this paper, and of chapter 10.
#
# ## Exercises


# %%
# exercise: Count a convolution | ●○○ | 4 min
# task: Write `multiply_adds(c, filters, h, w, kh, kw)` for a convolution with same padding and
# stride 1: `c` channels
#   come in on a map of `h`×`w`, `filters` go out, the kernel is `kh`×`kw`. Leave batch norm out.
# hint: Every number of the output is one sum. How many products are in it?
def multiply_adds(c, filters, h, w, kh, kw):
    # begin solution
    return c * filters * h * w * kh * kw
    # end solution
    # stub: return ...


# check:
check("01.1", multiply_adds)

# %%
# exercise: Where a 1×1 stops paying | ●●○ | 5 min
# task: 256 channels, a 3×3 with 256 filters. You may put a 1×1 with `m` filters in front. Below
# which `m` is the pair
#   cheaper than the 3×3 alone, in weights? Give the largest whole `m` that still saves something.
# hint: The pair has 256·m + 9·m·256 weights, the 3×3 alone 9·256·256.
# hint: 10·m < 9·256.
# begin solution
m = 230
# end solution
# stub: m = ...
# check:
check("01.2", m)

# %%
# exercise: Split the 7×7 | ●○○ | 4 min
# task: Describe a branch that sees 7×7 like `Conv(128, 7)`, as v3 does it: a 1×1 to 64 filters,
# then 1×7 with 64 and
#   7×1 with 128.
# hint: A kernel is `(height, width)`.
split = Chain(
    Conv(64, 1),
    # begin solution
    Conv(64, (1, 7)),
    Conv(128, (7, 1)),
    # end solution
    # stub: ...,
)
# check:
check("01.3", split)


# %%
# exercise: Smooth the labels | ●●○ | 6 min
# task: Write `smooth(labels, classes, amount)`: from N labels to N×classes targets. Every class
# gets
#   `amount / classes`, the right one `1 - amount` on top.
# hint: `F.one_hot(labels, classes)` is the target without smoothing.
def smooth(labels, classes, amount):
    # begin solution
    return (1 - amount) * F.one_hot(labels, classes) + amount / classes
    # end solution
    # stub: return ...


# check:
check("01.4", smooth)

# %% [markdown]
# ## In five lines
#
# 1. Branches let one layer look at several sizes; the next layer chooses.
# 2. A 1×1 first makes the dear kernels work on few channels.
# 3. 5×5 = two 3×3, n×n = 1×n and n×1: fewer weights for the same view; the clock often gives back
#    less than that.
# 4. Batch norm keeps the signal's size, label smoothing keeps the logits finite.
# 5. The identity path lets signal and gradient pass many blocks, whatever size the weights start
#    with; too many sums grow.
#
# **What would change our mind.** With trained filters and many layers the picture by size may
# differ: deep layers of 3×3 see everything anyway. If a network of 3×3 alone matched Inception at
# equal *measured* time, branches would be a historical detour. Later networks suggest it can come
# close.
#
# **Next.** Chapter 02: the stem, and the arithmetic of sizes.
