# %% [markdown]
# # The stem
#
# Before the first Inception block, six steps turn 299×299×3 into 35×35×384 (Fig. 3). Every size on
# the way follows from one line of arithmetic, and so does the smallest image that the network can
# take: 75×75.
#
# **After this chapter you can**
#
# 1. compute the size of any map from input, kernel, stride and padding, and read a V in a figure;
# 2. follow 299 → 149 → 147 → 147 → 73 → 71 → 35, and go back to the smallest possible image;
# 3. say which padding makes a concatenation break, and mend it.

# %% tags=["hide-input"]
# @title Imports
import torch
from torch import nn

from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    MaxPool,
    StemV3,
    draw,
    figure,
    figures,
    measure,
    networks,
    out_shape,
    slide,
    smallest_image,
    with_padding,
)
from inception_edu.nets import build
from inception_edu.study import experiments
from inception_edu.teach import begin, check, costs, count_and_time, five_lines, milliseconds
from inception_edu.teach import opening_figure, outcome, plots, predict, refusal, say, shapes, table

QUICK = experiments.mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("02.sides", "02.smallest", "02.misprint")

# %%
opening_figure("02")

# %% [markdown]
# ## The figure

# %% tags=["picture"]
figure(3)

# %% [markdown]
# Read the figure from the bottom. A **V** means *valid*: no padding, so the window stays inside the
# map. Without a V the padding is *same*: $(k-1)/2$ zeros stand on each side of the map ($k$ is
# odd). With same padding and stride 1 the map keeps its size. With stride $s$ it becomes
# $\lceil n/s \rceil$. In this figure every stride of 2 comes with a V.

# %%
predict(
    "02.first-map",
    'The first convolution is "3×3 Conv (32 stride 2 V)". It makes a map of 149×149 from 299×299 '
    "pixels. How large is its map of an image of 300×300?",
    ["149", "150", "151"],
)

# %% [markdown]
# ## One line of arithmetic
#
# A window of $k$ pixels moves by $s$ over $n$ pixels. There are $p$ zeros on each side. The window
# stops at $\lfloor (n + 2p - k) / s \rfloor + 1$ places. The description uses this same line:

# %%
steps = [
    ("3×3 /2 V", 299, 3, 2, "valid"),
    ("3×3 V", 149, 3, 1, "valid"),
    ("3×3", 147, 3, 1, "same"),
    ("3×3 pool /2 V", 147, 3, 2, "valid"),
]
table(
    [(words, n, slide(n, k, s, padding)) for words, n, k, s, padding in steps],
    ["window", "pixels", "places"],
)

# %% tags=["hide-input"]
outcome(
    "02.first-map",
    str(slide(300, 3, 2, "valid")),
    "The left edge of the window can stand on pixel 0, 2, 4, …, 296, as with 299 pixels. From 298 "
    f"the window would stick out. Same padding would give {slide(300, 3, 2, 'same')}.",
)

# %% [markdown]
# The first three steps have no branches. We write them as a description. The shape after each step
# is computed from it:

# %%
first = Chain(
    Conv(32, 3, stride=2, padding="valid"),
    Conv(32, 3, padding="valid"),
    Conv(64, 3),
)
shapes(first, (3, 299, 299))

# %% [markdown]
# ## Move the window yourself
#
# A pixel crossed out in orange is read by no window. Choose *nothing* beside the convolution, and
# find a padding with which 3×3, stride 1 keeps the size. Then put *3×3 pool, stride 2, V* beside it
# again. Which settings can be joined with it? Is any pixel lost at 16 pixels a side?

# %%
from inception_edu.labs.convolution import convolution_lab

moving = convolution_lab(size=15, stride=2, beside="3×3 pool, stride 2, V")

# %% [markdown]
# The size 299 is a good choice: at every stride of 2 the last window ends exactly on the last
# pixel. Which pixels of a row does the stem not read at all? Their gradient is zero:


# %%
def unread(side):
    """Columns of an image that no value of the stem's output depends on."""
    x = torch.zeros(1, 1, 1, side, requires_grad=True)
    y = x
    for k, s, padding in [(3, 2, 0), (3, 1, 0), (3, 1, 1), (3, 2, 0), (3, 1, 0), (3, 2, 0)]:
        y = nn.functional.conv2d(y, torch.ones(1, 1, 1, k), stride=(1, s), padding=(0, padding))
    y.sum().backward()
    return int((x.grad == 0).sum()), y.shape[-1]


table(
    {side: unread(side) for side in (299, 300, 305, 306, 307)},
    ["side of the image", "unread columns", "side of the output"],
)

