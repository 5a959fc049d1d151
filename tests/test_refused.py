"""A disk that is full, and a checkout that may only be read: a sentence says so, and nothing of the
reader's is lost or half-written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
resource = pytest.importorskip("resource", reason="limits of files are known on Unix alone")

# Stands in for a full disk: no file of this process may grow beyond so many bytes.
FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def fill(bytes_):
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, most))
"""


def python(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", FULL + code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
    )


def test_the_journal_is_as_it_was(tmp_path):
    code = """
from inception_edu.teach import journal
journal.note("prediction", "01.1", answer="before")
fill(journal.path().stat().st_size + 20)
for _ in range(3):
    journal.note("prediction", "01.2", answer="after")
fill(resource.RLIM_INFINITY)
before = journal.refused()
journal.note("prediction", "01.3", answer="later")
print(bool(before), repr(journal.refused()))
print([entry["name"] for entry in journal.entries()])
"""
    said = python(code, tmp_path, INCEPTION_EDU_JOURNAL=str(tmp_path / "journal.jsonl"))
    assert "['01.1', '01.3']" in said.stdout, said.stderr
    assert said.stdout.count("cannot be written") == 1, "said once"
    assert "True ''" in said.stdout, "and known as long as it is so"
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert len(lines) == 2, "no half line"


def test_a_run_is_kept_whole_or_not_at_all(tmp_path):
    code = """
from pathlib import Path
from inception_edu.study.results import write_whole
path = Path("run.json")
write_whole(path, "whole")
fill(100)
try:
    write_whole(path, "x" * 1000)
except OSError as error:
    print("refused", error.errno)
print(path.read_text(), sorted(p.name for p in Path().iterdir()))
"""
    said = python(code, tmp_path)
    assert "refused" in said.stdout, said.stdout + said.stderr
    assert "whole ['run.json']" in said.stdout, "the old file, and no other"


def test_a_checkpoint_is_kept_whole_or_not_at_all(tmp_path):
    code = """
from pathlib import Path
from inception_edu.describe.networks import make
from inception_edu.nets import save_checkpoint
from inception_edu.nets.build import build
recipe = dict(kind="tower", width=8, depth=1)
path = Path("net.safetensors")
save_checkpoint(path, build(make(**recipe), seed=0), recipe)
before = path.read_bytes()
fill(500)
try:
    save_checkpoint(path, build(make(**recipe), seed=1), recipe)
    print("no refusal")
except Exception as error:
    print(type(error).__name__)
fill(resource.RLIM_INFINITY)
print(path.read_bytes() == before, sorted(p.name for p in Path().iterdir()))
"""
    said = python(code, tmp_path)
    assert "True ['net.safetensors']" in said.stdout, said.stdout + said.stderr
    assert "no refusal" not in said.stdout


def test_working_copies_on_a_full_disk(tmp_path):
    shipped, work = tmp_path / "notebooks", tmp_path / "work"
    shipped.mkdir()
    (shipped / "03_x.ipynb").write_text("{" + " " * 5000 + "}")
    work.mkdir()
    (work / "02_mine.ipynb").write_text("mine")
    code = f"""
import sys
sys.path.insert(0, {str(ROOT / "tools")!r})
import work
fill(1000)
sys.exit(work.main(["--folder", {str(work)!r}, "--shipped", {str(shipped)!r}]))
"""
    said = python(code, tmp_path)
    assert said.returncode == 1 and "cannot be written" in said.stdout, said.stderr
    assert "Traceback" not in said.stderr
    assert not list(work.rglob("*.part")) and not (work / "03_x.ipynb").exists()
    assert (work / "02_mine.ipynb").read_text() == "mine"


@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root passes over the rights of files"
)
def test_a_checkout_that_may_only_be_read(tmp_path):
    """Another user's checkout, as on a shared machine: the copies cannot be made, and a chapter
    runs from where it is."""
    checkout = tmp_path / "checkout"
    for part in ("tools", "notebooks", "inception_edu"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    obeying = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    prefix = obeying if os.geteuid() == 0 else []

    def somebody(*command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*prefix, sys.executable, *command],
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": str(checkout)},
            capture_output=True,
            text=True,
        )

    for path in (checkout, *checkout.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        said = somebody("tools/work.py")
        assert said.returncode == 1 and "cannot be written" in said.stdout, said.stderr
        note = "from inception_edu.teach import journal; journal.note('verdict', '01.1')"
        said = somebody(
            "-c", "import os; os.environ['INCEPTION_EDU_JOURNAL'] = 'journal.jsonl'\n" + note
        )
        assert said.returncode == 0 and "cannot be written" in said.stdout, said.stderr
        assert not (checkout / "work").exists() and not (checkout / "journal.jsonl").exists()
    finally:
        for path in (checkout, *checkout.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
