output "arn" {
  description = "The cluster of brokers."
  value       = local.cluster_arn
}

output "name" {
  description = "The cluster's name, as its metrics know it."
  value       = var.prefix
}

output "bootstrap" {
  description = "Where services find the brokers: host:port, separated by commas."
  value = local.serverless ? aws_msk_serverless_cluster.this[0].bootstrap_brokers_sasl_iam : (
    local.scram ? aws_msk_cluster.this[0].bootstrap_brokers_sasl_scram : aws_msk_cluster.this[0].bootstrap_brokers_sasl_iam
  )
}

output "mechanism" {
  description = "How services prove themselves, as KAFKA_SASL_MECHANISM names it."
  value       = local.scram ? "SCRAM-SHA-512" : "AWS_MSK_IAM"
}

output "port" {
  description = "The brokers' port, for network policies."
  value       = values(local.used)[0]
}

output "replication" {
  description = "How often a record is kept."
  value       = 3
}

output "brokers" {
  description = "How many brokers there are; 0 where AWS does not say."
  value       = local.serverless ? 0 : local.brokers
}

output "policies" {
  description = "Service to its IAM policy: exactly the registry's topics and its own group. Empty for scram."
  value       = local.scram ? {} : local.policies
}

output "administration_policy" {
  description = "The IAM policy of the job that makes topics."
  value       = local.administration
}

output "lag_policy" {
  description = "The IAM policy of what scales by lag."
  value       = local.lag
}

output "acls" {
  description = "The same rights as ACLs, for scram; empty for IAM."
  value       = local.scram ? local.acls : []
}

output "scram_secret_names" {
  description = "Service, and the job that makes topics, to the secret with its user; empty for IAM."
  value       = { for name, secret in aws_secretsmanager_secret.scram : name => secret.name }
}

output "scram_secret_arns" {
  description = "The ARNs of these secrets."
  value       = [for secret in aws_secretsmanager_secret.scram : secret.arn]
}
