"""A file of weights on a folder of pictures: random weights and made-up pictures; the published
weights and ImageNet's pictures are not here."""

import numpy as np
import pytest
import torch
from PIL import Image
from test_passport import random
from witnesses import torchvision

from inception_edu.learn.released import evaluate_file, labelled, main
from inception_edu.nets import PORTED, WeightsError


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """ResNet-50 of 6 classes with random weights, 12 pictures in 6 folders, and torchvision's own
    answers to them, prepared by its own transforms."""
    transforms = pytest.importorskip("torchvision.transforms")
    path = tmp_path_factory.mktemp("released")
    model = random(torchvision("resnet50", num_classes=6))
    torch.save(model.state_dict(), path / "weights.pth")
    rng = np.random.default_rng(0)
    steps = [
        transforms.Resize(256),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    answers = []
    for i in range(12):
        folder = path / "pictures" / f"class_{i % 6}"
        folder.mkdir(parents=True, exist_ok=True)
        size = (300 + 20 * i, 260)
        small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        picture = small.resize(size, Image.Resampling.BICUBIC)
        picture.save(folder / f"{i}.png")
        prepared = transforms.Compose(steps)(picture)[None]
        assert torch.allclose(PORTED["resnet50"].prepare(picture), prepared, atol=1e-5)
        with torch.no_grad():
            answers.append(model(prepared))
    return path, torch.cat(answers)


def test_the_errors_are_those_of_the_package_with_its_own_preprocessing(place):
    path, answers = place
    best, five = answers.argmax(1), answers.topk(5).indices
    expected = sum(int(best[i]) != i % 6 for i in range(12)) / 12
    five_wrong = sum(i % 6 not in five[i].tolist() for i in range(12)) / 12
    found, errors = evaluate_file(path / "weights.pth", path / "pictures")
    assert (found.key, errors.count) == ("resnet50", 12)
    assert errors.top1 == pytest.approx(expected) and errors.top5 == pytest.approx(five_wrong)
    # The labels that the network itself gives: no error at all, and that needs the right pictures.
    lines = [f"class_{i % 6}/{i}.png {int(best[i])}\n" for i in range(12)]
    (path / "labels.txt").write_text("".join(lines))
    _, errors = evaluate_file(path / "weights.pth", path / "pictures", path / "labels.txt")
    assert (errors.top1, errors.top5) == (0, 0)


def test_the_command_prints_passport_and_errors(place, capsys):
    path, _ = place
    assert main([str(path / "weights.pth"), str(path / "pictures"), "--limit", "6"]) == 0
    said = capsys.readouterr().out
    (path / "pictures" / "class_0" / "z.png").write_bytes(b"no picture")
    _, errors = evaluate_file(path / "weights.pth", path / "pictures")
    assert errors.count == 12 and str(errors).endswith(" 1 file could not be read.")
    (path / "pictures" / "class_0" / "z.png").unlink()
    assert "torchvision, timm" in said and "on one crop of 6 pictures: top-1 error" in said
    assert main([str(path / "weights.pth"), str(path / "nowhere")]) == 1
    assert "There is no folder" in capsys.readouterr().err


def test_what_does_not_fit_is_a_sentence(place, tmp_path):
    path, _ = place
    (tmp_path / "a").mkdir()
    with pytest.raises(WeightsError, match="no subfolders with pictures"):
        labelled(tmp_path)
    (tmp_path / "labels.txt").write_text("a.png cat\n")
    with pytest.raises(WeightsError, match='"NAME NUMBER", got "a.png cat"'):
        labelled(tmp_path, tmp_path / "labels.txt")
    (tmp_path / "labels.txt").write_text("a/b.png 6\n")
    with pytest.raises(WeightsError, match="knows 6 classes, the pictures are of 7"):
        evaluate_file(path / "weights.pth", tmp_path, tmp_path / "labels.txt")
    (tmp_path / "a" / "b.png").write_bytes(b"no picture")
    with pytest.raises(WeightsError, match="labels .*cannot be read: .*No such file"):
        labelled(tmp_path, tmp_path / "nowhere.txt")
    for limit in (0, -1):
        with pytest.raises(WeightsError, match=f"limit is {limit}, but .* at least one picture"):
            evaluate_file(path / "weights.pth", path / "pictures", limit=limit)
    with pytest.raises(WeightsError, match="None of the 1 pictures"):
        evaluate_file(path / "weights.pth", tmp_path)


def test_preprocessing_of_cadene_and_facenet():
    picture = Image.new("RGB", (256, 256), (255, 0, 51))
    blue_first = PORTED["bn_inception"].prepare(picture)[0, :, 0, 0]
    assert blue_first.tolist() == pytest.approx([51 - 104, -117, 255 - 128], abs=1e-4)
    face = PORTED["inception_resnet_v1_released"].prepare(picture)[0, :, 0, 0]
    assert face.tolist() == pytest.approx([127.5 / 128, -127.5 / 128, -76.5 / 128], abs=1e-5)
