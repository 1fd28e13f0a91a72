output "prefix" {
  description = "What every name begins with, at most 19 characters: ElastiCache, load balancers and roles append to it."
  value       = local.prefix
}

output "tags" {
  description = "The tags of everything; the provider's default_tags."
  value       = local.tags
}
