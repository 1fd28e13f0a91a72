# EKS: a private API server, Graviton nodes, add-ons, and who may do what. Workloads get AWS roles in `identities`.

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  account   = data.aws_caller_identity.current.account_id

  # Add-ons that nodes need before they can be ready, and those that need nodes.
  before_nodes = toset(["vpc-cni", "kube-proxy", "eks-pod-identity-agent"])
  after_nodes  = toset(["coredns", "aws-ebs-csi-driver", "metrics-server"])
  addons = {
    vpc-cni                = { configuration = { enableNetworkPolicy = "true" }, service_account = "aws-node", role = "cni" }
    kube-proxy             = { configuration = {}, service_account = "", role = "" }
    eks-pod-identity-agent = { configuration = {}, service_account = "", role = "" }
    coredns                = { configuration = { autoScaling = { enabled = true, minReplicas = 2, maxReplicas = 10 } }, service_account = "", role = "" }
    aws-ebs-csi-driver     = { configuration = {}, service_account = "ebs-csi-controller-sa", role = "volumes" }
    metrics-server         = { configuration = { replicas = 2 }, service_account = "", role = "" }
  }
  addon_roles = {
    cni     = "arn:${local.partition}:iam::aws:policy/AmazonEKS_CNI_Policy"
    volumes = "arn:${local.partition}:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
  }
  node_policies = toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore"])
  # ClusterAdmin also for one namespace: there it means everything in it, custom resources included, which Admin does not know.
  levels = { admin = "AmazonEKSClusterAdminPolicy", edit = "AmazonEKSEditPolicy", view = "AmazonEKSViewPolicy" }

  taints = { NoSchedule = "NO_SCHEDULE", PreferNoSchedule = "PREFER_NO_SCHEDULE", NoExecute = "NO_EXECUTE" }
}

# The newest image of nodes and the version of each add-on that EKS has for the cluster's version: raising that raises these.
data "aws_ssm_parameter" "node_release" {
  name = "/aws/service/eks/optimized-ami/${var.settings.kubernetes_version}/amazon-linux-2023/arm64/standard/recommended/release_version"
}

data "aws_eks_addon_version" "this" {
  for_each = local.addons

  addon_name         = each.key
  kubernetes_version = var.settings.kubernetes_version
}

resource "aws_cloudwatch_log_group" "control_plane" {
  name              = "/aws/eks/${var.place.prefix}/cluster"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

resource "aws_iam_role" "cluster" {
  name                 = "${var.place.prefix}-control-plane"
  description          = "The control plane of ${var.place.prefix}"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "eks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_iam_role_policy" "cluster" {
  name = "secrets"
  role = aws_iam_role.cluster.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "EncryptSecrets"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"]
      Resource = var.place.kms_key_arn
      }, {
      Sid       = "GrantForSecrets"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant"]
      Resource  = var.place.kms_key_arn
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    }]
  })
}

resource "aws_eks_cluster" "this" {
  name                          = var.place.prefix
  version                       = var.settings.kubernetes_version
  role_arn                      = aws_iam_role.cluster.arn
  deletion_protection           = var.place.guarded
  bootstrap_self_managed_addons = false
  enabled_cluster_log_types     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  vpc_config {
    subnet_ids              = var.place.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.settings.public_access_cidrs) > 0
    public_access_cidrs     = length(var.settings.public_access_cidrs) > 0 ? var.settings.public_access_cidrs : null
  }

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = var.place.kms_key_arn
    }
  }

  upgrade_policy {
    support_type = "STANDARD"
  }

  zonal_shift_config {
    enabled = true
  }

  depends_on = [aws_cloudwatch_log_group.control_plane, aws_iam_role_policy.cluster, aws_iam_role_policy_attachment.cluster]
}

