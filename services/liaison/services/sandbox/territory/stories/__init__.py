"""The patients of the territory: twelve with BPCO, those whose record shows a rule at work, and ordinary ones."""
