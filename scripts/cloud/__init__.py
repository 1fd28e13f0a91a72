"""The cloud: what Terraform's state becomes (values, databases), and what its sources are held against."""
