"""Whom the user service calls: `notification`, which sends mail, and `openid`, the providers that people sign in with."""
