"""Whom the user service calls: nobody. It holds the keys that the others ask it for."""
