output "backend" {
  description = "What every environment is initialised with; `make tf-bootstrap` writes it to terraform/backend.hcl."
  value = {
    bucket     = aws_s3_bucket.state.id
    region     = var.region
    kms_key_id = aws_kms_key.state.arn
  }
}

output "bucket_arn" {
  description = "The bucket, as an ARN: what Jenkins' roles are told."
  value       = aws_s3_bucket.state.arn
}
