# What stands before the edge: a certificate, a firewall, names, and what the controllers may do that make the load balancer and
# its DNS record from the chart's Ingress. The load balancer is the one thing here that the world can reach.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

data "aws_route53_zone" "existing" {
  count = var.settings.create_zone ? 0 : 1

  name = var.settings.zone_name
}

resource "aws_route53_zone" "this" {
  # checkov:skip=CKV2_AWS_39: who asks for the address of a public API is nobody's secret and not worth a log
  # checkov:skip=CKV2_AWS_38: needs a key in us-east-1 and a record at the registrar, which Terraform can't place; docs/aws.md says how
  count = var.settings.create_zone ? 1 : 0

  name    = var.settings.zone_name
  comment = "The shop: ${var.place.prefix}"
}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  zone_id   = var.settings.create_zone ? aws_route53_zone.this[0].zone_id : data.aws_route53_zone.existing[0].zone_id
  own_elb   = "arn:${local.partition}:elasticloadbalancing:${local.region}:${local.account}"
  own_ec2   = "arn:${local.partition}:ec2:${local.region}:${local.account}"
}

resource "aws_acm_certificate" "this" {
  domain_name               = var.settings.hosts[0]
  subject_alternative_names = slice(var.settings.hosts, 1, length(var.settings.hosts))
  validation_method         = "DNS"
  key_algorithm             = "EC_prime256v1"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = toset(var.settings.hosts)

  zone_id         = local.zone_id
  name            = one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_name if option.domain_name == each.value])
  type            = one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_type if option.domain_name == each.value])
  records         = [one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_value if option.domain_name == each.value])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

locals {
  managed_rules = ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"]

  # A body of more than 8 KiB is an order of many lines, or a product with a long description: the edge has a limit of its own.
  overrides = {
    for name in local.managed_rules : name => [
      for rule in ["SizeRestrictions_BODY"] : { Name = rule, ActionToUse = { Count = {} } } if name == "AWSManagedRulesCommonRuleSet"
    ]
  }

  # As the API of AWS WAF writes them: it has statements within statements that blocks can't hold.
  rules = concat(
    [{
      Name      = "rate"
      Priority  = 0
      Statement = { RateBasedStatement = { Limit = var.settings.requests_per_five_minutes, AggregateKeyType = "IP", EvaluationWindowSec = 300 } }
      Action = {
        Block = { CustomResponse = { ResponseCode = 429, ResponseHeaders = [{ Name = "retry-after", Value = "300" }] } }
      }
      VisibilityConfig = { SampledRequestsEnabled = true, CloudWatchMetricsEnabled = true, MetricName = "${var.place.prefix}-rate" }
    }],
    [for at, name in local.managed_rules : {
      Name             = name
      Priority         = at + 1
      Statement        = { ManagedRuleGroupStatement = { VendorName = "AWS", Name = name, RuleActionOverrides = local.overrides[name] } }
      OverrideAction   = { None = {} }
      VisibilityConfig = { SampledRequestsEnabled = true, CloudWatchMetricsEnabled = true, MetricName = "${var.place.prefix}-${name}" }
    }],
  )
}

resource "aws_wafv2_web_acl" "this" {
  # checkov:skip=CKV_AWS_192: AWSManagedRulesKnownBadInputsRuleSet is among the rules, which are JSON
  # checkov:skip=CKV_AWS_175: the rules are JSON: rule_json
  name        = var.place.prefix
  description = "Before the load balancer of ${var.place.prefix}"
  scope       = "REGIONAL"
  rule_json   = jsonencode(local.rules)

  default_action {
    allow {}
  }

  visibility_config {
    sampled_requests_enabled   = true
    cloudwatch_metrics_enabled = true
    metric_name                = var.place.prefix
  }
}

# AWS WAF writes only to groups whose names begin so.
resource "aws_cloudwatch_log_group" "waf" {
  # checkov:skip=CKV_AWS_338: a year by default; development keeps less
  name              = "aws-waf-logs-${var.place.prefix}"
  retention_in_days = var.place.log_retention_days
  kms_key_id        = var.place.logs_kms_key_arn
}

resource "aws_cloudwatch_log_resource_policy" "waf" {
  policy_name = "${var.place.prefix}-waf"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "FirewallWritesItsLog"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.waf.arn}:*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:logs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.waf.arn]

  # Tokens and cookies are nobody's business.
  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.waf]
}

