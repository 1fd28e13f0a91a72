# The secrets that services read, by the names that the chart gives them, each one JSON with the keys that become files. Terraform
# makes them empty: what is in them comes from the job `credentials` (scripts/cloud) or from an operator, and never from the state.

locals {
  of_services = merge([
    for name, service in var.services : merge(
      contains(service.stores, "postgres") ? {
        "${name}-database"  = "The URL with which ${name} works: rotated by the job"
        "${name}-migration" = "The URL with which ${name}'s schema is changed: rotated by the job"
      } : {},
    )
  ]...)

  shared = merge(
    {
      mesh    = "With which services sign who they are: made by the job"
      signing = "The private keys that sign users' tokens: made by the job"
      admin   = "The first administrator's password: made by the job"
    },
    anytrue([for service in var.services : contains(service.stores, "redis")]) ? { redis = "The URL of the cache: rotated by the job" } : {},
    # Of systems outside those that the chart reads secrets for; the others are reached by a role.
    { for name in var.outside : name => "What it takes to talk to ${name}: put here by an operator" },
  )

  secrets = merge(local.of_services, local.shared)
  arns    = [for secret in aws_secretsmanager_secret.this : secret.arn]
}

resource "aws_secretsmanager_secret" "this" {
  # checkov:skip=CKV2_AWS_57: a job in the cluster rotates them once a month (scripts/operate/cloud); no Lambda does
  for_each = local.secrets

  name                    = "${var.place.path}/${each.key}"
  description             = each.value
  kms_key_id              = var.place.kms_key_arn
  recovery_window_in_days = var.place.guarded ? 30 : 0

  dynamic "replica" {
    for_each = var.place.copies[*]

    content {
      region     = replica.value.region
      kms_key_id = replica.value.kms_key_arn
    }
  }
}

locals {
  decrypt = {
    Sid      = "Decrypt"
    Effect   = "Allow"
    Action   = ["kms:Decrypt"]
    Resource = var.place.kms_key_arn
  }

  reader = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        Resource = local.arns
      },
      local.decrypt,
    ]
  })

  writer = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "ReadAndWrite"
          Effect   = "Allow"
          Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
          Resource = local.arns
        },
        local.decrypt,
        {
          Sid      = "Encrypt"
          Effect   = "Allow"
          Action   = ["kms:GenerateDataKey"]
          Resource = var.place.kms_key_arn
        },
      ],
      [for statement in [{
        Sid      = "Masters"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = var.rotated.master_secret_arns
      }] : statement if length(var.rotated.master_secret_arns) > 0],
      [for statement in [{
        Sid      = "Cache"
        Effect   = "Allow"
        Action   = ["elasticache:DescribeReplicationGroups", "elasticache:ModifyReplicationGroup"]
        Resource = var.rotated.replication_group_arn
      }] : statement if var.rotated.replication_group_arn != ""],
    )
  })
}