resource "aws_ec2_tag" "cluster_group" {
  count = var.settings.karpenter ? 1 : 0

  resource_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  key         = "karpenter.sh/discovery"
  value       = var.place.prefix
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  for_each = toset(var.settings.api_client_cidrs)

  security_group_id = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
  description       = "The API server, from ${each.value}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_eks_access_entry" "this" {
  for_each = var.access

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.value.principal_arn
  type          = "STANDARD"
}

resource "aws_eks_access_policy_association" "this" {
  for_each = var.access

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = aws_eks_access_entry.this[each.key].principal_arn
  policy_arn    = "arn:${local.partition}:eks::aws:cluster-access-policy/${local.levels[each.value.level]}"

  access_scope {
    type       = length(each.value.namespaces) > 0 ? "namespace" : "cluster"
    namespaces = length(each.value.namespaces) > 0 ? each.value.namespaces : null
  }
}

resource "aws_iam_role" "addon" {
  for_each = local.addon_roles

  name                 = "${var.place.prefix}-${each.key}"
  description          = "An add-on of ${var.place.prefix}: ${each.key}"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnEquals    = { "aws:SourceArn" = aws_eks_cluster.this.arn }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "addon" {
  for_each = local.addon_roles

  role       = aws_iam_role.addon[each.key].name
  policy_arn = each.value
}

# Volumes that pods ask for are encrypted with the cluster's key, which the add-on's managed policy does not know.
resource "aws_iam_role_policy" "volumes" {
  name = "encrypt"
  role = aws_iam_role.addon["volumes"].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "EncryptVolumes"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      Resource = var.place.kms_key_arn
      }, {
      Sid       = "GrantForVolumes"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant"]
      Resource  = var.place.kms_key_arn
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    }]
  })
}

resource "aws_eks_addon" "before_nodes" {
  for_each = local.before_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.value
  addon_version               = lookup(var.settings.addon_versions, each.value, data.aws_eks_addon_version.this[each.value].version)
  configuration_values        = length(local.addons[each.value].configuration) > 0 ? jsonencode(local.addons[each.value].configuration) : null
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"

  dynamic "pod_identity_association" {
    for_each = local.addons[each.value].role == "" ? [] : [local.addons[each.value]]

    content {
      role_arn        = aws_iam_role.addon[pod_identity_association.value.role].arn
      service_account = pod_identity_association.value.service_account
    }
  }

  depends_on = [aws_iam_role_policy_attachment.addon]
}

resource "aws_eks_addon" "after_nodes" {
  for_each = local.after_nodes

  cluster_name                = aws_eks_cluster.this.name
  addon_name                  = each.value
  addon_version               = lookup(var.settings.addon_versions, each.value, data.aws_eks_addon_version.this[each.value].version)
  configuration_values        = length(local.addons[each.value].configuration) > 0 ? jsonencode(local.addons[each.value].configuration) : null
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "PRESERVE"

  dynamic "pod_identity_association" {
    for_each = local.addons[each.value].role == "" ? [] : [local.addons[each.value]]

    content {
      role_arn        = aws_iam_role.addon[pod_identity_association.value.role].arn
      service_account = pod_identity_association.value.service_account
    }
  }

  depends_on = [aws_eks_node_group.this, aws_iam_role_policy_attachment.addon]
}

resource "aws_iam_role" "node" {
  name                 = "${var.place.prefix}-node"
  description          = "Nodes of ${var.place.prefix}: join, pull images, be reached by Session Manager"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.node.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}

resource "aws_launch_template" "node" {
  for_each = var.settings.node_groups

  name                   = "${var.place.prefix}-${each.key}"
  update_default_version = true

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.volume_gib
      encrypted             = true
      kms_key_id            = var.place.kms_key_arn
      delete_on_termination = true
    }
  }

  # One hop: a pod can't reach the node's role.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(var.place.tags, { Name = "${var.place.prefix}-${each.key}" })
    }
  }
}

