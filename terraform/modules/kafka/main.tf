# Kafka on MSK, and who may do what there: each service writes and reads the registry's topics for it, and nothing else.

data "aws_caller_identity" "current" {}

locals {
  serverless = var.mode == "serverless"
  scram      = var.authentication == "scram"
  # Each service, and the job that makes topics and gives the others their rights.
  users   = local.scram ? toset(concat(keys(var.access), ["topics"])) : toset([])
  brokers = length(var.subnet_ids) * var.brokers_per_zone

  cluster_arn = local.serverless ? aws_msk_serverless_cluster.this[0].arn : aws_msk_cluster.this[0].arn
  # arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID: topics and groups are addressed beneath the same name and UUID.
  resource = { for kind in ["topic", "group"] : kind => replace(local.cluster_arn, ":cluster/", ":${kind}/") }

  ports = local.serverless ? { iam = 9098 } : { iam = 9098, scram = 9096, tls = 9094 }
  used  = local.serverless || !local.scram ? { iam = local.ports.iam } : { scram = local.ports.scram }
  # Prometheus reads brokers by JMX and node exporters.
  monitored = local.serverless ? {} : { jmx = 11001, node = 11002 }
  rules = merge([
    for client, group in var.client_security_group_ids : {
      for name, port in merge(local.used, local.monitored) : "${client}-${name}" => { group = group, port = port }
    }
  ]...)

  # MSK has no super user: whoever makes the first ACLs needs what no ACL is about to be allowed.
  server_properties = {
    "allow.everyone.if.no.acl.found"   = tostring(!(local.scram && var.deny_by_default))
    "auto.create.topics.enable"        = "false"
    "default.replication.factor"       = "3"
    "min.insync.replicas"              = "2"
    "unclean.leader.election.enable"   = "false"
    "log.retention.hours"              = tostring(var.retention_hours)
    "num.partitions"                   = "6"
    "offsets.retention.minutes"        = "20160"
    "group.initial.rebalance.delay.ms" = "3000"
  }
}

resource "aws_security_group" "this" {
  name        = "${var.prefix}-kafka"
  description = "Brokers of ${var.prefix}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.prefix}-kafka" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = local.rules

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port

  tags = { Name = "${var.prefix}-kafka-${each.key}" }
}

resource "aws_cloudwatch_log_group" "this" {
  count = local.serverless ? 0 : 1

  name              = "/${var.prefix}/kafka"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_kms_key_arn
}

resource "aws_msk_configuration" "this" {
  count = local.serverless ? 0 : 1

  name              = var.prefix
  description       = "Topics are made by a job from the registry, never by a typing error"
  kafka_versions    = [var.kafka_version]
  server_properties = join("\n", [for key, value in local.server_properties : "${key}=${value}"])

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_msk_cluster" "this" {
  count = local.serverless ? 0 : 1

  cluster_name           = var.prefix
  kafka_version          = var.kafka_version
  number_of_broker_nodes = local.brokers
  enhanced_monitoring    = "PER_BROKER"

  broker_node_group_info {
    instance_type   = var.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.this.id]

    storage_info {
      ebs_storage_info {
        volume_size = var.storage_gib
      }
    }
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam   = !local.scram
      scram = local.scram
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[0].arn
    revision = aws_msk_configuration.this[0].latest_revision
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.kms_key_arn

    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  open_monitoring {
    prometheus {
      jmx_exporter {
        enabled_in_broker = true
      }

      node_exporter {
        enabled_in_broker = true
      }
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.this[0].name
      }
    }
  }

  # Storage grows by itself and never shrinks.
  lifecycle {
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size]
  }
}

resource "aws_appautoscaling_target" "storage" {
  count = local.serverless ? 0 : 1

  service_namespace  = "kafka"
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  resource_id        = aws_msk_cluster.this[0].arn
  min_capacity       = 1
  max_capacity       = var.storage_most_gib
}

