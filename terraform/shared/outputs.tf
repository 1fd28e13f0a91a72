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

output "jenkins_role_arns" {
  description = "Jenkins' role for pushing; empty without it."
  value       = try(module.ci[0].role_arns, {})
}
