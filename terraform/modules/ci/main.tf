# Jenkins' roles. A job shows a token that Jenkins has signed and gets the role meant for it: no key of AWS is kept anywhere.
#
#   publish   pushes images and the chart
#   plan      reads what is there, and the state
#   deploy    finds the cluster; what it may do there is an access entry in one namespace
#   apply     after an approval: changes this environment's resources, by their names
#
# Which jobs take which role, the roots say, and a test holds them to the Jenkinsfile. A tag and a branch of one name are one job
# to Jenkins, so whoever may make a branch called v1.2.3 may release: docs/release.md says what to protect.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  issuer    = trimprefix(var.settings.issuer, "https://")

  provider_arn = var.settings.create_provider ? aws_iam_openid_connect_provider.jenkins[0].arn : "arn:${local.partition}:iam::${local.account}:oidc-provider/${local.issuer}"
}

resource "aws_iam_openid_connect_provider" "jenkins" {
  count = var.settings.create_provider ? 1 : 0

  url            = var.settings.issuer
  client_id_list = [var.settings.audience]
}

resource "aws_iam_role" "this" {
  for_each = var.settings.subjects

  name                 = "${var.place.prefix}-jenkins-${each.key}"
  description          = "Jenkins: ${each.key}"
  max_session_duration = each.key == "apply" ? 7200 : 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider_arn }
      Action    = ["sts:AssumeRoleWithWebIdentity"]
      Condition = {
        StringEquals = { "${local.issuer}:aud" = var.settings.audience }
        StringLike   = { "${local.issuer}:sub" = sort(each.value) }
      }
    }]
  })
}

locals {
  # What cosign asks of the key: it signs, and reads the public half to hold signatures to it.
  signing = { for role, actions in { publish = ["kms:Sign"], deploy = [] } : role => [for statement in [{
    Sid      = "Signatures"
    Effect   = "Allow"
    Action   = concat(["kms:DescribeKey", "kms:GetPublicKey"], actions)
    Resource = var.settings.signing_key_arn
  }] : statement if var.settings.signing_key_arn != ""] }

  publish = concat(local.signing.publish, [
    {
      # Signing in knows no narrower resource.
      Sid      = "SignIn"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = "*"
    },
    {
      Sid    = "Push"
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImageScanFindings",
        "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
      ]
      Resource = var.place.repository_arns
    },
  ])

  # The error budget after a roll-out.
  budget = [for statement in [{
    Sid      = "ErrorBudget"
    Effect   = "Allow"
    Action   = ["aps:QueryMetrics"]
    Resource = var.place.prometheus_arn
  }] : statement if var.place.prometheus_arn != ""]

  deploy = concat(local.signing.deploy, local.budget, [
    {
      Sid      = "FindTheCluster"
      Effect   = "Allow"
      Action   = ["eks:DescribeCluster"]
      Resource = var.place.cluster_arn
    },
    {
      Sid      = "SignIn"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = "*"
    },
    {
      # The chart comes from the same registry.
      Sid      = "Pull"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
      Resource = var.place.repository_arns
    },
    {
      # Terraform's outputs become the chart's values.
      Sid      = "ReadTheState"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = "${var.settings.state.bucket_arn}/${var.settings.state.key}"
    },
    {
      Sid      = "FindTheState"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = var.settings.state.bucket_arn
    },
    {
      Sid      = "Decrypt"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = var.settings.state.kms_key_arn
    },
  ])

  state = [
    {
      Sid      = "FindTheState"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = var.settings.state.bucket_arn
    },
    {
      Sid      = "KeepTheState"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = ["${var.settings.state.bucket_arn}/${var.settings.state.key}"]
    },
    {
      # The lock is a file beside the state.
      Sid      = "LockTheState"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = ["${var.settings.state.bucket_arn}/${var.settings.state.key}.tflock"]
    },
    {
      Sid      = "EncryptTheState"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = var.settings.state.kms_key_arn
    },
  ]

  # Passwords that Terraform makes.
  passwords = [
    {
      # Making one up knows no narrower resource.
      Sid      = "MakePasswords"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetRandomPassword"]
      Resource = "*"
    },
  ]

  # A plan reads what AWS calls readable, and no secret and no object but the state.
  plan = concat(
    [for statement in local.state : statement if statement.Sid != "KeepTheState"],
    local.passwords,
    [{
      Sid      = "ReadTheState"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${var.settings.state.bucket_arn}/${var.settings.state.key}"]
      }, {
      Sid         = "NoOtherObject"
      Effect      = "Deny"
      Action      = ["s3:GetObject", "s3:GetObjectVersion"]
      NotResource = ["${var.settings.state.bucket_arn}/${var.settings.state.key}", "${var.settings.state.bucket_arn}/${var.settings.state.key}.tflock"]
      }, {
      Sid      = "NoSecret"
      Effect   = "Deny"
      Action   = ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"]
      Resource = "*"
    }],
  )

  statements = {
    for name, statements in { publish = local.publish, deploy = local.deploy, plan = local.plan, apply = concat(local.state, local.passwords) } :
    name => jsonencode({ Version = "2012-10-17", Statement = statements }) if contains(keys(var.settings.subjects), name)
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.statements

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = each.value
}

