output "role_arns" {
  description = "Workload to its role."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "service_accounts" {
  description = "Workload to its namespace and the first of its service accounts."
  value       = { for name, workload in var.workloads : name => { namespace = workload.namespace, name = workload.service_accounts[0] } }
}
