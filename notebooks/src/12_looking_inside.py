# %% [markdown]
# # Looking inside
#
# This chapter opens trained networks, block by block and branch by branch. It shows their feature
# maps, and which branch the 1×1 reads. It measures how far a value sees, and what a network needs
# for its answer. Last, it shows a dead channel from inside.
#
# **After this chapter you can**
#
# 1. open any block of a trained network and show its branches before and after they are joined;
# 2. measure which branch the 1×1 reads, which one the network needs, and how much a residual block
#    changes;
# 3. tell the pixels a value *could* see from those it *does* see.
#
# No training is needed: small trained networks come with the project.

# %% tags=["hide-input"]
# @title Imports
import torch
import torch.nn.functional as F

from inception_edu.data import data_dir, load
from inception_edu.describe import draw, measure, size_words
from inception_edu.labs.inside import feature_maps
from inception_edu.learn import accuracy
from inception_edu.nets import (
    ScaledResidual,
    build,
    covered,
    exciting,
    features,
    load_checkpoint,
    named_blocks,
    windows,
)
from inception_edu.study import mode
from inception_edu.teach import begin, check, claim, five_lines, opening_figure, outcome, plots
from inception_edu.teach import predict, say, table

folder = data_dir() / "checkpoints"
QUICK = mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("12.listening", "12.residual")

# %%
opening_figure("12")

# %% [markdown]
# ## The networks
#
# Each checkpoint is one safetensors file. Its header says how the network is made and what is known
# of it. Nothing in such a file can run code.

# %% tags=["hide-input"]
known = {path: load_checkpoint(path)[1] for path in sorted(folder.glob("*.safetensors"))}
table(
    [
        (path.stem, path.stat().st_size / 1e6, f["data"], f["test_accuracy"], f["test_images"])
        for path, f in known.items()
    ],
    ["checkpoint", "MB", "data", "right", "test images"],
    formats={"MB": ".1f", "right": ".1%"},
)

# %% [markdown]
# This is a block of the first network that we open. It is trained on clothes, in pictures of 32×32
# pixels.

# %% tags=["picture"]
model, facts = load_checkpoint(folder / "fashion_inception_resnet_v2.safetensors")
clothes = load("fashion")
images = clothes.normalise(clothes.test.images[:64])
block = model.description["inception_resnet_b"].node
draw(block, (144, 8, 8), title="A block of the network on clothes")

# %%
predict(
    "12.maps",
    "The first block works on 16×16 places, the last one on 4×4. How much of the last block's "
    "output is 0?",
    ["under a third", "about half", "over two thirds"],
)

# %% [markdown]
# ## Lab: open a block
#
# You see a picture, the network's answer, and one block with its branches. Try three things first:
#
# 1. Point at a tile. The frame on the picture is what this value *could* see, the shade is what it
#    *does* look at. Press the tile: its channel is shown large, with the pieces of test images that
#    excite it most, and their classes. Which channel of the last block fires for one class only?
# 2. Press a branch. It is switched off, and the network answers again.
# 3. Move *Training* back to before the first step. The features disappear, and the answer becomes
#    wrong. The "tower that dies" shows another way to lose them.
#
# *Why this answer* shows which places speak for a class, and for a second one. *Compare with* sets
# another network beside this one. A crossed-out tile is a channel that is 0 everywhere on this
# picture.
#
# Bring a picture of your own: choose it, drop it, paste it, or press *draw*. It is shrunk to 32×32
# pixels, as in training. *Enters at* lets it in larger. Then objects are larger than those the
# network has learned, so trust its answer less. Shown a person, the network still has to choose one
# of its classes.
#
# *Copy as code* gives a cell that opens the lab as you see it, for a report.

# %%
lab = feature_maps()

# %% [markdown]
# The same by hand: `features.inside` runs pictures through a network and returns the insides of one
# block.

# %%
at = features.inside(model, images, "inception_resnet_b.1")
parts = {"enters": at.input, **at.branches, "after the 1×1": at.change, "output": at.output}
table(
    [(name, size_words(tuple(maps.shape[1:]))) for name, maps in parts.items()],
    ["part", "of each image"],
)