resource "aws_appautoscaling_policy" "storage" {
  count = local.serverless ? 0 : 1

  name               = "${var.prefix}-storage"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.storage[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.storage[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.storage[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value     = 60
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}

resource "aws_msk_serverless_cluster" "this" {
  count = local.serverless ? 1 : 0

  cluster_name = var.prefix

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.this.id]
  }

  client_authentication {
    sasl {
      iam {
        enabled = true
      }
    }
  }
}

module "guard" {
  source = "../guard"

  enabled = var.guarded
  ids     = [local.cluster_arn]
}

# SCRAM: a user for each service and one for the job `topics`. MSK reads secrets whose names begin so. The password is made without being kept in the state.
ephemeral "aws_secretsmanager_random_password" "scram" {
  for_each = local.users

  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "scram" {
  # checkov:skip=CKV2_AWS_57: MSK reads a new version by itself; rotating needs the Lambda of one's own
  for_each = local.users

  name        = "AmazonMSK_${var.prefix}-${each.key}"
  description = "The user of ${each.key} at the brokers"
  kms_key_id  = var.secrets_kms_key_arn
}

resource "aws_secretsmanager_secret_version" "scram" {
  for_each = aws_secretsmanager_secret.scram

  secret_id = each.value.id
  secret_string_wo = jsonencode({
    username = each.key
    password = ephemeral.aws_secretsmanager_random_password.scram[each.key].random_password
  })
  secret_string_wo_version = 1
}

resource "aws_secretsmanager_secret_policy" "scram" {
  for_each = aws_secretsmanager_secret.scram

  secret_arn = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "BrokersRead"
      Effect    = "Allow"
      Principal = { Service = "kafka.amazonaws.com" }
      Action    = "secretsmanager:GetSecretValue"
      Resource  = each.value.arn
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_msk_scram_secret_association" "this" {
  count = local.scram ? 1 : 0

  cluster_arn     = aws_msk_cluster.this[0].arn
  secret_arn_list = [for secret in aws_secretsmanager_secret.scram : secret.arn]

  depends_on = [aws_secretsmanager_secret_version.scram, aws_secretsmanager_secret_policy.scram]
}

# IAM: what each service may do at the brokers. AWS knows these actions as kafka-cluster.
locals {
  policies = {
    for name, access in var.access : name => jsonencode({
      Version = "2012-10-17"
      Statement = concat(
        [{
          Sid      = "Connect"
          Effect   = "Allow"
          Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "kafka-cluster:WriteDataIdempotently"]
          Resource = local.cluster_arn
        }],
        [for statement in [{
          Sid      = "Publish"
          Effect   = "Allow"
          Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"]
          Resource = [for topic in sort(access.write) : "${local.resource.topic}/${topic}"]
        }] : statement if length(access.write) > 0],
        [for statement in [{
          Sid      = "Consume"
          Effect   = "Allow"
          Action   = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"]
          Resource = [for topic in sort(access.read) : "${local.resource.topic}/${topic}"]
          }, {
          Sid      = "Group"
          Effect   = "Allow"
          Action   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
          Resource = "${local.resource.group}/${access.group}"
        }] : statement if length(access.read) > 0],
      )
    })
  }

  administration = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Connect"
      Effect   = "Allow"
      Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
      Resource = local.cluster_arn
      }, {
      # It makes what is missing; it may not read, write, shrink or delete.
      Sid      = "MakeTopics"
      Effect   = "Allow"
      Action   = ["kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration"]
      Resource = [for topic in sort(var.topics) : "${local.resource.topic}/${topic}"]
    }]
  })

  # What KEDA asks to scale by lag: how far groups are, and where topics end.
  lag = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Connect"
      Effect   = "Allow"
      Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
      Resource = local.cluster_arn
      }, {
      Sid      = "Lag"
      Effect   = "Allow"
      Action   = ["kafka-cluster:DescribeGroup", "kafka-cluster:DescribeTopic"]
      Resource = concat([for topic in sort(var.topics) : "${local.resource.topic}/${topic}"], [for access in var.access : "${local.resource.group}/${access.group}" if length(access.read) > 0])
    }]
  })

  # The same as ACLs, for scram: what the job `topics` gives each user (services/chassis/kafka/rights.py).
  acls = flatten([
    for name, access in var.access : concat(
      [for topic in sort(access.write) : { principal = "User:${name}", resource = "Topic:${topic}", operations = ["Describe", "Write"] }],
      [for topic in sort(access.read) : { principal = "User:${name}", resource = "Topic:${topic}", operations = ["Describe", "Read"] }],
      length(access.read) == 0 ? [] : [{ principal = "User:${name}", resource = "Group:${access.group}", operations = ["Describe", "Read"] }],
    )
  ])
}
