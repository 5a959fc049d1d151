"""Networks made of descriptions: ordinary torch modules, their weights, and what they compute
inside."""
