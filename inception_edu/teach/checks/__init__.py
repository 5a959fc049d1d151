"""Checks of exercises that say what is wrong.

    checks.number(side, 147, wrong={149: "149 is what goes in."})
    checks.description(answer, InceptionA(), (384, 35, 35))
    checks.module(MyInceptionA, InceptionA(), (384, 35, 35))
    checks.residual(MyResidual, scale=0.1)

Each returns a `Verdict` and never raises because of an answer. An answer that is still None or
`...` is "not solved yet", not wrong. Modules are judged by what they do when they run, residual
blocks and training steps by how they treat a body and a batch that are known; the source is never
read. Checks of numbers, shapes, functions and descriptions need no torch.
"""

from inception_edu._lazy import lazy

__all__ = [
    "Verdict",
    "description",
    "equal",
    "function",
    "module",
    "number",
    "raises",
    "residual",
    "shape",
    "training_step",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "inception_edu.teach.verdict": ["Verdict"],
        "inception_edu.teach.checks.values": ["equal", "number", "shape"],
        "inception_edu.teach.checks.functions": ["function", "raises"],
        "inception_edu.teach.checks.descriptions": ["description"],
        "inception_edu.teach.checks.modules": ["module"],
        "inception_edu.teach.checks.residuals": ["residual"],
        "inception_edu.teach.checks.training": ["training_step"],
    },
)
