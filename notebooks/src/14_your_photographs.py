# %% [markdown]
# # Your photographs
#
# A folder of your own pictures becomes the data of the race, of the ensemble and of the look
# inside. First you see what small collections of photographs gave in recorded runs, so that you
# know what to expect of yours.
#
# **After this chapter you can**
#
# 1. lay out a folder so that every lab and every function of this collection reads it;
# 2. say what may be expected of so many pictures, and how sure a number from your test images is;
# 3. race two networks on your pictures, let several of them vote, and look inside one.

# %% tags=["hide-input"]
# @title Imports
from dataclasses import replace
from textwrap import shorten

from inception_edu import study
from inception_edu.data import load
from inception_edu.labs.ensembles import ensembles_lab
from inception_edu.labs.inside import feature_maps
from inception_edu.labs.race import race_lab
from inception_edu.labs.subjects import own_subject
from inception_edu.learn import interval
from inception_edu.study import RACERS, Config, experiments
from inception_edu.teach import begin, contrasts, five_lines, in_training, opening_figure, outcome
from inception_edu.teach import plots, predict, provenance, race_gaps, say, table

QUICK = experiments.mode() == "quick"
begin()

# %% [markdown]
# ## What this chapter shows

# %%
say("14.size", "14.together")

# %%
opening_figure("14")

# %% [markdown]
# ## A folder
#
# Make one folder for each class, with its pictures in it. The names of the folders are the names of
# the classes. Two classes are enough to begin, and 50 pictures a class.
#
# ```text
# garden/
#     oak/      img_01.jpg  img_02.jpg  …
#     birch/    holiday.png …
# ```
#
# Pictures may have any size. The shorter side is scaled to 64 pixels, or to 32 where all pictures
# have 32×32, and the middle is kept. A fifth of each class is held back for the test. Where there
# are folders `train` and `test` inside, these are taken. What cannot be read is named and left out.
#
# Write the path here: a whole path, one that begins with `~` (your home folder), or one that begins
# in the folder of this notebook. Use `/` between folders, on Windows too. Everything below then
# works with your pictures. Without a path, 50 pictures a class of the clothes stand in for them.

# %%
SOURCE = "fashion"  # or "folder:PATH", for example "folder:~/Pictures/garden"
PER_CLASS = 50 if SOURCE == "fashion" else None
own = load(SOURCE)
say(own.describe())

# %%
first = own.samples(1, "train")[:, 0]
plots.show(
    plots.image_grid(first[:20], [shorten(name, 14, placeholder="…") for name in own.classes[:20]]),
    f"The first training picture of each class of {own.name}: {', '.join(own.classes[:20])}.",
)

# %% [markdown]
# ## What to expect
#
# Two small networks of equal cost, Inception-v4 and Inception-ResNet-v2, were trained on a few
# photographs of each of ten classes. The photographs are those of CIFAR-10, 32×32 pixels, the first
# ones of each class. All runs are tested on the same new photographs.

# %%
runs = study.load_results("own_photographs")
provenance(runs)

# %%
predict(
    "14.memory",
    "After training on 50 pictures a class: is the network right more often on these pictures than "
    "on new ones, and by how many points?",
    ["by less than 10 points", "by 10 to 40 points", "by more than 40 points"],
)

# %% tags=["hide-input"]
known, new = study.summarise(runs, in_training), study.summarise(runs)
trained = {run.label: run.data["train"] for run in runs}
shown = runs[0].config.recipe.steps * runs[0].config.recipe.batch_size
passes = {label: shown / count for label, count in trained.items()}
table(
    [(label, passes[label], known[label].text(), new[label].text()) for label in new],
    [
        "network and pictures",
        "times each is seen",
        "right on training pictures",
        "right on new ones",
    ],
    formats={"times each is seen": ".0f"},
)

# %% tags=["hide-input"]
fewest = [label for label in new if label.endswith(", 50 a class")]
gaps = [100 * (known[label].mean - new[label].mean) for label in fewest]
gap = sum(gaps) / len(gaps)
more = "10 to 40" if gap <= 40 else "more than 40"
answer = "less than 10" if gap < 10 else more
told = " and ".join(f"{each:.0f}" for each in gaps)
outcome(
    "14.memory", f"by {answer} points", f"By {gap:.0f} points, the mean of two networks: {told}."
)

