output "enabled" {
  description = "Whether the guard stands."
  value       = length(terraform_data.this) == 1
}
