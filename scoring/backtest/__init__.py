"""How well buyers are found in days that the model has never seen."""
