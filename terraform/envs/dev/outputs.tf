output "values" {
  description = "What the chart is installed with besides values-aws.yaml: the same names as there."
  value       = module.platform.values
}

output "credentials" {
  description = "What the job needs that makes databases, roles and secrets (scripts/cloud): addresses and names, and no secret."
  value       = module.platform.credentials
}

output "cluster" {
  description = "The cluster: what `aws eks update-kubeconfig` is told, and where its API answers."
  value       = module.platform.cluster
}

output "controllers" {
  description = "What the cluster's controllers are installed with: each one's namespace, service account and role."
  value       = module.platform.controllers
}

output "admission" {
  description = "What the cluster lets in: images of this registry that bear a signature by this key; null where nothing is signed."
  value       = module.platform.admission
}

output "karpenter" {
  description = "What Karpenter is installed with."
  value       = module.platform.karpenter
}

output "network" {
  description = "The network, and the addresses under which the platform is seen outside."
  value       = module.platform.network
}

output "edge" {
  description = "The names of the API, their zone, and the name servers to give to the registrar if the zone is new."
  value       = module.platform.edge
}

output "observability" {
  description = "Where logs, metrics and alarms are."
  value       = module.platform.observability
}

output "opensearch" {
  description = "Where OpenSearch answers; null without it."
  value       = module.platform.opensearch
}

output "copies" {
  description = "Where copies are: the region, the bucket of images; null without."
  value       = module.platform.copies
}

output "jenkins_role_arns" {
  description = "Jenkins' roles for this environment; empty without it."
  value       = module.platform.jenkins_role_arns
}
