# PostgreSQL on RDS: one server for all databases, or several. AWS makes, keeps and rotates the master's password; databases and
# roles of services, with their passwords, are made by a job inside the cluster (scripts/operate/cloud/databases.py), so that no password
# of a service is ever in Terraform's state.

data "aws_partition" "current" {}

locals {
  major = split(".", var.settings.engine_version)[0]

  replicas = merge([
    for name, server in var.settings.servers : { for at in range(server.replicas) : "${name}-${at + 1}" => merge(server, { of = name }) }
  ]...)

  parameters = {
    "rds.force_ssl"                       = { value = "1", apply = "immediate" }
    "max_connections"                     = { value = tostring(var.settings.connections), apply = "pending-reboot" }
    "log_min_duration_statement"          = { value = "500", apply = "immediate" }
    "log_lock_waits"                      = { value = "1", apply = "immediate" }
    "log_connections"                     = { value = tonumber(local.major) >= 18 ? "receipt,authentication,authorization" : "1", apply = "immediate" }
    "log_disconnections"                  = { value = "1", apply = "immediate" }
    "log_statement"                       = { value = "ddl", apply = "immediate" }
    "idle_in_transaction_session_timeout" = { value = "60000", apply = "immediate" }
    "jit"                                 = { value = "0", apply = "immediate" }
    "shared_preload_libraries"            = { value = "pg_stat_statements", apply = "pending-reboot" }
  }
}

resource "aws_db_subnet_group" "this" {
  name        = var.place.prefix
  description = "Databases of ${var.place.prefix}: no way out"
  subnet_ids  = var.place.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.place.prefix}-postgres"
  description = "Databases of ${var.place.prefix}"
  vpc_id      = var.place.vpc_id

  tags = { Name = "${var.place.prefix}-postgres" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = var.place.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432

  tags = { Name = "${var.place.prefix}-postgres-${each.key}" }
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.place.prefix}-postgres${local.major}-"
  description = "PostgreSQL ${local.major} for ${var.place.prefix}"
  family      = "postgres${local.major}"

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.apply
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = merge([for name in keys(var.settings.servers) : { for kind in ["postgresql", "upgrade"] : "${name}/${kind}" => { server = name, kind = kind } }]...)

  name              = "/aws/rds/instance/${var.place.prefix}-${each.value.server}/${each.value.kind}"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

resource "aws_iam_role" "monitoring" {
  name                 = "${var.place.prefix}-postgres-monitoring"
  description          = "Sends the servers' operating system metrics"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "this" {
  # checkov:skip=CKV_AWS_157: by default; development has one zone
  for_each = var.settings.servers

  identifier     = "${var.place.prefix}-${each.key}"
  engine         = "postgres"
  engine_version = var.settings.engine_version
  instance_class = each.value.instance_class
  multi_az       = each.value.multi_az

  username                      = "souk_master"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.place.secrets_kms_key_arn

  # A server of a region that was lost goes on here.
  dynamic "restore_to_point_in_time" {
    for_each = each.value.restored_from == "" ? [] : [each.value]

    content {
      source_db_instance_automated_backups_arn = restore_to_point_in_time.value.restored_from
      restore_time                             = restore_to_point_in_time.value.restored_to == "" ? null : restore_to_point_in_time.value.restored_to
      use_latest_restorable_time               = restore_to_point_in_time.value.restored_to == "" ? true : null
    }
  }

  storage_type          = "gp3"
  allocated_storage     = each.value.storage_gib
  max_allocated_storage = each.value.storage_most_gib
  storage_encrypted     = true
  # RDS restores under the key of the back-ups and takes no other; naming one would replace the server in the next plan.
  kms_key_id = each.value.restored_from == "" ? var.place.kms_key_arn : null

  db_subnet_group_name                = aws_db_subnet_group.this.name
  vpc_security_group_ids              = [aws_security_group.this.id]
  publicly_accessible                 = false
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"
  iam_database_authentication_enabled = true
  parameter_group_name                = aws_db_parameter_group.this.name

  backup_retention_period  = var.settings.backup_retention_days
  backup_window            = "02:00-03:00"
  maintenance_window       = "sun:03:30-sun:04:30"
  copy_tags_to_snapshot    = true
  delete_automated_backups = !var.place.guarded

  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = false
  apply_immediately           = false

  deletion_protection       = var.place.guarded
  skip_final_snapshot       = !var.place.guarded
  final_snapshot_identifier = var.place.guarded ? "${var.place.prefix}-${each.key}-last" : null

  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  monitoring_interval                   = 30
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.place.kms_key_arn
  performance_insights_retention_period = 7

  tags = { services = join(" ", sort(each.value.services)) }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.monitoring]
}

# All snapshots and logs of a server in another region too, within minutes: there it can be restored to any moment.
resource "aws_db_instance_automated_backups_replication" "this" {
  for_each = { for name, server in var.settings.servers : name => server if var.place.copies != null }

  region                 = var.place.copies.region
  source_db_instance_arn = aws_db_instance.this[each.key].arn
  kms_key_id             = var.place.copies.kms_key_arn
  retention_period       = var.settings.backup_retention_days
}

# Reads that may be stale.
resource "aws_db_instance" "replica" {
  # checkov:skip=CKV_AWS_157: a replica is for reads that may be stale; its server is the one that has a standby
  for_each = local.replicas

  identifier          = "${var.place.prefix}-${each.key}"
  replicate_source_db = aws_db_instance.this[each.value.of].identifier
  instance_class      = each.value.instance_class
  multi_az            = false

  # Its key is its server's: RDS refuses another for a replica of the same region, even the same one by name.
  storage_type          = "gp3"
  max_allocated_storage = each.value.storage_most_gib
  storage_encrypted     = true

  vpc_security_group_ids              = [aws_security_group.this.id]
  publicly_accessible                 = false
  ca_cert_identifier                  = "rds-ca-rsa2048-g1"
  iam_database_authentication_enabled = true
  parameter_group_name                = aws_db_parameter_group.this.name

  maintenance_window         = "sun:05:00-sun:06:00"
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true
  deletion_protection        = var.place.guarded
  skip_final_snapshot        = true

  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  monitoring_interval                   = 30
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.place.kms_key_arn
  performance_insights_retention_period = 7
}

module "guard" {
  source = "../guard"

  enabled = var.place.guarded
  ids     = [for server in aws_db_instance.this : server.resource_id]
}
