"""How the methods of single services refuse bad input: the rows of `test_every_method.py`, a file for each service."""