# What the AWS Load Balancer Controller does, limited to what it has tagged as its own. Its describe calls know no narrower resource.
locals {
  owned = { "Null" = { "aws:ResourceTag/elbv2.k8s.aws/cluster" = "false" } }
  mine  = { StringEquals = { "aws:RequestTag/elbv2.k8s.aws/cluster" = var.place.prefix } }

  balancer_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "acm:ListCertificates",
          "ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeCoipPools",
          "ec2:DescribeInstances", "ec2:DescribeInternetGateways", "ec2:DescribeIpamPools", "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeTags",
          "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs",
          "elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListenerAttributes",
          "elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
          "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeSSLPolicies", "elasticloadbalancing:DescribeTags",
          "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups",
          "elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTrustStores",
        ]
        Resource = "*"
      },
      {
        Sid      = "Certificate"
        Effect   = "Allow"
        Action   = ["acm:DescribeCertificate"]
        Resource = aws_acm_certificate.this.arn
      },
      {
        Sid    = "Firewall"
        Effect = "Allow"
        Action = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACL", "wafv2:GetWebACLForResource"]
        Resource = [
          aws_wafv2_web_acl.this.arn,
          "${local.own_elb}:loadbalancer/app/k8s-*",
        ]
      },
      {
        # It knows no narrower resource.
        Sid      = "FirewallOfBalancer"
        Effect   = "Allow"
        Action   = ["elasticloadbalancing:SetWebAcl"]
        Resource = "*"
      },
      {
        Sid       = "MakeGroups"
        Effect    = "Allow"
        Action    = ["ec2:CreateSecurityGroup"]
        Resource  = "${local.own_ec2}:security-group/*"
        Condition = local.mine
      },
      {
        Sid      = "MakeGroupsInTheNetwork"
        Effect   = "Allow"
        Action   = ["ec2:CreateSecurityGroup", "ec2:GetSecurityGroupsForVpc"]
        Resource = var.place.vpc_arn
      },
      {
        Sid       = "TagGroupsAtBirth"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags"]
        Resource  = "${local.own_ec2}:security-group/*"
        Condition = { StringEquals = { "ec2:CreateAction" = "CreateSecurityGroup" }, "Null" = { "aws:RequestTag/elbv2.k8s.aws/cluster" = "false" } }
      },
      {
        Sid       = "KeepGroups"
        Effect    = "Allow"
        Action    = ["ec2:CreateTags", "ec2:DeleteSecurityGroup", "ec2:DeleteTags"]
        Resource  = "${local.own_ec2}:security-group/*"
        Condition = local.owned
      },
      {
        # The rules of the nodes' group too: they let the load balancer in.
        Sid       = "KeepRules"
        Effect    = "Allow"
        Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
        Resource  = "${local.own_ec2}:security-group/*"
        Condition = { ArnEquals = { "ec2:Vpc" = var.place.vpc_arn } }
      },
      {
        Sid       = "MakeBalancers"
        Effect    = "Allow"
        Action    = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup"]
        Resource  = ["${local.own_elb}:loadbalancer/app/k8s-*", "${local.own_elb}:loadbalancer/net/k8s-*", "${local.own_elb}:targetgroup/k8s-*"]
        Condition = local.mine
      },
      {
        Sid    = "MakeListeners"
        Effect = "Allow"
        Action = ["elasticloadbalancing:CreateListener", "elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteListener", "elasticloadbalancing:DeleteRule"]
        Resource = [
          "${local.own_elb}:loadbalancer/app/k8s-*", "${local.own_elb}:loadbalancer/net/k8s-*",
          "${local.own_elb}:listener/app/k8s-*", "${local.own_elb}:listener/net/k8s-*",
          "${local.own_elb}:listener-rule/app/k8s-*", "${local.own_elb}:listener-rule/net/k8s-*",
        ]
      },
      {
        Sid    = "KeepListeners"
        Effect = "Allow"
        Action = [
          "elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyListenerAttributes",
          "elasticloadbalancing:ModifyRule", "elasticloadbalancing:RemoveListenerCertificates", "elasticloadbalancing:SetRulePriorities",
        ]
        Resource = [
          "${local.own_elb}:listener/app/k8s-*", "${local.own_elb}:listener/net/k8s-*",
          "${local.own_elb}:listener-rule/app/k8s-*", "${local.own_elb}:listener-rule/net/k8s-*",
        ]
      },
      {
        Sid    = "TagBalancers"
        Effect = "Allow"
        Action = ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"]
        Resource = [
          "${local.own_elb}:loadbalancer/app/k8s-*", "${local.own_elb}:loadbalancer/net/k8s-*", "${local.own_elb}:targetgroup/k8s-*",
          "${local.own_elb}:listener/app/k8s-*", "${local.own_elb}:listener/net/k8s-*",
          "${local.own_elb}:listener-rule/app/k8s-*", "${local.own_elb}:listener-rule/net/k8s-*",
        ]
      },
      {
        Sid    = "KeepBalancers"
        Effect = "Allow"
        Action = [
          "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:DeregisterTargets",
          "elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:ModifyTargetGroup",
          "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:RegisterTargets",
          "elasticloadbalancing:SetIpAddressType", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets",
        ]
        Resource  = ["${local.own_elb}:loadbalancer/app/k8s-*", "${local.own_elb}:loadbalancer/net/k8s-*", "${local.own_elb}:targetgroup/k8s-*"]
        Condition = local.owned
      },
    ]
  })

  names_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Names"
        Effect   = "Allow"
        Action   = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:ListTagsForResources"]
        Resource = "arn:${local.partition}:route53:::hostedzone/${local.zone_id}"
        }, {
        # Listing zones knows no narrower resource.
        Sid      = "Zones"
        Effect   = "Allow"
        Action   = ["route53:ListHostedZones"]
        Resource = "*"
      },
    ]
  })
}
