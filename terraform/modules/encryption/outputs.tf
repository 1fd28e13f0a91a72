output "arns" {
  description = "Purpose (cluster, data, registry, secrets, logs, alarms) to the ARN of its key."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}
