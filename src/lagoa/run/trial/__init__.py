"""Carries out tests of models: given rows in, the models' own queries over them, expected rows against what came."""
