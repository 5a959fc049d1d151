# %% [markdown]
# # Start here
#
# One paper as a laboratory: see its figures drawn from the code that runs, move a slider, retrain a
# small network in seconds, and watch each claim hold or fail.
#
# The paper is *Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning*
# by Szegedy, Ioffe, Vanhoucke and Alemi (arXiv 1602.07261, AAAI 2017). You need to know what a
# convolution is, and to have trained one network before.
#
# | | laptop, two cores |
# |---|---|
# | this chapter | 10 min |
# | of which you wait | 30 s |
#
# **After this chapter you can**
#
# 1. tell which device and which images your chapters use;
# 2. train a small Inception-ResNet and watch it learn;
# 3. use a lab: set, retrain, stop, compare.

# %%
import base64
import inspect
from dataclasses import replace
from html import escape
from pathlib import Path

import torch
from IPython.display import HTML

from inception_edu import data
from inception_edu.describe import Chain, Conv, Linear, Residual, draw, figures, networks
from inception_edu.study import experiments
from inception_edu.nets import build
from inception_edu.labs.scaling import scaling_lab
from inception_edu.learn import Recipe, default_device, plain_train, threads, train

# %% [markdown]
# ## The map
#
# Chapters 01 to 07 build the networks, block by block; 08 to 11 test what the paper says about
# training them; 12 looks inside, and 13 makes them faster. Each can be read alone.

# %%
scaled = Residual(Chain(Conv(64, 1), Conv(64, 3), Linear(256)), scale=0.1, name="scaled residual")
CHAPTERS = [
    (
        "01_from_googlenet_to_v3",
        "From GoogLeNet to v3",
        "why branches, and why 7×7 became 1×7 and 7×1",
        networks.inception_v3()["mixed_6b"].node,
    ),
    ("02_stem", "The stem", "from 299×299 pixels to a 35×35 map", figures.StemV4()),
    (
        "03_inception_modules",
        "Inception modules",
        "Figs. 4 to 6, by hand and from a description",
        figures.InceptionA(),
    ),
    ("04_reductions", "Reductions", "halving the grid without a bottleneck", figures.ReductionB()),
    (
        "05_inception_v4",
        "Inception-v4",
        "assembled; where parameters and work sit",
        figures.InceptionB(),
    ),
    (
        "06_inception_resnet",
        "Inception-ResNet",
        "v1 and v2; arithmetic finds the misprints",
        figures.InceptionResNetA_v2(),
    ),
    (
        "07_paper_and_code",
        "Paper and code",
        "three networks of one name",
        figures.InceptionResNetC_v2(),
    ),
    ("08_residual_scaling", "Residual scaling", "a small constant before the addition", scaled),
    (
        "09_dying_networks",
        "Dying networks",
        "how wide networks die, and every remedy",
        figures.InceptionResNetC_v1(),
    ),
    (
        "10_the_race",
        "The race",
        "residual against non-residual at equal cost",
        figures.InceptionResNetB_v1(),
    ),
    (
        "11_crops_and_ensembles",
        "Crops and ensembles",
        "what many looks and many networks add",
        figures.InceptionC(),
    ),
    (
        "12_looking_inside",
        "Looking inside",
        "feature maps, branches, receptive fields",
        figures.InceptionResNetB_v2(),
    ),
    (
        "13_making_it_fast",
        "Making it fast",
        "the same outputs in less time",
        figures.ReductionB_v2(),
    ),
]


# %% tags=["hide-input"]
def card(name, title, words, node):
    file = Path(f"{name}.ipynb")
    head = f"{name[:2]} · {escape(title)}"
    link = f'<a href="{file}" style="color:#0b57a4">{head}</a>' if file.exists() else head
    svg = base64.b64encode(draw(node).encode()).decode()
    picture = (
        f'<img alt="{escape(title)}: a block drawn from its description" '
        f'style="height:150px;width:100%;object-fit:contain" src="data:image/svg+xml;base64,{svg}">'
    )
    return (
        '<div style="border:1px solid #d0d0d0;border-radius:8px;padding:8px;background:#fff;'
        f'color:#222">{picture}<div style="font-weight:600;margin-top:6px">{link}</div>'
        f"<div>{escape(words)}</div></div>"
    )


HTML(
    '<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:10px">'
    + "".join(card(*chapter) for chapter in CHAPTERS)
    + "</div>"
)