# %%
zeros = {}
for name in ("inception_resnet_a.1", "inception_resnet_c.2"):
    maps = features.inside(model, images, name).output
    zeros[name] = (maps == 0).float().mean().item()
last = zeros["inception_resnet_c.2"]

# %% tags=["hide-input"]
more = "over two thirds" if last > 2 / 3 else "about half"
outcome(
    "12.maps",
    "under a third" if last < 1 / 3 else more,
    f"{last:.0%} of the last block's values are 0, {zeros['inception_resnet_a.1']:.0%} of the "
    "first block's. The first maps look like the picture: edges and patches. The last ones are a "
    "few squares that say *where* something was.",
)

# %% [markdown]
# Is that all of it? Then the parts must add up to the block. The branches, joined, go through the
# 1×1, and the output is $\mathrm{relu}(x + s\,\cdot$ change$)$.

# %%
module = features.block(model, "inception_resnet_b.1")
with torch.no_grad():
    change = module.body[1](torch.cat(list(at.branches.values()), 1))
    output = torch.relu(at.input + module.scale * at.change)
off = max((change - at.change).abs().max().item(), (output - at.output).abs().max().item())
say(f"Largest difference between the parts put together and the block: {off:.1g}.")

# %% [markdown]
# ## Which branch does the 1×1 read most strongly?
#
# Every output of the linear 1×1 is a weighted sum over all channels of the concatenation. The
# weights on one branch's channels tell how strongly that branch is read. A second network, trained
# on photographs, stands beside it. What both do is less likely to be chance.

# %%
photographs, _ = load_checkpoint(folder / "inception_resnet_v2.safetensors")
names = [name for name, part in named_blocks(model) if isinstance(part, ScaledResidual)]
heard = {name: features.listening(features.block(model, name)) for name in names}
others = {name: features.listening(features.block(photographs, name)) for name in names}

# %% tags=["hide-input"]
rows = []
for name in names:
    for i, branch in enumerate(features.branch_names(features.block(model, name))):
        rows.append((name if i == 0 else "", branch, heard[name][i], others[name][i]))
table(
    rows,
    ["block", "branch", "clothes", "photographs"],
    formats={"clothes": ".0%", "photographs": ".0%"},
    caption="Share of the 1×1's weights on each branch (root mean square)",
)

# %%
say("12.listening")

# %% [markdown]
# Large weights on a channel that is nearly 0 count for little. So we experiment, too: switch one
# branch off, and count how many test images are still named rightly.

# %%
predict(
    "12.loudest",
    f"In how many of the {len(names)} blocks is the branch that is read most strongly also the one "
    "whose loss costs most?",
    ["all", "most", "few"],
)

# %%
few = clothes.test[: 200 if QUICK else 500]
whole = accuracy(model, clothes, few)
effects = features.branch_effects(model, clothes, few)
same = sum(
    heard[name].index(max(heard[name])) == effects[name].index(max(effects[name])) for name in names
)

# %% tags=["hide-input"]
fig = plots.figure(8, 3.4)
axis = fig.add_subplot()
for i, mark in enumerate("os^"):
    having = [name for name in names if len(heard[name]) > i]
    axis.plot(
        [100 * heard[name][i] for name in having],
        [100 * effects[name][i] for name in having],
        mark,
        ms=7,
        color=plots.BRANCH_COLOURS[i],
        label=f"branch {i + 1}",
    )
axis.axhline(0, color="0.7", lw=0.8)
axis.set(xlabel="share of the 1×1's weights (%)", ylabel="accuracy lost without it (points)")
axis.legend()
plots.show(
    fig,
    "Accuracy lost when a branch is switched off, against the share of the 1×1's weights on that "
    f"branch: {sum(map(len, heard.values()))} branches of {len(names)} residual blocks, "
    f"{len(few)} test images, of which the whole network names {whole:.1%} rightly.",
)

