# Valkey on ElastiCache: caches, and carts, which are nowhere else. TLS and a password; another node takes over by itself.

resource "aws_elasticache_subnet_group" "this" {
  name        = var.place.prefix
  description = "Caches of ${var.place.prefix}: no way out"
  subnet_ids  = var.place.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.place.prefix}-redis"
  description = "Caches of ${var.place.prefix}"
  vpc_id      = var.place.vpc_id

  tags = { Name = "${var.place.prefix}-redis" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.place.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379

  tags = { Name = "${var.place.prefix}-redis-${each.key}" }
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.place.prefix}-valkey${split(".", var.settings.engine_version)[0]}"
  description = "When memory is short, writes are refused: carts are nowhere else"
  family      = "valkey${split(".", var.settings.engine_version)[0]}"

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["engine-log", "slow-log"])

  name              = "/${var.place.prefix}/redis/${each.value}"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

# Only the first password, which nobody is ever given: the job `credentials` (scripts/cloud) puts another in its place when it
# fills the secret with the URL, and this one, which the state knows, is worth nothing soon after.
data "aws_secretsmanager_random_password" "first" {
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_elasticache_replication_group" "this" {
  # checkov:skip=CKV2_AWS_50: from two nodes on; development has one
  replication_group_id       = var.place.prefix
  description                = "Caches of ${var.place.prefix}"
  engine                     = "valkey"
  engine_version             = var.settings.engine_version
  node_type                  = var.settings.node_type
  num_cache_clusters         = var.settings.nodes
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  port                       = 6379
  automatic_failover_enabled = var.settings.nodes > 1
  multi_az_enabled           = var.settings.nodes > 1

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [aws_security_group.this.id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = data.aws_secretsmanager_random_password.first.random_password
  auth_token_update_strategy = "ROTATE"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.place.kms_key_arn

  snapshot_retention_limit   = var.settings.snapshot_retention_days
  snapshot_window            = "02:00-03:00"
  maintenance_window         = "sun:05:00-sun:06:00"
  auto_minor_version_upgrade = true
  apply_immediately          = false

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      destination_type = "cloudwatch-logs"
      destination      = log_delivery_configuration.value.name
      log_format       = "json"
      log_type         = log_delivery_configuration.key
    }
  }

  lifecycle {
    ignore_changes = [auth_token]
  }
}

module "guard" {
  source = "../guard"

  enabled = var.place.guarded
  ids     = [aws_elasticache_replication_group.this.id]
}