# %% [markdown]
# ## What runs where
#
# | | needs | what you get |
# |---|---|---|
# | laptop | two cores, no GPU, no internet | everything; small networks, seconds a run |
# | Colab | a browser | the same; labs keep the notebook busy while they train, *Stop* still works |
# | a GPU of your own | CUDA or Apple's MPS | the same; `INCEPTION_EDU_MODE=full` runs longer |
#
# The device is found by itself; `INCEPTION_EDU_DEVICE=cpu` overrules it.

# %%
print(
    "device:",
    default_device(),
    "· torch",
    torch.__version__,
    "· threads",
    torch.get_num_threads(),
    "· mode",
    experiments.mode(),
)

# %% [markdown]
# ## Images
#
# 10,000 training and 2,000 test images of clothes come with the project (a part of Fashion-MNIST).
# All chapters run with them, offline.

# %%
clothes = data.load("fashion")
print(clothes.describe())

# %% [markdown]
# Some experiments were made on CIFAR-10, 60,000 small colour photographs. You need them only to
# *repeat* those runs. Set `True` to fetch them, once; a copy that is already there is found.

# %%
FETCH_PHOTOGRAPHS = False  # 163 MiB
if FETCH_PHOTOGRAPHS:
    print(data.load("cifar10").describe())

# %% [markdown]
# ## A first run
#
# A small Inception-ResNet: the blocks of Figs. 10, 11 and 13 with an eighth of the filters.
#
# **Predict.** Ten classes, so guessing is right one time in ten. After 60 batches of 64 images, how
# often will the network be right on images that it has not seen: 20 %, 60 % or 95 %? The next cell
# tells.

# %%
small = networks.mini(networks.inception_resnet_v1(), width=1 / 8, repeats=(1, 1, 1))
model = build(small, seed=0).to(default_device())
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
history = train(model, clothes, Recipe(steps=60, batch_size=64, lr=0.05, seed=0))
print(history.sentence)

# %% [markdown]
# ## The loop on one page
#
# `train` records and tests on the way. Without that, the loop fits on a page:

# %%
print(inspect.getsource(plain_train))

# %% [markdown]
# Both give the same losses, to the last bit. The seed fixes the first weights, the order of the
# images and every other random number of a run.

# %%
recipe = Recipe(steps=5, batch_size=64, lr=0.05, record_every=1, precision="float32")
few = replace(clothes, test=clothes.test[:100])
with threads(1):
    records = train(build(small, seed=0), few, recipe).records
    losses = plain_train(build(small, seed=0), few, recipe)
print([f"{loss:.4f}" for loss in losses])
print("the same to the last bit:", losses == [record.loss for record in records])

# %% [markdown]
# One more thing must be the same: the number of processor threads. Two threads add up the same
# numbers in another order than one. After some steps the losses then differ in their first digits.
# `train` measures whether one thread or all are faster just now, and takes those. Write
# `with threads(1):`, or set `INCEPTION_EDU_THREADS=1`, where a run must repeat exactly. All
# recorded runs have one thread.

# %%
print("threads in the first run above:", history.threads)

# %% [markdown]
# ## A first lab
#
# Every lab works like this one. Move a slider (drag, arrow keys, or type a number): what recorded
# runs did with such settings shows at once, and the strip under the slider says where networks live
# and die. Bet, press **Retrain**, and watch; **Stop** ends the run, **Reset** forgets all runs.
#
# The settings as they stand are a residual network of ten blocks and the paper's optimizer (RMSProp
# with decay 0.9 and ε 1) at a high rate, so that a few dozen steps are enough to see what happens.
# Press *Retrain*. Then set *scale* to 0.1 and press it again. What changes, and where first?

# %%
lab = scaling_lab()

# %% [markdown]
# What you have just seen is Section 3.3 of the paper. Chapter 08 takes it apart.
#
# ## In five lines
#
# - Every figure you will see is drawn from the description that builds the network.
# - Every number is computed in the cell above it, or read from committed runs that name their seeds
#   and device.
# - Everything runs on a laptop without internet; a GPU only makes it faster.
# - A lab trains in seconds, says beforehand if it takes longer, and can be stopped.
# - *Predict* before you run: the surprises are what you learn from.
#
# **Next:** chapter 01, or straight to 08 if the lab made you curious.
