"""Names in Latin letters: their own folding, dictionary, learnt readings and compiled kernel."""