# %% tags=["hide-input"]
some = "most" if same > len(names) / 2 else "few"
outcome(
    "12.loudest",
    "all" if same == len(names) else some,
    f"In {same} of {len(names)} blocks. One image is {100 / len(few):.1f} points here, so small "
    "losses are within chance.",
)

# %% [markdown]
# This is one network from one seed. It shows how to ask, not how Inception networks in general
# answer. The stem and the reductions have no identity path beside their branches. Do they lose
# more?

# %% tags=["hide-input"]
plain = {name: losses for name, losses in effects.items() if name not in names}
points = {f"without {i}": lambda loss: f"{100 * loss:.1f}" for i in range(1, 5)}
table(
    [(name, *losses, *[None] * (4 - len(losses))) for name, losses in plain.items()],
    ["block", *points],
    formats=points,
    caption=f"Points of accuracy lost without a branch, {len(few)} test images",
)

# %%
without, beside = (
    100 * max(max(losses) for block, losses in effects.items() if (block in names) == residual)
    for residual in (False, True)
)
say(
    f"Without one branch, up to {without:.0f} points of accuracy are lost where there is no "
    f"identity beside it, and up to {beside:.0f} points where there is one."
)

# %% [markdown]
# ## Residual and identity
#
# How much does a residual block add to what passes it by? Take the root mean square of *scale ×
# change*, and divide it by the sum of that and the identity's. At 50 % both are equally large.

# %%
predict(
    "12.share",
    "Training has made the residual's share larger in every block of this network. In which stage "
    "is it largest now?",
    ["A", "B", "C"],
)

# %%
trained = features.residual_shares(model, images)
fresh = features.residual_shares(build(model.description, seed=0), images)
largest = max(names, key=trained.get)

# %% tags=["hide-input"]
fig = plots.figure(8, 2.6)
axis = fig.add_subplot()
for k, (words, shares) in enumerate((("before training", fresh), ("trained", trained))):
    axis.plot(
        range(len(names)),
        [100 * shares[n] for n in names],
        "os"[k],
        ls=plots.DASHES[k],
        label=words,
    )
axis.set(xticks=range(len(names)), ylabel="share of the residual (%)", ylim=(0, None))
axis.set_xticklabels([n.removeprefix("inception_resnet_") for n in names])
axis.legend()
plots.show(
    fig,
    "Share of the residual in each block: "
    + "; ".join(f"{n} {fresh[n]:.0%} before, {trained[n]:.0%} after training" for n in names),
)

# %% tags=["hide-input"]
outcome(
    "12.share",
    largest.removeprefix("inception_resnet_")[0].upper(),
    f"{trained[largest]:.0%} in block {largest}. The identity stays the larger part everywhere. "
    "One network, one seed.",
)

# %% [markdown]
# ## What a value could see, and what it does see
#
# `measure` computes the theoretical receptive field: the pixels from which *some* path leads to a
# value. Few paths lead from most of these pixels, so they hardly matter. The gradient shows which
# pixels do (Luo et al., arXiv 1701.04128).

# %%
theory = {row.name: row.receptive_field[0] for row in measure(model.description).rows}
fields = {name: features.effective_field(model, images, name) for name, _ in named_blocks(model)}
seen = {name: features.field_radius(field) for name, field in fields.items()}
could = {name: min(theory[name], 32) for name in fields}

# %% tags=["hide-input"]
axis = plots.paired_bars(
    {"could see (at most the picture)": could, "95 % of the gradient": seen},
    xlabel="pixels a side",
    text="{:.0f}",
)
axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
plots.show(
    axis.figure,
    "Pixels a side that a value could see within the picture, and within which 95 % of its "
    "gradient lies: " + "; ".join(f"{n} {could[n]} and {seen[n]:.0f}" for n in fields) + ".",
)

