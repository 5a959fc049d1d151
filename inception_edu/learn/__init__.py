"""Training and testing: recipes, optimizers, the loop, what it records, evaluation."""
