"""Terraform's sources, held to the AWS provider's schema and to what they promise; no account is needed."""