# %% tags=["hide-input"]
shown = [n for n in fields if not n[-1].isdigit() or n.endswith(".1")]
fig = plots.image_grid(
    torch.stack([1 - fields[n].sqrt() for n in shown]),
    [n.removeprefix("inception_resnet_") for n in shown],
    columns=6,
    side=1.15,
    low=0,
    high=1,
)
plots.show(
    fig,
    "Effective receptive fields of the middle value of each block (dark: large gradient, square "
    "root "
    "taken): a small spot after the stem that grows from block to block.",
)

# %%
beyond = next(name for name in fields if theory[name] > 32)
say(f"The images have only 32 pixels a side. From {beyond} on, theory allows more than there is.")

# %% [markdown]
# ## What it needs: occlusion
#
# Cover a piece of the image with its black background. How far does the probability of the answer
# fall? (A grey square would be a new bright object. It shows what disturbs the network, not what it
# needs. Try `cover=0.0`.) `covered` moves a square of 8×8 pixels in steps of 4, as
# [captum](https://captum.ai)'s `Occlusion` does.

# %%
logits = model(images).detach()
labels = clothes.test.labels[:64]
chosen = (logits.argmax(1) == labels).nonzero().flatten()[: 4 if QUICK else 8].tolist()
black = images.min().item()
drops = []
for i in chosen:
    label = int(labels[i])
    falls = covered(model, images[i : i + 1], [label], patch=8, stride=4, cover=black)
    drops.append(torch.from_numpy(falls[label]))

# %% tags=["hide-input"]
grey = clothes.test.images[chosen, 0].float() / 255
worst = torch.stack([d.clamp_min(0) / d.clamp_min(0).max().clamp_min(1e-9) for d in drops])
both = torch.cat([grey, 1 - worst])
titles = [clothes.classes[clothes.test.labels[i]] for i in chosen] + [
    f"−{d.max():.2f}" for d in drops
]
plots.show(
    plots.image_grid(both, titles, columns=len(chosen), side=0.95, low=0, high=1),
    "Above: test images. Below: how far the probability of the right class falls where a black "
    "square covers "
    "the image (dark: far).",
)

# %% [markdown]
# ## What excites a channel
#
# For a few channels of one block: the test images that excite them most, cut to the receptive
# field. One channel a row.

# %%
name, channels = "inception_resnet_a.1", [0, 3, 7, 12]
top = exciting(model, few.images, clothes.normalise, [name], count=8)[name, "output"]


# %% tags=["hide-input"]
rows, columns = windows(model, name)


def cut(channel, place):
    low, high = rows.of(int(top.rows[channel, place]))
    left, right_ = columns.of(int(top.columns[channel, place]))
    image = few.images[int(top.images[channel, place])].float() / 255
    piece = image[:, max(0, low) : high, max(0, left) : right_]
    return F.interpolate(piece[None], (24, 24))[0]


pieces = torch.stack([cut(channel, place) for channel in channels for place in range(8)])
plots.show(
    plots.image_grid(pieces, columns=8, side=0.7, low=0, high=1),
    f"Pieces of test images that excite four channels of {name} most, one channel a row. "
    + " ".join(
        f"Channel {c}: "
        + ", ".join(sorted({clothes.classes[few.labels[i]] for i in top.images[c]}))
        + "."
        for c in channels
    ),
)

# %% [markdown]
# ## What a dead channel looks like from inside
#
# Here is a tower like those of chapter 09, with the paper's optimizer. It is saved twice: early,
# and after it has died. (The table at the top says that it is right more often after than before.
# Early it has hardly learned, and later a part of it still lives.) First the count of dead
# channels, block by block.

# %%
sample = clothes.test[:250]
towers, dead = {}, {}
for when in ("before", "after"):
    towers[when], _ = load_checkpoint(folder / f"dying_{when}.safetensors")
    masks = features.dead_channels(towers[when], clothes, sample)
    dead[when] = {block: 100 * mask.float().mean().item() for block, mask in masks.items()}

# %% tags=["hide-input"]
axis = plots.paired_bars(dead, xlabel="dead channels (%)", text="{:.0f}")
axis.legend(loc="upper right")
plots.show(
    axis.figure,
    "Dead channels of each block. After dying: "
    + ", ".join(f"{block} {share:.0f} %" for block, share in dead["after"].items())
    + f". Before: at most {max(dead['before'].values()):.0f} %.",
)

