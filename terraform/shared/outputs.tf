output "repositories" {
  description = "Image to the address of its repository."
  value       = module.registry.repositories
}

output "chart" {
  description = "Where the chart is pushed to."
  value       = module.registry.chart
}

output "registry" {
  description = "What stands before every repository."
  value       = module.registry.address
}

output "signing_key" {
  description = "The key that signs releases, as cosign names it: Jenkins' SIGNING_KEY."
  value       = "awskms:///${aws_kms_alias.signing.arn}"
}

output "signing_key_arn" {
  description = "The same key, for the environments' `jenkins.signing_key_arn`."
  value       = aws_kms_key.signing.arn
}

output "jenkins_role_arns" {
  description = "Jenkins' role for pushing; empty without it."
  value       = try(module.ci[0].role_arns, {})
}
