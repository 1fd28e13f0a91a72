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
  value       = "https://${var.settings.host}"
}

output "policy" {
  description = "The IAM policy of the service that keeps the images."
  value       = local.policy
}

output "copy" {
  description = "The bucket in the other region; null without copies."
  value       = one([for bucket in aws_s3_bucket.copy : bucket.bucket])
}
