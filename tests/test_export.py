"""Networks leave the laboratory: TorchScript, torch.export, torch.compile and ONNX give the same
answers. Every network does so small; the slow tests take the whole ones."""

import pytest
import torch

from inception_edu.describe import FAMILY, NETWORKS, mini, network, smallest_image
from inception_edu.nets import build, evaluating

NAMES = (*NETWORKS, *FAMILY)
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


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_whole_network_leaves_with_its_heads(name):
    pytest.importorskip("onnxscript")
    described = network(name)
    side = max(96, smallest_image(described))
    model = build(described, init="he", seed=0).eval()
    images = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    with evaluating(model), torch.no_grad():
        expected = model(images)
        limit = 1e-5 * max(1.0, expected.abs().max().item())
        program = torch.export.export(model, (images,))
        torch.compiler.reset()  # it counts how often one forward has been compiled anew
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        answers = program.module()(images), compiled(images), answer_of_onnx(model, images)
    for answer in answers:
        assert (answer - expected).abs().max() < limit