resource "aws_eks_node_group" "this" {
  for_each = var.settings.node_groups

  cluster_name    = aws_eks_cluster.this.name
  node_group_name = each.key
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.place.subnet_ids
  ami_type        = "AL2023_ARM_64_STANDARD"
  version         = aws_eks_cluster.this.version
  release_version = data.aws_ssm_parameter.node_release.insecure_value
  capacity_type   = each.value.capacity_type
  instance_types  = each.value.instance_types
  labels          = merge(each.value.labels, { "souk.dev/capacity" = each.value.capacity_type == "SPOT" ? "spot" : "on-demand" })

  scaling_config {
    min_size     = each.value.min_size
    desired_size = each.value.desired_size
    max_size     = each.value.max_size
  }

  update_config {
    max_unavailable_percentage = 33
  }

  node_repair_config {
    enabled = true
  }

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  dynamic "taint" {
    for_each = each.value.taints

    content {
      key    = taint.key
      value  = taint.value.value
      effect = local.taints[taint.value.effect]
    }
  }

  # How many nodes there are is the autoscaler's business once the group exists.
  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_eks_addon.before_nodes, aws_iam_role_policy_attachment.node]
}

# Karpenter, ready to be installed: what it may do is limited to instances that it has tagged as this cluster's.
locals {
  owned     = "kubernetes.io/cluster/${var.place.prefix}"
  ec2       = "arn:${local.partition}:ec2:${local.region}"
  own_ec2   = "arn:${local.partition}:ec2:${local.region}:${local.account}"
  launching = ["fleet", "instance", "launch-template", "network-interface", "spot-instances-request", "volume"]
  interruptions = {
    health  = { source = ["aws.health"], detail = ["AWS Health Event"] }
    spot    = { source = ["aws.ec2"], detail = ["EC2 Spot Instance Interruption Warning"] }
    balance = { source = ["aws.ec2"], detail = ["EC2 Instance Rebalance Recommendation"] }
    state   = { source = ["aws.ec2"], detail = ["EC2 Instance State-change Notification"] }
  }
}

resource "aws_iam_role" "karpenter" {
  count = var.settings.karpenter ? 1 : 0

  name                 = "${var.place.prefix}-karpenter"
  description          = "Karpenter in ${var.place.prefix}"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnEquals    = { "aws:SourceArn" = aws_eks_cluster.this.arn }
      }
    }]
  })
}

resource "aws_eks_pod_identity_association" "karpenter" {
  count = var.settings.karpenter ? 1 : 0

  cluster_name    = aws_eks_cluster.this.name
  namespace       = var.karpenter_service_account.namespace
  service_account = var.karpenter_service_account.name
  role_arn        = aws_iam_role.karpenter[0].arn
}

