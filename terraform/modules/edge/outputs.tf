output "certificate_arn" {
  description = "The certificate of the load balancer."
  value       = aws_acm_certificate_validation.this.certificate_arn
}

output "waf_arn" {
  description = "The firewall before the load balancer."
  value       = aws_wafv2_web_acl.this.arn
}

output "hosts" {
  description = "The names under which the API is reached."
  value       = var.settings.hosts
}

output "zone_id" {
  description = "The DNS zone."
  value       = local.zone_id
}

output "name_servers" {
  description = "Where the domain's registrar has to point, if the zone was made here."
  value       = var.settings.create_zone ? aws_route53_zone.this[0].name_servers : []
}

output "balancer_policy" {
  description = "The IAM policy of the AWS Load Balancer Controller."
  value       = local.balancer_policy
}

output "names_policy" {
  description = "The IAM policy of ExternalDNS: this zone alone."
  value       = local.names_policy
}