# %% [markdown]
# ## Two branches, one size
#
# From here on the stem has branches. A max pool, which has no weights, and a convolution halve the
# map side by side. Their channels are joined. This works only if both maps have **one size**:

# %%
join_1 = Concat(MaxPool(3, 2, "valid"), Conv(96, 3, 2, "valid"), out=160)
draw(join_1, (64, 147, 147), title="Join 1")

# %% [markdown]
# 64 channels pass through the pool and 96 are new: 160. Now we forget the V of the convolution.

# %%
predict(
    "02.join",
    "147 pixels enter both branches. Which sizes meet at the join?",
    ["73 and 73", "73 and 74", "74 and 74"],
)

# %%
forgotten = Concat(MaxPool(3, 2, "valid"), Conv(96, 3, 2), name="Join 1, a V forgotten")
draw(forgotten, (64, 147, 147), wrong=True)

# %%
refusal(out_shape, forgotten, (64, 147, 147))

# %% tags=["hide-input"]
meet = sorted(out_shape(branch, (64, 147, 147))[1] for branch in forgotten.branches)
outcome(
    "02.join",
    " and ".join(map(str, meet)),
    "The pool with V gives ⌊(147 − 3)/2⌋ + 1 = 73, same padding gives ⌈147/2⌉ = 74. One pixel is "
    "enough: the maps cannot be joined.",
)

# %% [markdown]
# The second join is wider. One branch has a 3×3 after a bottleneck. The other has 7×1 and 1×7
# before its 3×3. Only the two last convolutions are V.

# %%
join_2 = Concat(
    Chain(Conv(64, 1), Conv(96, 3, padding="valid")),
    Chain(Conv(64, 1), Conv(64, (7, 1)), Conv(64, (1, 7)), Conv(96, 3, padding="valid")),
    out=192,
)
join_3 = Concat(Conv(192, 3, 2, "valid"), MaxPool(3, 2, "valid"), out=384)
stem = Chain(*first.parts, join_1, join_2, join_3)

# %% [markdown]
# That is all of Fig. 3. First the shapes, computed from the description. Then a random image goes
# through the real module, as a test:

# %%
shape, rows = (3, 299, 299), []
for part in stem.parts:
    shape = out_shape(part, shape)
    rows.append((type(part).__name__, shape))
table(rows, ["after a", "output C×H×W"])

# %%
side = 139 if QUICK else 299
module = build(stem, in_channels=3, seed=0).eval()
with torch.inference_mode():
    seen = module(torch.randn(1, 3, side, side)).shape
assert stem.parts == figures.StemV4().parts
assert tuple(seen[1:]) == out_shape(stem, (3, side, side))
say(f"torch and the description agree: {'×'.join(map(str, seen[1:]))}.")

# %% [markdown]
# ### What the print leaves out
#
# Join 3 is printed as "3×3 Conv (192 V)", without a stride. Here is what happens if we build it as
# printed:

# %%
literal = Concat(Conv(192, 3, padding="valid"), MaxPool(3, 2, "valid"), name="Join 3 as printed")
refusal(out_shape, literal, (192, 71, 71))

# %% [markdown]
# The pool beside the convolution halves the map, and the figure prints 35×35×384 as the output. So
# the stride of 2 is missing in the drawing. The released code has it. Arithmetic found a misprint.
#
# ## Why 75
#
# We walk backwards. Reduction-B is the last block that shrinks the map. Its 3×3 window must fit
# once, so Reduction-A must leave 3 places, and so on, down to the image. The cell tries how many
# pixels a V window needs, one more at a time. (Exercise 02.3 asks for the formula.) Same padding
# with stride 1 leaves as many pixels as enter, so the table leaves it out.

# %%
windows = {
    "Reduction-B": (3, 2),
    "Reduction-A": (3, 2),
    "join 3": (3, 2),
    "join 2": (3, 1),
    "join 1": (3, 2),
    "3×3 V": (3, 1),
    "3×3 /2 V": (3, 2),
}


def pixels(stops, k, s):
    """The fewest pixels on which a V window of `k` with stride `s` stops so often."""
    side, window = k, MaxPool(k, s, "valid")
    while out_shape(window, (1, side, side))[1] < stops:
        side += 1
    return side


side, needs_pixels = 1, {}
for name, (k, s) in windows.items():
    side = pixels(side, k, s)
    needs_pixels[name] = side
assert side == smallest_image(networks.inception_v4())
table(needs_pixels, ["window", "pixels that must enter it"])

# %% [markdown]
# An image of 75 pixels ends as a single pixel. With one pixel less the network cannot run, and the
# error says where:

# %%
refusal(measure, networks.inception_v4(), 74)

