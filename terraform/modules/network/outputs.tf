output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "vpc_arn" {
  description = "The network, as an ARN."
  value       = aws_vpc.this.arn
}

output "private_subnet_ids" {
  description = "Zone to the subnet of nodes and pods."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "public_subnet_ids" {
  description = "Zone to the subnet of the load balancer."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }
}

output "intra_subnet_ids" {
  description = "Zone to the subnet of brokers and databases."
  value       = { for zone, subnet in aws_subnet.intra : zone => subnet.id }
}

output "intra_cidrs" {
  description = "The addresses of brokers and databases: where network policies let services go."
  value       = values(module.address_plan.intra)
}

output "private_cidrs" {
  description = "The addresses of nodes, pods and the endpoints of AWS services."
  value       = values(module.address_plan.private)
}

output "endpoints" {
  description = "The AWS services that are reached inside the network."
  value       = keys(aws_vpc_endpoint.interface)
}

output "public_cidrs" {
  description = "The addresses of the load balancer: whence network policies let requests come to the edge."
  value       = values(module.address_plan.public)
}

output "egress_addresses" {
  description = "The addresses under which the platform is seen outside, for a provider's allow list."
  value       = [for address in aws_eip.nat : address.public_ip]
}
