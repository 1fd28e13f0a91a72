# Kafka on MSK, where services sign in by IAM: each writes and reads the registry's topics for it, and nothing else.

locals {
  brokers = length(var.place.subnet_ids) * var.settings.brokers_per_zone

  # arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID: topics and groups are addressed beneath the same name and UUID.
  resource = { for kind in ["topic", "group"] : kind => replace(aws_msk_cluster.this.arn, ":cluster/", ":${kind}/") }

  port = 9098
  # Clients, and Prometheus, which reads brokers by JMX and node exporters.
  ports = { iam = local.port, jmx = 11001, node = 11002 }
  rules = merge([
    for client, group in var.place.client_security_group_ids : {
      for name, port in local.ports : "${client}-${name}" => { group = group, port = port }
    }
  ]...)

  server_properties = {
    "auto.create.topics.enable"        = "false"
    "default.replication.factor"       = "3"
    "min.insync.replicas"              = "2"
    "unclean.leader.election.enable"   = "false"
    "log.retention.hours"              = tostring(var.settings.retention_hours)
    "num.partitions"                   = "6"
    "offsets.retention.minutes"        = "20160"
    "group.initial.rebalance.delay.ms" = "3000"
  }
}

resource "aws_security_group" "this" {
  name        = "${var.place.prefix}-kafka"
  description = "Brokers of ${var.place.prefix}"
  vpc_id      = var.place.vpc_id

  tags = { Name = "${var.place.prefix}-kafka" }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = local.rules

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value.group
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port

  tags = { Name = "${var.place.prefix}-kafka-${each.key}" }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.place.prefix}/kafka"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

resource "aws_msk_configuration" "this" {
  # Another version of Kafka replaces the configuration, and the new one stands beside the old until the brokers have moved: both
  # can't have one name.
  name              = "${var.place.prefix}-${replace(var.settings.kafka_version, ".", "-")}"
  description       = "Topics are made by a job from the registry, never by a typing error"
  kafka_versions    = [var.settings.kafka_version]
  server_properties = join("\n", [for key, value in local.server_properties : "${key}=${value}"])

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_msk_cluster" "this" {
  cluster_name           = var.place.prefix
  kafka_version          = var.settings.kafka_version
  number_of_broker_nodes = local.brokers
  enhanced_monitoring    = "PER_BROKER"

  broker_node_group_info {
    instance_type   = var.settings.instance_type
    client_subnets  = var.place.subnet_ids
    security_groups = [aws_security_group.this.id]

    storage_info {
      ebs_storage_info {
        volume_size = var.settings.storage_gib
      }
    }
  }

  client_authentication {
    unauthenticated = false

    sasl {
      iam = true
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this.arn
    revision = aws_msk_configuration.this.latest_revision
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = var.place.kms_key_arn

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
        log_group = aws_cloudwatch_log_group.this.name
      }
    }
  }

  # Storage grows by itself and never shrinks.
  lifecycle {
    ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size]
  }
}

resource "aws_appautoscaling_target" "storage" {
  service_namespace  = "kafka"
  scalable_dimension = "kafka:broker-storage:VolumeSize"
  resource_id        = aws_msk_cluster.this.arn
  min_capacity       = 1
  max_capacity       = var.settings.storage_most_gib
}

resource "aws_appautoscaling_policy" "storage" {
  name               = "${var.place.prefix}-storage"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.storage.service_namespace
  scalable_dimension = aws_appautoscaling_target.storage.scalable_dimension
  resource_id        = aws_appautoscaling_target.storage.resource_id

  target_tracking_scaling_policy_configuration {
    target_value     = 60
    disable_scale_in = true

    predefined_metric_specification {
      predefined_metric_type = "KafkaBrokerStorageUtilization"
    }
  }
}

module "guard" {
  source = "../guard"

  enabled = var.place.guarded
  ids     = [aws_msk_cluster.this.arn]
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
          Resource = aws_msk_cluster.this.arn
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
      Resource = aws_msk_cluster.this.arn
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
      Resource = aws_msk_cluster.this.arn
      }, {
      Sid      = "Lag"
      Effect   = "Allow"
      Action   = ["kafka-cluster:DescribeGroup", "kafka-cluster:DescribeTopic"]
      Resource = concat([for topic in sort(var.topics) : "${local.resource.topic}/${topic}"], [for access in var.access : "${local.resource.group}/${access.group}" if length(access.read) > 0])
    }]
  })
}
