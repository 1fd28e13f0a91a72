output "id" {
  description = "The replication group: whose password `rotate` changes."
  value       = aws_elasticache_replication_group.this.id
}

output "arn" {
  description = "The same, as an ARN."
  value       = aws_elasticache_replication_group.this.arn
}

output "address" {
  description = "The primary."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "nodes" {
  description = "The names of the nodes, as their metrics know them."
  value       = [for at in range(var.settings.nodes) : format("%s-%03d", aws_elasticache_replication_group.this.id, at + 1)]
}