# %% [markdown]
# ## Lab: shapes of the whole network
#
# **Your task.** Move the image size and switch the padding. Find out where each setting fails.
# What does "same everywhere" change at 299 pixels, and how much more does it cost?

# %%
from inception_edu.labs.shapes import shape_explorer

explorer = shape_explorer("inception_v4", image=299)

# %% [markdown]
# ## The other stem
#
# Inception-ResNet-v1 has a plain stem without branches, Fig. 14. Both stems end on 35×35, one with
# 384 channels, the other with 256.

# %%
figure(14)

# %%
stems = {"Fig. 3": figures.StemV4(), "Fig. 14": figures.StemV1(), "Inception-v3": StemV3()}
costs(stems, (3, 299, 299))

# %%
say("02.two-stems")

# %% [markdown]
# Now the clock: the processor time of one image's way through each stem, on one core.

# %%
predict(
    "02.time",
    "How much of Fig. 3's time does Fig. 14 need, compared with its share of the multiply-adds?",
    ["less", "the same, within a tenth", "more"],
)

# %%
side = 107 if QUICK else 299
time, macs = {}, {}
for name, node in stems.items():
    time[name] = milliseconds(node, (3, side, side), batch=1)
    macs[name] = measure(node, (3, side, side)).macs
by_count = {name: value / macs["Fig. 3"] for name, value in macs.items()}
by_clock = {name: value / time["Fig. 3"] for name, value in time.items()}

# %%
count_and_time(by_count, by_clock, f"Fig. 3 = 1, at {side}×{side} pixels")

# %% tags=["hide-input"]
gain = by_clock["Fig. 14"] / by_count["Fig. 14"]
more = "more" if gain > 1.1 else "the same, within a tenth"
outcome(
    "02.time",
    "less" if gain < 0.9 else more,
    f"Here Fig. 14 has {by_count['Fig. 14']:.2f} of the multiply-adds and takes "
    f"{by_clock['Fig. 14']:.2f} of the time. Another machine may give another answer: some move "
    "large maps slowly, some are slow at small convolutions.",
)

# %% [markdown]
# ## Experiment: how far does padding reach?
#
# Zeros around a map carry information: they tell a filter that it stands at the border. We show the
# stem an image that is grey everywhere. Without padding, all places of the output must then be
# equal. Where a place differs, padding is the cause.


