output "alarms_topic_arn" {
  description = "Where alarms are sent; Alertmanager can send here too."
  value       = aws_sns_topic.alarms.arn
}

output "log_group" {
  description = "The log group of the services, for the log collector in the cluster."
  value       = aws_cloudwatch_log_group.services.name
}

output "logs_policy" {
  description = "The IAM policy of the log collector."
  value       = local.logs_policy
}

output "metrics_policy" {
  description = "The IAM policy of what writes metrics; null where they stay in the cluster."
  value       = local.metrics_policy
}

output "prometheus" {
  description = "The managed Prometheus: id, ARN and endpoint; null where it is in the cluster."
  value       = local.managed ? { id = aws_prometheus_workspace.this[0].id, arn = aws_prometheus_workspace.this[0].arn, endpoint = aws_prometheus_workspace.this[0].prometheus_endpoint } : null
}

output "grafana" {
  description = "The managed Grafana; null without it."
  value       = local.grafana ? "https://${aws_grafana_workspace.this[0].endpoint}" : null
}

output "managed" {
  description = "Whether metrics go to Amazon's Prometheus."
  value       = local.managed
}
