output "arn" {
  description = "The cluster of brokers."
  value       = aws_msk_cluster.this.arn
}

output "name" {
  description = "The cluster's name, as its metrics know it."
  value       = var.place.prefix
}

output "bootstrap" {
  description = "Where services find the brokers: host:port, separated by commas."
  value       = aws_msk_cluster.this.bootstrap_brokers_sasl_iam
}

output "port" {
  description = "The brokers' port, for network policies."
  value       = local.port
}

output "replication" {
  description = "How often a record is kept."
  value       = 3
}

output "brokers" {
  description = "How many brokers there are."
  value       = local.brokers
}

output "policies" {
  description = "Service to its IAM policy: exactly the registry's topics and its own group."
  value       = local.policies
}

output "administration_policy" {
  description = "The IAM policy of the job that makes topics."
  value       = local.administration
}

output "lag_policy" {
  description = "The IAM policy of what scales by lag."
  value       = local.lag
}