# %% [markdown]
# Now the last block's insides, on average over images, channels and places:

# %%
rows = []
for when, tower in towers.items():
    name = named_blocks(tower)[-1][0]
    last = features.inside(tower, images, name)
    below = (last.input + last.change <= 0).float().mean().item()
    bias = features.block(tower, name).body[1].bias.mean().item()
    rows.append((when, last.input.mean().item(), last.change.mean().item(), below, bias))
columns = ["", "identity", "change", "sum not above 0", "bias of the 1×1"]
table(rows, columns, formats=dict.fromkeys(columns, ".3f") | {"sum not above 0": ".0%"})

# %%
_, identity, change_, below, _ = rows[-1]
claim(
    "12.sum",
    change_ < -identity and below > 0.9,
    f"After dying the change is {change_:.2f} in the mean, and the identity {identity:.2f}. So "
    f"{below:.0%} of the sums are not above 0, and there the ReLU passes on 0.",
)

# %% [markdown]
# Where it passes on 0, it lets no gradient back to the change. Chapter 09 asks what pushes the
# change there.

# %% tags=["hide-input"]
fig = plots.figure(8, 2.6)
for k, (when, tower) in enumerate(towers.items()):
    last = features.inside(tower, images, named_blocks(tower)[-1][0])
    axis = fig.add_subplot(1, 2, k + 1)
    means = (last.input + last.change).mean((0, 2, 3))
    axis.hist(means.tolist(), bins=40, color=plots.COLOURS[k])
    axis.axvline(0, color="0.3", lw=1)
    axis.set(title=when, xlabel="identity + change, mean of a channel", ylabel="channels")
plots.show(
    fig,
    "Distribution over the 576 channels of the last block's sum before the ReLU, before and after "
    "dying.",
)

# %% [markdown]
# ## Why the answers are never quite sure
#
# Inception-v3's recipe uses *label smoothing*, and the networks on clothes and photographs were
# trained so. With smoothing of 0.1 and ten classes, the target is 0.91 for the right class and 0.01
# for each other class. (This paper does not say whether it smooths labels.) Without smoothing the
# loss always falls further when the right logit grows. With smoothing there is a best lead of the
# right logit over the others, $\ln(0.91 / 0.01) = 4.51$. A larger lead costs:

# %%
leads = torch.arange(0, 10, 0.25)
rows = torch.zeros(len(leads), 10)
rows[:, 3] = leads
label = torch.full((len(leads),), 3)
losses = {
    amount: F.cross_entropy(rows, label, reduction="none", label_smoothing=amount)
    for amount in (0.0, 0.1)
}

# %% tags=["hide-input"]
with torch.no_grad():
    logits = model(clothes.normalise(clothes.test.images[:500]))
labels = clothes.test.labels[:500]
own = logits.gather(1, labels[:, None])[:, 0]
lead = own - (logits.sum(1) - own) / 9
lead = lead[logits.argmax(1) == labels]
axis = plots.figure(7, 2.8).add_subplot()
for (amount, loss), dash in zip(losses.items(), ("--", "-")):
    axis.plot(leads, loss, dash, label=f"smoothing {amount:g}")
half = lead.quantile(torch.tensor([0.25, 0.75])).tolist()
axis.axvspan(*half, color="#d9d9d9", zorder=0, label="half of this network's leads")
axis.set(xlabel="lead of the right logit", ylabel="loss (nats)")
axis.legend()
plots.show(
    axis.figure,
    "Loss against the lead of the right logit, with and without smoothing. Grey: the middle half "
    f"of this network's leads on {len(lead)} test images that it names rightly, around "
    f"{lead.median():.1f}.",
)

