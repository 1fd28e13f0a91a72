output "names" {
  description = "The chart's name of each secret to its name at Secrets Manager."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.name }
}

output "by_operator" {
  description = "The secrets that an operator fills: those of systems outside."
  value       = sort(var.outside)
}

output "reader_policy" {
  description = "The IAM policy of External Secrets: these secrets, the others' that it is told of, and no more."
  value       = local.reader
}

output "writer_policy" {
  description = "The IAM policy of the job that makes and rotates credentials."
  value       = local.writer
}
