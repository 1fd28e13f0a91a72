output "repositories" {
  description = "Image to the address of its repository."
  value       = { for image in var.images : image => aws_ecr_repository.this["${var.project}/${image}"].repository_url }
}

output "address" {
  description = "What stands before every repository: the registry of this account and region."
  value       = split("/", values(aws_ecr_repository.this)[0].repository_url)[0]
}

output "chart" {
  description = "Where the chart is pushed to and installed from (oci://)."
  value       = aws_ecr_repository.this["${var.project}/charts/${var.project}"].repository_url
}

output "arns" {
  description = "The repositories: what the builds may push to."
  value       = [for repository in aws_ecr_repository.this : repository.arn]
}