# %%
def touched(node, seed, side=139):
    """Share of the output's places where a grey image gets another answer than in the centre."""
    module = build(node, 3, seed=seed).eval()
    with torch.inference_mode():
        y = module(torch.full((1, 3, side, side), 0.5, dtype=torch.float32))[0]
    centre = y[:, y.shape[1] // 2, y.shape[2] // 2]
    off = (y - centre[:, None, None]).abs().amax(0)
    return (off > 1e-3 * centre.abs().max()).float().mean().item()


# %%
SEEDS, SIDES = (range(2), (75, 139)) if QUICK else (range(5), (139, 299))
tried = {}
for number, node in (("Fig. 3", figures.StemV4()), ("Fig. 14", figures.StemV1())):
    tried[f"{number}, as printed"] = node
    tried[f"{number}, same everywhere"] = with_padding(node, "same")
    tried[f"{number}, V everywhere"] = with_padding(node, "valid")

# %% [markdown]
# One of the six cannot run. In join 2 of Fig. 3 one branch contains 7×1 and 1×7. With V everywhere
# it loses six pixels, which the other branch keeps:

# %%
refusal(out_shape, tried.pop("Fig. 3, V everywhere"), (3, 299, 299))

# %%
share = {
    name: {side: [touched(node, seed, side) for seed in SEEDS] for side in SIDES}
    for name, node in tried.items()
}

# %% tags=["hide-input"]
small, large = SIDES
axis = plots.paired_bars(
    {
        f"{side}×{side} image": {
            name: 100 * sum(found[side]) / len(SEEDS) for name, found in share.items()
        }
        for side in SIDES
    },
    xlabel="% of the map's places that padding reaches",
    text="{:.0f} %",
)
plots.show(
    axis.figure,
    "Share of places reached by padding: "
    + ", ".join(
        f"{name} {found[small][0]:.0%} at {small} pixels, {found[large][0]:.0%} at {large}"
        for name, found in share.items()
    ),
)

# %% tags=["hide-input"]
spread = max(max(v) - min(v) for found in share.values() for v in found.values())
printed = share["Fig. 3, as printed"]
say(
    f"**Verdict** ({len(SEEDS)} seeds, which differ by {100 * spread:.1f} points at most). In "
    f"Fig. 3 as printed, padding reaches {printed[small][0]:.0%} of the map of a {small}×{small} "
    f"image and {printed[large][0]:.0%} at {large}×{large}. In Fig. 14 it reaches "
    f"{share['Fig. 14, as printed'][large][0]:.0%} at {large}×{large}. With V everywhere, Fig. 14 "
    f"still runs, and padding reaches {share['Fig. 14, V everywhere'][large][0]:.0%}."
)

# %% [markdown]
# The shares follow from geometry, so the draw of the weights does not change them. Fig. 3 needs
# same padding in the middle of its branches, so that they meet again.

# %% [markdown]
# The weights are random. So the experiment shows how far padding *can* reach, not what a trained
# network does with it.
#
# ## Exercises


# %%
# exercise: The window | ●○○ | 3 min
# task: Write `places(n, k, s, p)`: at how many places a window of `k` pixels stops that moves by
#   `s` over `n` pixels with `p` zeros on **each** side.
# hint: The last place must not stick out: count how far the window can move, in steps of `s`.
# hint: `//` rounds down.
def places(n, k, s, p):
    # begin solution
    return (n + 2 * p - k) // s + 1
    # end solution
    # stub: return ...


# check:
check("02.1", places)

# %%
# exercise: 224 pixels | ●○○ | 4 min
# task: ResNet takes 224×224 images. Which shape (channels, height, width) would leave the stem of
#   Fig. 3? Work it out with your `places`, or on paper.
# hint: 224 → 111 → 109 → 109 → …
# begin solution
leaves = (384, 25, 25)
# end solution
# stub: leaves = ...
# check:
check("02.2", leaves)


# %%
# exercise: Backwards | ●●○ | 4 min
# task: Write `needs(m, k, s)`: how many pixels a V window of `k` with stride `s` needs at least to
#   stop at `m` places. Then `needs(needs(1, 3, 2), 3, 2)` is what Reduction-A needs. Walk on
#   through Fig. 14: what is the smallest image of Inception-ResNet-v1?
#   (`smallest_image(networks.inception_resnet_v1())` tells.)
# hint: The first place takes `k` pixels, every further one `s` more.
def needs(m, k, s):
    # begin solution
    return (m - 1) * s + k
    # end solution
    # stub: return ...


# check:
check("02.3", needs)

# %%
# exercise: Write Fig. 14 | ●●○ | 6 min
# task: Describe the stem of Inception-ResNet-v1: 299×299×3 → 35×35×256. The picture stands above.
# hint: No branches: one `Chain` of seven parts.
# hint: The numbers on the edges tell where the map shrinks by 2 (V) and where it halves (stride 2,
#   V).
fig_14 = Chain(
    Conv(32, 3, 2, "valid"),
    # begin solution
    Conv(32, 3, padding="valid"),
    Conv(64, 3),
    MaxPool(3, 2, "valid"),
    Conv(80, 1),
    Conv(192, 3, padding="valid"),
    Conv(256, 3, 2, "valid"),
    # end solution
    # stub: ...,
)
# check:
check("02.4", fig_14)


# %%
# exercise: Mend join 2 | ●●○ | 6 min
# task: Somebody wrote join 2 by hand and it does not run: run the check first, it says where the
#   sizes differ. Then mend `long`.
# hint: A 7×1 kernel loses six rows unless it is padded: `padding=(3, 0)`, height first.
# explain: The 7×1 and the 1×7 keep the map. The last 3×3 stays V in both branches.
def unit(channels, filters, kernel, padding=0):
    conv = nn.Conv2d(channels, filters, kernel, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU())


class Join2(nn.Module):
    def __init__(self):
        super().__init__()
        self.short = nn.Sequential(unit(160, 64, 1), unit(64, 96, 3))
        # begin solution
        self.long = nn.Sequential(
            unit(160, 64, 1),
            unit(64, 64, (7, 1), (3, 0)),
            unit(64, 64, (1, 7), (0, 3)),
            unit(64, 96, 3),
        )
        # end solution
        # stub: self.long = nn.Sequential(unit(160, 64, 1), unit(64, 64, (7, 1)),
        # stub:                           unit(64, 64, (1, 7)), unit(64, 96, 3))

    def forward(self, x):
        return torch.cat([self.short(x), self.long(x)], dim=1)


# check:
check("02.5", Join2)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "A window stops at ⌊(n + 2p − k)/s⌋ + 1 places. V means p = 0. Without a V and with stride 1 "
    "the size stays.",
    "02.sides",
    "02.one-pixel",
    "02.smallest",
    "02.misprint",
)

# %% [markdown]
# **What would change our mind.** Somebody trains a stem with padding everywhere on ImageNet to the
# end, at equal cost. If it is clearly better or worse than the printed stem, then V does more than
# save pixels. The paper does not try this.
#
# **Next.** Chapter 03: the blocks that work on these 35×35 maps.
