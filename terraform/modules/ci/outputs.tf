output "role_arns" {
  description = "Role (publish, plan, deploy, apply) to its ARN, for Jenkins' credentials."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}
