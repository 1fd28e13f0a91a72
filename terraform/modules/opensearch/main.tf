# OpenSearch, for those whose search has outgrown PostgreSQL's full text: three data nodes over three zones, inside the network.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  arn   = "arn:${data.aws_partition.current.partition}:es:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:domain/${var.place.prefix}"
  kinds = { ES_APPLICATION_LOGS = "application", INDEX_SLOW_LOGS = "index-slow", SEARCH_SLOW_LOGS = "search-slow", AUDIT_LOGS = "audit" }
}

resource "aws_security_group" "this" {
  name        = "${var.place.prefix}-search"
  description = "Search of ${var.place.prefix}"
  vpc_id      = var.place.vpc_id

  tags = { Name = "${var.place.prefix}-search" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.place.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = { Name = "${var.place.prefix}-search-${each.key}" }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.kinds

  name              = "/${var.place.prefix}/search/${each.value}"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

resource "aws_cloudwatch_log_resource_policy" "this" {
  policy_name = "${var.place.prefix}-search"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SearchWritesItsLogs"
      Effect    = "Allow"
      Principal = { Service = "es.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = [for group in aws_cloudwatch_log_group.this : "${group.arn}:*"]
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

# The master user of its index of rights: assumed by an operator to map roles, and by nobody else.
resource "aws_iam_role" "administration" {
  name                 = "${var.place.prefix}-search-administration"
  description          = "Maps roles to rights inside OpenSearch"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = "sts:AssumeRole"
      Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    }]
  })
}

resource "aws_opensearch_domain" "this" {
  # checkov:skip=CKV_AWS_317: AUDIT_LOGS is one of the kinds of the dynamic block
  domain_name    = var.place.prefix
  engine_version = var.settings.engine_version

  cluster_config {
    instance_type            = var.settings.instance_type
    instance_count           = 3
    zone_awareness_enabled   = true
    dedicated_master_enabled = true
    dedicated_master_count   = 3
    dedicated_master_type    = "m7g.large.search"

    zone_awareness_config {
      availability_zone_count = 3
    }
  }

  vpc_options {
    subnet_ids         = slice(var.place.subnet_ids, 0, 3)
    security_group_ids = [aws_security_group.this.id]
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.settings.volume_gib
  }

  encrypt_at_rest {
    enabled    = true
    kms_key_id = var.place.kms_key_arn
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  advanced_security_options {
    enabled                        = true
    anonymous_auth_enabled         = false
    internal_user_database_enabled = false

    master_user_options {
      master_user_arn = aws_iam_role.administration.arn
    }
  }

  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Clients"
      Effect    = "Allow"
      Principal = { AWS = concat(var.client_role_arns, [aws_iam_role.administration.arn]) }
      Action    = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
      Resource  = "${local.arn}/*"
    }]
  })

  dynamic "log_publishing_options" {
    for_each = local.kinds

    content {
      log_type                 = log_publishing_options.key
      cloudwatch_log_group_arn = aws_cloudwatch_log_group.this[log_publishing_options.key].arn
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.this]
}

module "guard" {
  source = "../guard"

  enabled = var.place.guarded
  ids     = [aws_opensearch_domain.this.domain_id]
}