# What is there, for a plan: AWS keeps the list of all reading calls.
resource "aws_iam_role_policy_attachment" "read" {
  for_each = setintersection(["plan", "apply"], keys(var.settings.subjects))

  role       = aws_iam_role.this[each.value].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

# What apply may change, by service. Names begin with the environment's; where AWS gives ids instead of names, the tag says whose it is.
locals {
  own     = "${local.region}:${local.account}"
  named   = "${var.place.prefix}*"
  project = split("-", var.place.prefix)[0]

  changes = {
    network = {
      actions = [
        "ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateFlowLogs", "ec2:CreateInternetGateway", "ec2:CreateLaunchTemplate",
        "ec2:CreateLaunchTemplateVersion", "ec2:CreateNatGateway", "ec2:CreateRoute", "ec2:CreateRouteTable",
        "ec2:CreateSecurityGroup", "ec2:CreateSubnet", "ec2:CreateTags", "ec2:CreateVpc", "ec2:CreateVpcEndpoint",
        "ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway", "ec2:DeleteLaunchTemplate", "ec2:DeleteNatGateway", "ec2:DeleteRoute",
        "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:DeleteVpc",
        "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway", "ec2:DisassociateAddress", "ec2:DisassociateRouteTable",
        "ec2:ModifyLaunchTemplate", "ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute",
        "ec2:ModifyVpcEndpoint", "ec2:ReleaseAddress", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
        "ec2:RunInstances", "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
      ]
      resources = [for kind in [
        "elastic-ip", "instance", "internet-gateway", "launch-template", "natgateway", "network-interface", "route-table",
        "security-group", "security-group-rule", "subnet", "volume", "vpc", "vpc-endpoint", "vpc-flow-log",
      ] : "arn:${local.partition}:ec2:${local.own}:${kind}/*"]
    }
    cluster = {
      actions = [
        "eks:AssociateAccessPolicy", "eks:CreateAccessEntry", "eks:CreateAddon", "eks:CreateNodegroup",
        "eks:CreatePodIdentityAssociation", "eks:DeleteAccessEntry", "eks:DeleteAddon", "eks:DeleteCluster", "eks:DeleteNodegroup",
        "eks:DeletePodIdentityAssociation", "eks:DisassociateAccessPolicy", "eks:TagResource", "eks:UntagResource",
        "eks:UpdateAccessEntry", "eks:UpdateAddon", "eks:UpdateClusterConfig", "eks:UpdateClusterVersion",
        "eks:UpdateNodegroupConfig", "eks:UpdateNodegroupVersion", "eks:UpdatePodIdentityAssociation",
      ]
      resources = [for kind in ["access-entry", "addon", "cluster", "nodegroup", "podidentityassociation"] : "arn:${local.partition}:eks:${local.own}:${kind}/${local.named}"]
    }
    kafka = {
      actions = [
        "kafka:CreateCluster", "kafka:CreateClusterV2",
        "kafka:CreateConfiguration", "kafka:DeleteCluster", "kafka:DeleteConfiguration", "kafka:TagResource", "kafka:UntagResource",
        "kafka:UpdateBrokerCount", "kafka:UpdateBrokerStorage", "kafka:UpdateBrokerType", "kafka:UpdateClusterConfiguration",
        "kafka:UpdateClusterKafkaVersion", "kafka:UpdateConfiguration", "kafka:UpdateMonitoring", "kafka:UpdateSecurity",
      ]
      resources = [for kind in ["cluster", "configuration"] : "arn:${local.partition}:kafka:${local.own}:${kind}/${local.named}"]
    }
    scaling = {
      actions   = ["application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget", "application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource"]
      resources = ["arn:${local.partition}:application-autoscaling:${local.own}:scalable-target/*"]
    }
    databases = {
      actions = [
        "rds:AddTagsToResource", "rds:CreateDBInstance", "rds:CreateDBInstanceReadReplica", "rds:CreateDBParameterGroup",
        "rds:CreateDBSnapshot", "rds:CreateDBSubnetGroup", "rds:DeleteDBInstance", "rds:DeleteDBParameterGroup",
        "rds:DeleteDBSubnetGroup", "rds:ModifyDBInstance", "rds:ModifyDBParameterGroup", "rds:ModifyDBSubnetGroup",
        "rds:PromoteReadReplica", "rds:RebootDBInstance", "rds:RemoveTagsFromResource", "rds:ResetDBParameterGroup",
      ]
      resources = [for kind in ["db", "pg", "snapshot", "subgrp"] : "arn:${local.partition}:rds:${local.own}:${kind}:${local.named}"]
    }
    caches = {
      actions = [
        "elasticache:AddTagsToResource", "elasticache:CreateCacheParameterGroup", "elasticache:CreateCacheSubnetGroup",
        "elasticache:CreateReplicationGroup", "elasticache:DecreaseReplicaCount", "elasticache:DeleteCacheParameterGroup",
        "elasticache:DeleteCacheSubnetGroup", "elasticache:DeleteReplicationGroup", "elasticache:IncreaseReplicaCount",
        "elasticache:ModifyCacheParameterGroup", "elasticache:ModifyCacheSubnetGroup", "elasticache:ModifyReplicationGroup",
        "elasticache:RemoveTagsFromResource",
      ]
      resources = [for kind in ["cluster", "parametergroup", "replicationgroup", "subnetgroup"] : "arn:${local.partition}:elasticache:${local.own}:${kind}:${local.named}"]
    }
    opensearch = {
      actions   = ["es:AddTags", "es:CreateDomain", "es:DeleteDomain", "es:RemoveTags", "es:UpdateDomainConfig", "es:UpgradeDomain"]
      resources = ["arn:${local.partition}:es:${local.own}:domain/${local.named}"]
    }
    registry = {
      actions = [
        "ecr:CreateRepository", "ecr:DeleteLifecyclePolicy", "ecr:DeleteRepository", "ecr:PutImageScanningConfiguration",
        "ecr:PutImageTagMutability", "ecr:PutLifecyclePolicy", "ecr:TagResource", "ecr:UntagResource",
      ]
      resources = ["arn:${local.partition}:ecr:${local.own}:repository/${local.project}/*"]
    }
    secrets = {
      actions = [
        "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:PutSecretValue",
        "secretsmanager:RestoreSecret", "secretsmanager:RotateSecret", "secretsmanager:TagResource",
        "secretsmanager:UntagResource", "secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage",
      ]
      resources = concat(
        [for start in ["${replace(var.place.prefix, "-", "/")}/", "rds!db-"] : "arn:${local.partition}:secretsmanager:${local.own}:secret:${start}*"],
      )
    }
    keys = {
      actions = [
        "kms:CreateGrant", "kms:Decrypt", "kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GenerateDataKey",
        "kms:PutKeyPolicy", "kms:RetireGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription",
      ]
      resources = ["arn:${local.partition}:kms:${local.own}:key/*"]
    }
    aliases = {
      actions   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
      resources = ["arn:${local.partition}:kms:${local.own}:alias/${local.named}", "arn:${local.partition}:kms:${local.own}:key/*"]
    }
    logs = {
      actions   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource"]
      resources = [for start in ["/${var.place.prefix}/", "/aws/eks/${var.place.prefix}/", "/aws/rds/instance/${var.place.prefix}-", "/aws/vendedlogs/${var.place.prefix}/", "aws-waf-logs-${var.place.prefix}"] : "arn:${local.partition}:logs:${local.own}:log-group:${start}*"]
    }
    alarms = {
      actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"]
      resources = ["arn:${local.partition}:cloudwatch:${local.own}:alarm:${local.named}"]
    }
    messages = {
      actions = [
        "sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:UntagResource",
      ]
      resources = ["arn:${local.partition}:sns:${local.own}:${local.named}"]
    }
    queues = {
      actions   = ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue"]
      resources = ["arn:${local.partition}:sqs:${local.own}:${local.named}"]
    }
    events = {
      actions   = ["events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource"]
      resources = ["arn:${local.partition}:events:${local.own}:rule/${local.named}"]
    }
    # What a role may do is changed only inside the boundary.
    rights = {
      actions = [
        "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
      ]
      resources = ["arn:${local.partition}:iam::${local.account}:role/${local.named}"]
    }
    roles = {
      actions = [
        "iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
      ]
      resources = ["arn:${local.partition}:iam::${local.account}:role/${local.named}"]
    }
    firewall = {
      actions   = ["wafv2:CreateWebACL", "wafv2:DeleteLoggingConfiguration", "wafv2:DeleteWebACL", "wafv2:PutLoggingConfiguration", "wafv2:TagResource", "wafv2:UntagResource", "wafv2:UpdateWebACL"]
      resources = ["arn:${local.partition}:wafv2:${local.own}:regional/webacl/${local.named}", "arn:${local.partition}:wafv2:${local.own}:regional/managedruleset/*"]
    }
    certificates = {
      actions = ["acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:RemoveTagsFromCertificate"]
      # CloudFront's are there, wherever everything else is.
      resources = [for region in [local.region, "us-east-1"] : "arn:${local.partition}:acm:${region}:${local.account}:certificate/*"]
    }
    images = {
      actions = [
        "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketCORS", "s3:PutBucketOwnershipControls",
        "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging", "s3:PutBucketVersioning",
        "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
      ]
      resources = ["arn:${local.partition}:s3:::${var.place.prefix}-images-*"]
    }
    delivery = {
      actions = [
        "cloudfront:CreateDistribution", "cloudfront:CreateResponseHeadersPolicy",
        "cloudfront:DeleteDistribution", "cloudfront:DeleteOriginAccessControl", "cloudfront:DeleteResponseHeadersPolicy",
        "cloudfront:TagResource", "cloudfront:UntagResource", "cloudfront:UpdateDistribution",
        "cloudfront:UpdateOriginAccessControl", "cloudfront:UpdateResponseHeadersPolicy",
      ]
      resources = [for kind in ["distribution", "origin-access-control", "response-headers-policy"] : "arn:${local.partition}:cloudfront::${local.account}:${kind}/*"]
    }
    names = {
      actions   = ["route53:ChangeResourceRecordSets", "route53:ChangeTagsForResource"]
      resources = ["arn:${local.partition}:route53:::hostedzone/*"]
    }
    metrics = {
      actions   = ["aps:CreateLoggingConfiguration", "aps:DeleteLoggingConfiguration", "aps:DeleteWorkspace", "aps:TagResource", "aps:UntagResource", "aps:UpdateLoggingConfiguration", "aps:UpdateWorkspaceAlias"]
      resources = ["arn:${local.partition}:aps:${local.own}:workspace/*"]
    }
    dashboards = {
      actions   = ["grafana:DeleteWorkspace", "grafana:UpdateWorkspace"]
      resources = ["arn:${local.partition}:grafana:${local.own}:/workspaces/*"]
    }
    budget = {
      actions   = ["budgets:ModifyBudget"]
      resources = ["arn:${local.partition}:budgets::${local.account}:budget/${local.named}"]
    }
    # These calls make something that has no address yet, or know no narrower resource.
    births = {
      actions = [
        "acm:RequestCertificate", "aps:CreateWorkspace", "cloudfront:CreateOriginAccessControl", "ec2:DisassociateAddress", "eks:CreateCluster", "grafana:CreateWorkspace", "kms:CreateKey",
        "kafka:CreateConfiguration", "logs:DeleteResourcePolicy", "logs:PutResourcePolicy", "route53:CreateHostedZone", "sns:Unsubscribe",
        # Brokers, the cache, the firewall and Prometheus have their logs delivered in the name of whoever sets them up.
        "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:UpdateLogDelivery",
        # Grafana is signed in to by IAM Identity Center.
        "sso:CreateManagedApplicationInstance", "sso:DeleteManagedApplicationInstance",
      ]
      resources = ["*"]
    }
  }

  # A policy of AWS holds 6,144 characters, and a role ten of them.
  parts = {
    network = ["network", "scaling"]
    cluster = ["cluster", "registry", "aliases", "keys"]
    stores  = ["kafka", "databases", "caches", "opensearch"]
    access  = ["secrets", "rights", "roles", "certificates", "names", "firewall"]
    images  = ["images", "delivery"]
    watch   = ["logs", "alarms", "messages", "queues", "events", "metrics", "dashboards", "budget", "births"]
  }
}

resource "aws_iam_policy" "apply" {
  for_each = contains(keys(var.settings.subjects), "apply") ? local.parts : {}

  name        = "${var.place.prefix}-jenkins-apply-${each.key}"
  description = "What Jenkins may change in ${var.place.prefix}: ${each.key}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for part in each.value : {
        Sid       = title(part)
        Effect    = "Allow"
        Action    = local.changes[part].actions
        Resource  = local.changes[part].resources
        Condition = local.conditions[part]
      }],
      [for statement in [{
        Sid       = "PassRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = ["arn:${local.partition}:iam::${local.account}:role/${local.named}"]
        Condition = { StringEquals = { "iam:PassedToService" = ["ec2.amazonaws.com", "eks.amazonaws.com", "grafana.amazonaws.com", "monitoring.rds.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com"] } }
        }, {
        # Otherwise apply could give itself what it lacks.
        Sid      = "NotItsOwnRights"
        Effect   = "Deny"
        Action   = ["iam:AttachRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"]
        Resource = ["arn:${local.partition}:iam::${local.account}:role/${var.place.prefix}-jenkins-*"]
      }] : statement if each.key == "access"],
    )
  })
}

locals {
  # Everything happens in one region; IAM, Route 53, CloudFront with its certificates, and budgets are everywhere and nowhere.
  conditions = {
    for part in keys(local.changes) : part => part == "rights" ? { StringEquals = { "iam:PermissionsBoundary" = var.place.permissions_boundary_arn } } : (
      contains(["roles", "names", "certificates", "delivery", "budget", "births"], part) ? {} : { StringEquals = { "aws:RequestedRegion" = local.region } }
    )
  }
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = aws_iam_policy.apply

  role       = aws_iam_role.this["apply"].name
  policy_arn = each.value.arn
}
