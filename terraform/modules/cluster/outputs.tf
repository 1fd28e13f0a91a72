output "name" {
  description = "The cluster's name."
  value       = aws_eks_cluster.this.name
}

output "arn" {
  description = "The cluster's ARN."
  value       = aws_eks_cluster.this.arn
}

output "endpoint" {
  description = "The API server, which answers inside the network."
  value       = aws_eks_cluster.this.endpoint
}

output "certificate_authority" {
  description = "The CA of the API server, PEM in base64."
  value       = aws_eks_cluster.this.certificate_authority[0].data
}

output "security_group_id" {
  description = "The group of control plane and nodes: who may connect to brokers and databases."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "node_role_arn" {
  description = "The role of nodes."
  value       = aws_iam_role.node.arn
}

output "karpenter" {
  description = "What Karpenter is installed with; null without it."
  value = var.settings.karpenter ? {
    role_arn           = aws_iam_role.karpenter[0].arn
    node_role          = aws_iam_role.node.name
    interruption_queue = aws_sqs_queue.interruptions[0].name
  } : null
}
