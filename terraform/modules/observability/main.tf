# What is watched outside the cluster: logs, metrics, alarms on brokers and databases, and what it costs. Alarms of the services
# themselves are Prometheus rules, which come with the chart.

data "aws_caller_identity" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  managed = var.settings.mode == "managed"
  grafana = local.managed && var.settings.grafana
  gib     = pow(1024, 3)
}

resource "aws_cloudwatch_log_group" "services" {
  name              = "/${var.place.prefix}/services"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.place.prefix}-alarms"
  kms_master_key_id = var.place.alarms_kms_key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsAndBudgets"
      Effect    = "Allow"
      Principal = { Service = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      }, {
      Sid       = "OnlyEncrypted"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.settings.recipients

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

# Alarms: what is watched, when it is too much, and what that means to whoever is woken.
locals {
  kafka_cluster = {
    offline = {
      metric = "OfflinePartitionsCount", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 0, periods = 2
      means  = "Partitions have no leader: events wait in the outbox. Look at the brokers before anything else."
    }
  }
  kafka_brokers = merge([
    for at in range(var.kafka.brokers) : {
      "disk-${at + 1}" = {
        metric = "KafkaDataLogsDiskUsed", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 85, periods = 3, broker = at + 1
        means  = "Broker ${at + 1} fills up faster than its storage grows: shorten the retention or raise storage_most_gib."
      }
      "cpu-${at + 1}" = {
        metric = "CpuUser", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 60, periods = 15, broker = at + 1
        means  = "Broker ${at + 1} is busy; above 60 % MSK can't lose one without the others suffering."
      }
      "replicas-${at + 1}" = {
        metric = "UnderMinIsrPartitionCount", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 0, periods = 5, broker = at + 1
        means  = "Partitions have fewer replicas than acks=all needs: nothing is published to them."
      }
    }
  ]...)

  postgres = merge([
    for name, database in var.databases : merge(
      {
        "${name}-cpu" = {
          metric = "CPUUtilization", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 80, periods = 10, database = database.identifier
          means  = "The server is busy: look at Performance Insights, then at a larger class."
        }
        "${name}-storage" = {
          metric = "FreeStorageSpace", statistic = "Minimum", comparison = "LessThanThreshold", threshold = database.free_storage_gib * local.gib, periods = 3, database = database.identifier
          means  = "Storage runs out faster than it grows: RDS grows it below 10 %, once in six hours, up to storage_most_gib."
        }
        "${name}-connections" = {
          metric = "DatabaseConnections", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = floor(database.connections * 0.85), periods = 5, database = database.identifier
          means  = "Connections run out: pods times pool is more than the server takes."
        }
        "${name}-memory" = {
          metric = "FreeableMemory", statistic = "Minimum", comparison = "LessThanThreshold", threshold = 256 * 1024 * 1024, periods = 5, database = database.identifier
          means  = "Memory is short."
        }
      },
      database.replica ? {
        "${name}-lag" = {
          metric = "ReplicaLag", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 30, periods = 5, database = database.identifier
          means  = "Reads from the replica are more than 30 s old."
        }
      } : {},
    )
  ]...)

  redis = merge([
    for name, node in var.caches : {
      "${name}-cpu" = {
        metric = "EngineCPUUtilization", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 80, periods = 5, node = node
        means  = "The cache works with one core, and that is busy."
      }
      "${name}-memory" = {
        metric = "DatabaseMemoryUsagePercentage", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 90, periods = 5, node = node
        means  = "The cache is full and forgets early: a larger class."
      }
    }
  ]...)

  alarms = merge(
    { for key, alarm in local.kafka_cluster : "kafka-${key}" => merge(alarm, { namespace = "AWS/Kafka", dimensions = { "Cluster Name" = var.kafka.name } }) },
    { for key, alarm in local.kafka_brokers : "kafka-${key}" => merge(alarm, { namespace = "AWS/Kafka", dimensions = { "Cluster Name" = var.kafka.name, "Broker ID" = tostring(alarm.broker) } }) },
    { for key, alarm in local.postgres : "postgres-${key}" => merge(alarm, { namespace = "AWS/RDS", dimensions = { DBInstanceIdentifier = alarm.database } }) },
    { for key, alarm in local.redis : "redis-${key}" => merge(alarm, { namespace = "AWS/ElastiCache", dimensions = { CacheClusterId = alarm.node } }) },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.place.prefix}-${each.key}"
  alarm_description   = each.value.means
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.periods
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_budgets_budget" "monthly" {
  name         = var.place.prefix
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.settings.monthly_budget_usd)
  limit_unit   = "USD"

  dynamic "cost_filter" {
    for_each = var.cost_tag == null ? [] : [var.cost_tag]

    content {
      name   = "TagKeyValue"
      values = [format("user:%s$%s", cost_filter.value.key, cost_filter.value.value)]
    }
  }

  dynamic "notification" {
    for_each = { "80" = "ACTUAL", "100" = "ACTUAL", "101" = "FORECASTED" }

    content {
      comparison_operator       = "GREATER_THAN"
      threshold                 = tonumber(notification.key)
      threshold_type            = "PERCENTAGE"
      notification_type         = notification.value
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

resource "aws_prometheus_workspace" "this" {
  count = local.managed ? 1 : 0

  alias       = var.place.prefix
  kms_key_arn = var.place.logs_kms_key_arn

  logging_configuration {
    log_group_arn = "${aws_cloudwatch_log_group.prometheus[0].arn}:*"
  }
}

resource "aws_cloudwatch_log_group" "prometheus" {
  count = local.managed ? 1 : 0

  name              = "/aws/vendedlogs/${var.place.prefix}/prometheus"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

resource "aws_iam_role" "grafana" {
  count = local.grafana ? 1 : 0

  name                 = "${var.place.prefix}-grafana"
  description          = "Grafana reads the metrics of ${var.place.prefix}"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "grafana.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "grafana" {
  count = local.grafana ? 1 : 0

  name = "read"
  role = aws_iam_role.grafana[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Metrics"
      Effect   = "Allow"
      Action   = ["aps:DescribeWorkspace", "aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:QueryMetrics"]
      Resource = aws_prometheus_workspace.this[0].arn
      }, {
      # Listing workspaces knows no narrower resource.
      Sid      = "Workspaces"
      Effect   = "Allow"
      Action   = ["aps:ListWorkspaces"]
      Resource = "*"
    }]
  })
}

resource "aws_grafana_workspace" "this" {
  count = local.grafana ? 1 : 0

  name                     = var.place.prefix
  description              = "Dashboards of ${var.place.prefix}"
  account_access_type      = "CURRENT_ACCOUNT"
  authentication_providers = ["AWS_SSO"]
  permission_type          = "CUSTOMER_MANAGED"
  role_arn                 = aws_iam_role.grafana[0].arn
  data_sources             = ["PROMETHEUS"]
}

locals {
  metrics_policy = local.managed ? jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Write"
      Effect   = "Allow"
      Action   = ["aps:RemoteWrite"]
      Resource = aws_prometheus_workspace.this[0].arn
    }]
  }) : null

  logs_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Write"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.services.arn}:*"
    }]
  })
}
