"""Run by tests/test_in_page.py in a Python of its own: the labs of a web page, where none of these
packages can be imported."""

import sys

for name in ("torch", "numpy", "ipywidgets", "IPython", "matplotlib"):
    sys.modules[name] = None

from inception_edu.labs.in_page import MODULES, open_lab  # noqa: E402

for name in MODULES:
    open_lab(name)
lab = open_lab("shape_explorer", '{"image": 299}')
lab.send("set", "image", "75")
