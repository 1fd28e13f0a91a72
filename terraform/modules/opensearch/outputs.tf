output "url" {
  description = "Where services find it."
  value       = "https://${aws_opensearch_domain.this.endpoint}"
}

output "arn" {
  description = "The domain."
  value       = aws_opensearch_domain.this.arn
}

output "administration_role_arn" {
  description = "The role that maps roles to rights inside OpenSearch; it is assumed with a second factor."
  value       = aws_iam_role.administration.arn
}
