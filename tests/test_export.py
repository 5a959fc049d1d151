"""Networks leave the laboratory: TorchScript, torch.export, torch.compile and ONNX give the same
answers. Every network does so small; the slow tests take the whole ones."""

import sys
import time
from pathlib import Path

import pytest
import torch

from inception_edu.describe import FAMILY, NETWORKS, mini, network, smallest_image
from inception_edu.nets import PORTED, build, evaluating, from_timm, to_timm

NAMES = (*NETWORKS, *FAMILY)
WAYS = ("export", "compile", "onnx", "names")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "family.md"
START = "<!-- ways out: python tests/test_export.py --write -->"
END = "<!-- end of ways out -->"
QUICK = ("inception_v4", "inception_resnet_v2", "bn_inception", "resnext50")
SMALL = [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]


@pytest.fixture(scope="module", params=SMALL)
def one(request):
    """A small network of each kind, a batch, and what the network says of it."""
    described = network(request.param)
    stages = len({block.stage for block in described.blocks if block.stage})
    model = build(mini(described, repeats=(1,) * stages), seed=0).eval()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with evaluating(model), torch.no_grad():
        return model, images, model(images)


def test_torchscript(one):
    model, images, expected = one
    with torch.no_grad():
        assert torch.allclose(torch.jit.script(model)(images), expected, atol=1e-5)


def test_export(one):
    model, images, expected = one
    program = torch.export.export(model, (images,))
    with torch.no_grad():
        assert torch.allclose(program.module()(images), expected, atol=1e-5)


def test_compile_without_a_break(one):
    model, images, expected = one
    with torch.no_grad():
        torch.compiler.reset()  # it counts how often one forward has been compiled anew
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        assert torch.allclose(compiled(images), expected, atol=1e-5)


def answer_of_onnx(model, images):
    """What ONNX Runtime says of a network's ONNX file, without a file."""
    runtime = pytest.importorskip("onnxruntime")
    program = torch.onnx.export(model, (images,), dynamo=True, verbose=False)
    session = runtime.InferenceSession(program.model_proto.SerializeToString())
    (found,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    return torch.from_numpy(found)


@pytest.mark.slow
def test_onnx(one):
    pytest.importorskip("onnxscript")
    model, images, expected = one
    assert torch.allclose(answer_of_onnx(model, images), expected, atol=1e-5)


# Whose names a plain state dict of a whole network can have (`to_timm`), where a package has it.
PORTS = {
    "inception_v3": "inception_v3",
    "inception_v3_aux": "inception_v3_aux",
    "inception_v4_released": "inception_v4",
    "inception_resnet_v2_released": "inception_resnet_v2",
    "inception_resnet_v1_released": "inception_resnet_v1_released",
    "googlenet_torchvision": "googlenet_torchvision",
    "resnet50": "resnet50",
    "resnet101": "resnet101",
    "resnet152": "resnet152",
    "resnext50": "resnext50",
}


def whole(name: str) -> dict[str, float]:
    """The largest difference of a whole network's answers after each way out, relative to its
    largest answer; the names that go out and come back give the same answers."""
    described = network(name)
    side = max(96, smallest_image(described))
    model = build(described, init="he", seed=0).eval()
    images = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    found = {}
    with evaluating(model), torch.no_grad():
        expected = model(images)
        size = max(1.0, expected.abs().max().item())

        def note(way: str, answer: torch.Tensor) -> None:
            found[way] = (answer - expected).abs().max().item() / size

        note("export", torch.export.export(model, (images,)).module()(images))
        torch.compiler.reset()  # it counts how often one forward has been compiled anew
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        note("compile", compiled(images))
        note("onnx", answer_of_onnx(model, images))
        if name in PORTS:
            again = from_timm(PORTS[name], to_timm(PORTS[name], model))
            note("names", again(images))
    return found


# One of each kind; `python tests/test_export.py` takes all, a minute each.
WHOLE = ("googlenet_aux", "bn_inception", "inception_v3_aux", "resnet50", "resnext50")
WHOLE += ("inception_resnet_v1_released",)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_network_leaves_with_its_heads(name):
    pytest.importorskip("onnxscript")
    found = whole(name)
    assert {"export", "compile", "onnx"} <= set(found)
    assert max(found.values()) < 1e-5, found


@pytest.mark.slow
def test_the_code_of_the_page_writes_files_that_give_the_same_answers(tmp_path, monkeypatch):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    monkeypatch.chdir(tmp_path)
    _, code, _ = PAGE.read_text(encoding="utf-8").split("```", 2)
    said: dict = {}
    with torch.no_grad():
        exec(code.removeprefix("python").replace("299, 299", "75, 75"), said)
        (images,), expected = said["images"], said["model"](*said["images"])
        back = torch.export.load("v4.pt2").module()(images)
        session = runtime.InferenceSession("v4.onnx")
        (onnx,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
        named = from_timm("inception_v4", torch.load("v4.pt"))(images)
    for found in (back, torch.from_numpy(onnx), named):
        assert torch.allclose(found, expected, atol=1e-5)
    assert callable(said["fast"])


def main(arguments: list[str]) -> None:
    """Network × way out × difference, printed: `python tests/test_export.py [--write] [NAME …]`.
    `--write` puts the rows into docs/family.md; those of other networks stay."""
    names = [name for name in arguments if name != "--write"] or NAMES
    for name in names:
        start = time.process_time()
        found = whole(name)
        cells = [f"{found[way]:.1e}" if way in found else "—" for way in WAYS]
        packages = PORTED[PORTS[name]].packages if name in PORTS else "no package has it"
        print(name, *cells, packages, f"{time.process_time() - start:.0f} s", sep="  ", flush=True)
        if "--write" in arguments:
            write(name, [*cells, packages])


def table() -> dict[str, list[str]]:
    """The rows of docs/family.md by network."""
    text = PAGE.read_text(encoding="utf-8").split(START)[1].split(END)[0]
    lines = [line.strip("| ").split(" | ") for line in text.strip().splitlines()[2:]]
    return {first.strip("`"): cells for first, *cells in lines}


def write(name: str, cells: list[str]) -> None:
    rows = table() | {name: cells}
    lines = [f"| network | {' | '.join(WAYS)} | names of |", f"|---|{'---:|' * len(WAYS)}---|"]
    lines += [f"| `{n}` | {' | '.join(rows[n])} |" for n in NAMES if n in rows]
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    between = "\n".join([START, *lines, END])
    PAGE.write_text(before + between + rest.split(END)[1], encoding="utf-8")


def test_the_page_has_every_network_and_no_large_difference():
    rows = table()
    assert list(rows) == list(NAMES)
    for name, cells in rows.items():
        assert [cell == "—" for cell in cells[:4]] == [False] * 3 + [name not in PORTS], name
        assert all(float(cell) < 1e-5 for cell in cells[:4] if cell != "—"), name


if __name__ == "__main__":
    main(sys.argv[1:])
