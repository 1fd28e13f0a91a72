"""The services of the shop, one folder each, and the machinery they share (`chassis`)."""
