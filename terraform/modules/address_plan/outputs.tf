output "private" {
  description = "Zone to range: nodes and pods."
  value       = local.private
}

output "public" {
  description = "Zone to range: load balancer and NAT."
  value       = local.public
}

output "intra" {
  description = "Zone to range: brokers and databases, without a way out."
  value       = local.intra
}

output "pods_per_zone" {
  description = "How many nodes and pods a zone has addresses for."
  value       = local.private_hosts
}
