"""The environments that tests use are what they claim to be."""


def test_colab_kernel_has_colabs_versions(notebook_on_colab):
    notebook = notebook_on_colab(
        [
            "import IPython, ipykernel, ipywidgets as w\nprint(IPython.__version__, "
            "ipykernel.__version__, w.__version__)",
            "import inception_edu, torch\nprint(inception_edu.__name__)",
        ]
    )
    texts = [cell.outputs[0].text for cell in notebook.cells]
    assert texts == ["7.34.0 6.17.1 7.7.1\n", "inception_edu\n"]


def test_colab_python_runs_scripts(run_on_colab):
    assert run_on_colab("import ipywidgets; print(ipywidgets.__version__)") == "7.7.1\n"