# %% [markdown]
# **With the released ImageNet weights.** With a network connection and `timm` installed, the lab
# opens the released Inception-v4:
#
# ```python
# from inception_edu.labs.inside import Subject, feature_maps
# from inception_edu.nets import RELEASED, from_timm
# released = Subject(from_timm("inception_v4"), RELEASED["inception_v4"][2])
# feature_maps({"Inception-v4, ImageNet": released})
# ```
#
# A file of weights that you have already needs no connection: `found = passport("FILE")` says whose
# it is, and `Subject(found.load(), found.prepare)` takes it in. Its error on one crop, on a folder
# of validation pictures, is printed by `python -m inception_edu.learn.released FILE FOLDER`. Here
# it was tried with random weights and made-up pictures only.
#
# ## Exercises


# %%
# exercise: How strongly each branch is read | ●●○ | 6 min
# task: Write `listening(weight, channels)`: `weight` is the 1×1's kernel, out×in×1×1, `channels`
#   how many inputs each branch brings, in order. Return a list: the root mean square of the weights
#   on each branch's slice, as shares that sum to 1.
# hint: `weight.split(channels, dim=1)` cuts along the inputs.
def listening(weight, channels):
    # begin solution
    loud = [part.square().mean().sqrt() for part in weight.split(channels, dim=1)]
    return [float(x / sum(loud)) for x in loud]
    # end solution
    # stub: return ...


# check:
check("12.1", listening)


# %%
# exercise: A field of three layers | ●●○ | 5 min
# task: Three 3×3 convolutions with stride 1 follow each other. All weights are equal. Return, as a
#   list of 7 numbers with the middle one 1, the effective receptive field along one axis: the
#   number of ways from each pixel to the middle value, divided by the largest.
# hint: One layer: 1, 1, 1. Two layers: each value of the first is spread over three: 1, 2, 3, 2, 1.
# explain: Sums of independent steps look more and more like a bell: the theoretical field grows
#   with the number of layers, the effective one only with its square root.
def field_of_three():
    # begin solution
    return [1 / 7, 3 / 7, 6 / 7, 1, 6 / 7, 3 / 7, 1 / 7]
    # end solution
    # stub: return ...


# check:
check("12.2", field_of_three)


# %%
# exercise: Switch it off | ●●● | 8 min
# task: Write `without(model, images, name, branch)`: the logits of the network when one branch (1,
#   2, …) of a block gives zeros, N×classes. `features.concatenation(module)` finds the block's
#   concatenation, whose children are the branches. Leave the network as it was.
# hint: A forward hook that returns a tensor replaces the module's output.
# hint: `handle = module.register_forward_hook(f)`, and `handle.remove()` when you are done.
def without(model, images, name, branch):
    # begin solution
    join = features.concatenation(features.block(model, name))
    target = list(join.children())[branch - 1]
    handle = target.register_forward_hook(lambda module, inputs, out: torch.zeros_like(out))
    with torch.no_grad():
        logits = model(images)
    handle.remove()
    return logits
    # end solution
    # stub: return ...


# check:
check("12.3", without)


# %%
# exercise: Smooth the labels | ●●○ | 6 min
# task: Write `smooth(labels, classes, amount)`: from N labels to N×classes targets. Every class
#   gets `amount / classes`. The right class gets `1 - amount` on top of that.
# hint: `F.one_hot(labels, classes)` is the target without smoothing.
def smooth(labels, classes, amount):
    # begin solution
    return (1 - amount) * F.one_hot(labels, classes) + amount / classes
    # end solution
    # stub: return ...


# check:
check("12.4", smooth)

# %% [markdown]
# ## In five lines

# %%
five_lines(
    "12.listening",
    f"What is read most strongly is not always needed most. The two agree in {same} of "
    f"{len(names)} blocks of one network. Only switching off tells.",
    "12.residual",
    "12.field",
    "12.dead",
)

# %% [markdown]
# **What would change our mind.** Most numbers here come from one network and one seed. Train two
# more with `data/train_checkpoints.py --seed 1` and `--seed 2`. What stays the same belongs to the
# architecture. The rest is chance.
#
# **Next.** Chapters 08 and 09 for the cause of what you saw last; chapter 11 for what several such
# networks know together; chapter 13 to make one faster.