# %%
say("14.size", "14.memory")

# %% [markdown]
# All runs have equally many steps. So the more pictures there are, the fewer times a run sees each
# of them. What a longer training would add was not measured.
#
# ### How sure is a number from your test images?
#
# A share that is counted on few images is uncertain, whatever the network is. Suppose that 60 of
# 100 test images are named rightly. This is the 95 % interval for other images of the same kind:

# %%
counted = {}
for images in (20, 100, 400, 2000):
    low, high = interval(round(0.6 * images), images)
    counted[images] = f"{low:.0%} to {high:.0%}"
table(counted, ["test images", "60 % right: the interval"])

# %% [markdown]
# ## The race
#
# The lab of chapter 10, with your pictures. Ask one question before you press *Race*: which of the
# two networks will be right more often, and by how much? The button says how long a race takes.
# Then race three seeds. One race shows little.

# %%
racing = race_lab(SOURCE, pair="Inception-v4 / Inception-ResNet-v2")

# %% [markdown]
# The recorded runs of the same two networks:

# %%
contrasts(
    {f"{count} a class": gap for count, gap in race_gaps().items()},
    "Accuracy of Inception-ResNet-v2 minus Inception-v4, paired by seed",
)

# %%
say("14.race")

# %% [markdown]
# ## A vote
#
# Now train the paper's mixture on your pictures: one Inception-v4 and three Inception-ResNet-v2. A
# configuration says all that a run needs. Four trainings are the longest wait of this chapter, and
# pictures of 64×64 take longer than those of 32×32. So the wait has a limit, `SECONDS`. Where 150
# steps each do not fit, the networks get fewer steps, or there are fewer networks. The cell says
# which. More seconds give better networks.

# %%
recipe = replace(study.RACE, lr=0.055, steps=20 if QUICK else 150, evaluate_every=None)
arguments = dict(width=1 / 16, image=28, classes=len(own.classes))
shared = dict(data=SOURCE, per_class=PER_CLASS, after="few crops")
members = [
    Config(
        name,
        name,
        arguments | dict(repeats=RACERS[name]),
        recipe,
        seed=seed,
        test_images=min(200, len(own.test)),
        **shared,
    )
    for seed, name in enumerate(["inception_v4", *["inception_resnet_v2"] * 3])
]

# %%
SECONDS = 40 if QUICK else 150
vote = study.train_within(members, SECONDS)
say(vote.sentence)

# %% tags=["hide-input"]
pictures = vote.results[0].data
table(
    [
        (study.title(run.label), run.seed, run.config.recipe.steps, run.accuracy)
        for run in vote.results
    ],
    ["network", "seed", "steps", "right"],
    formats={"right": ".0%"},
    caption=f"{own.name}: {pictures['train']:,} training and {pictures['test']:,} test images",
)

# %% [markdown]
# In the lab, put members together. Does the vote of all make fewer errors than the best one?
# Look at the pictures that the vote saves and at those that it spoils.

# %%
voting = ensembles_lab(vote.results)

# %%
say("14.together", "14.crops")

# %% [markdown]
# ## Inside
#
# The last network that you trained, opened with your own test pictures. Find a picture that it
# takes for another class. *Why this answer* shows which places speak for the wrong class.

# %%
last = vote.runs[-1]
looking = feature_maps({"mine": own_subject(last.model, last.data)})

# %% [markdown]
# ## A claim of your own
#
# A folder, a race, a vote and a look inside are enough for a project. Write down the claim before
# the runs, with the margin that would matter to you and the number of seeds (`docs/verdicts.md`).
# Exercise 08.3 says how many seeds show a given gap, exercise 11.5 how many test images.
#
# ## In five lines

# %%
five_lines("14.size", "14.memory", "14.together", "14.crops", "14.race")

# %% [markdown]
# **What would change our mind.** These are small photographs and small networks, trained for a few
# hundred steps, and one choice of pictures. Larger pictures, or networks that were trained on many
# others before, may need far fewer of yours.
#
# **Next.** Chapter 13 makes your networks faster. `docs/TEACHING.md` has a project of two weeks
# with your pictures.