resource "aws_iam_role_policy" "karpenter" {
  count = var.settings.karpenter ? 1 : 0

  name = "nodes"
  role = aws_iam_role.karpenter[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "LaunchFrom"
        Effect = "Allow"
        Action = ["ec2:CreateFleet", "ec2:RunInstances"]
        Resource = [
          "${local.ec2}::image/*", "${local.ec2}::snapshot/*",
          "${local.own_ec2}:security-group/*", "${local.own_ec2}:subnet/*",
        ]
      },
      {
        Sid       = "LaunchFromOwnTemplates"
        Effect    = "Allow"
        Action    = ["ec2:CreateFleet", "ec2:RunInstances"]
        Resource  = "${local.own_ec2}:launch-template/*"
        Condition = { StringEquals = { "aws:ResourceTag/${local.owned}" = "owned" } }
      },
      {
        Sid       = "LaunchTagged"
        Effect    = "Allow"
        Action    = ["ec2:CreateFleet", "ec2:CreateLaunchTemplate", "ec2:RunInstances"]
        Resource  = [for kind in local.launching : "${local.own_ec2}:${kind}/*"]
        Condition = { StringEquals = { "aws:RequestTag/${local.owned}" = "owned" } }
      },
      {
        Sid      = "TagWhatIsLaunched"
        Effect   = "Allow"
        Action   = ["ec2:CreateTags"]
        Resource = [for kind in local.launching : "${local.own_ec2}:${kind}/*"]
        Condition = {
          StringEquals = {
            "aws:RequestTag/${local.owned}" = "owned"
            "ec2:CreateAction"              = ["CreateFleet", "CreateLaunchTemplate", "RunInstances"]
          }
        }
      },
      {
        Sid       = "EndOwn"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags", "ec2:DeleteLaunchTemplate", "ec2:RebootInstances", "ec2:TerminateInstances"]
        Resource  = ["${local.own_ec2}:instance/*", "${local.own_ec2}:launch-template/*"]
        Condition = { StringEquals = { "aws:ResourceTag/${local.owned}" = "owned" } }
      },
      {
        # These describe calls know no narrower resource.
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus",
          "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates", "ec2:DescribePlacementGroups",
          "ec2:DescribeSecurityGroups", "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
        ]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = local.region } }
      },
      {
        Sid      = "Images"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = "arn:${local.partition}:ssm:${local.region}::parameter/aws/service/*"
      },
      {
        # Neither prices nor the list of profiles, of which it removes its own that are left over, have resources.
        Sid      = "PricesAndProfiles"
        Effect   = "Allow"
        Action   = ["iam:ListInstanceProfiles", "pricing:GetProducts"]
        Resource = "*"
      },
      {
        Sid      = "Interruptions"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
        Resource = aws_sqs_queue.interruptions[0].arn
      },
      {
        Sid       = "GiveNodesTheirRole"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = aws_iam_role.node.arn
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
      },
      {
        Sid       = "MakeProfiles"
        Effect    = "Allow"
        Action    = ["iam:CreateInstanceProfile", "iam:TagInstanceProfile"]
        Resource  = "arn:${local.partition}:iam::${local.account}:instance-profile/*"
        Condition = { StringEquals = { "aws:RequestTag/${local.owned}" = "owned" } }
      },
      {
        Sid       = "KeepOwnProfiles"
        Effect    = "Allow"
        Action    = ["iam:AddRoleToInstanceProfile", "iam:DeleteInstanceProfile", "iam:RemoveRoleFromInstanceProfile"]
        Resource  = "arn:${local.partition}:iam::${local.account}:instance-profile/*"
        Condition = { StringEquals = { "aws:ResourceTag/${local.owned}" = "owned" } }
      },
      {
        Sid      = "ReadProfiles"
        Effect   = "Allow"
        Action   = ["iam:GetInstanceProfile"]
        Resource = "arn:${local.partition}:iam::${local.account}:instance-profile/*"
      },
      {
        Sid      = "FindTheCluster"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster"]
        Resource = aws_eks_cluster.this.arn
      },
    ]
  })
}

resource "aws_sqs_queue" "interruptions" {
  count = var.settings.karpenter ? 1 : 0

  name                      = "${var.place.prefix}-interruptions"
  message_retention_seconds = 300
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_policy" "interruptions" {
  count = var.settings.karpenter ? 1 : 0

  queue_url = aws_sqs_queue.interruptions[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Events"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.interruptions[0].arn
      Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.interruption : rule.arn] } }
      }, {
      Sid       = "OnlyEncrypted"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.interruptions[0].arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "interruption" {
  for_each = var.settings.karpenter ? local.interruptions : {}

  name        = "${var.place.prefix}-${each.key}"
  description = "Nodes of ${var.place.prefix} that are about to go: ${each.key}"

  event_pattern = jsonencode({ source = each.value.source, detail-type = each.value.detail })
}

resource "aws_cloudwatch_event_target" "interruption" {
  for_each = aws_cloudwatch_event_rule.interruption

  rule      = each.value.name
  target_id = "karpenter"
  arn       = aws_sqs_queue.interruptions[0].arn
}
