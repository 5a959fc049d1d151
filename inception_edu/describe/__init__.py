"""The paper as data: what its figures are made of, measured, drawn and compared. No torch."""
