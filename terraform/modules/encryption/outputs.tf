output "copies" {
  description = "Where copies go and the key of what is copied; null without copies."
  value       = one([for key in aws_kms_key.copies : { region = var.copies_region, kms_key_arn = key.arn }])
}

output "arns" {
  description = "Purpose (cluster, data, registry, secrets, logs, alarms) to the ARN of its key."
  value       = { for purpose, key in aws_kms_key.this : purpose => key.arn }
}
