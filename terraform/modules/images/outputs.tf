output "bucket" {
  description = "The name of the bucket."
  value       = local.bucket
}

output "bucket_arn" {
  description = "The same, as an ARN."
  value       = local.arn
}

output "url" {
  description = "What everybody reads images by, without the key."
  value       = "https://${var.host}"
}

output "policy" {
  description = "The IAM policy of the service that keeps the images."
  value       = local.policy
}
