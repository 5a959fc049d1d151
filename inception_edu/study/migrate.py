"""Results of schema 1, brought up to date: their names did not hold which images they were made
with.

Schema 1 kept the images' name alone. Its fingerprint is added from the images of that name on this
machine, after a check that these are the ones: the loss of the first step, which depends on the
first batch and on nothing that was learned, must come out again. So nothing is guessed; where the
images are not at hand, the file stays as it is.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

from inception_edu.study.config import Config, ExperimentError
from inception_edu.study.digests import RECIPE_VERSION, SCHEMA
from inception_edu.study.identity import exact_name, fingerprint, open_data, where
from inception_edu.study.results import Result, line, pack, write_whole
from inception_edu.study.runs import run

CLOSE = 2e-3  # another processor rounds differently


def migrate_file(path: Path, source: str | None = None) -> str:
    """Rewrite a committed file (`.jsonl`) or the file of one run (`.json`, which gets its new name)
    in today's schema; a sentence about it. Raises ExperimentError where it cannot be."""
    if not path.is_file():
        raise ExperimentError(f"There is no file {path}.")
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
        head, *others = map(json.loads, texts)
        schema = head.get("schema", 1)
    except (ValueError, AttributeError):
        raise ExperimentError(
            f"{path} is no file of results: each of its lines has to be a JSON object. It was left "
            "as it is."
        ) from None
    if schema == SCHEMA:
        return f"{path.name} has schema {SCHEMA} already."
    if path.suffix == ".json":
        result = upgraded(head, source)
        _check([result], source)
        new = path.with_name(f"{result.digest}.json")
        write_whole(new, line(result))
        path.unlink()
        return f"{path.name} is now {new.name}."
    results = [upgraded(values, source) for values in others]
    _check(results, source)
    pack(path.stem, results, path.parent, head.get("question", ""))
    return f"{path.name}: {len(results)} runs have schema {SCHEMA} now."


def upgraded(values: dict, source: str | None = None) -> Result:
    """A run of schema 1 as a `Result` of today's, with the fingerprint of the images of its name.

    Raises ExperimentError where these are not at hand. Its training is version 1.
    """
    config = Config.from_dict(values["config"])
    images = open_data(config.data, source)
    name = exact_name(images, where(config.data, source))
    if (name, len(images.train)) != (values["data"]["name"], values["data"]["train"]):
        raise ExperimentError(
            f"The run {config.label!r} was made with {values['data']['name']}; here "
            f"{config.data!r} is {name}. Say with --data where its images are."
        )
    data = {**values["data"], "fingerprint": fingerprint(config.data, source)}
    updated = {**values, "schema": SCHEMA, "data": data, "version": RECIPE_VERSION}
    return Result.from_dict(updated)


def _check(results: list[Result], source: str | None) -> None:
    """Run the first step of the cheapest run again: it shows whether the images are the same."""
    old = min(results, key=lambda result: result.macs)
    recipe = replace(old.config.recipe, steps=1, evaluate_every=None)
    new = run(replace(old.config, recipe=recipe, test_images=0, after=""), source=source)
    was, now = old.curves["loss"][0], new.curves["loss"][0]
    if not math.isclose(was, now, rel_tol=CLOSE):
        raise ExperimentError(
            f"The first loss of {old.label!r}, seed {old.seed}, was {was:.4g} and is {now:.4g} "
            "here: these are not the images that it was made with."
        )
