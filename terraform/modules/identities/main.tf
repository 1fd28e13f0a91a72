# A role for each workload, which its service accounts alone can take, with the policies it needs and no others. EKS Pod Identity
# says who has which: an agent on the node gives pods their credentials, so that they call nobody outside for them.

data "aws_caller_identity" "current" {}

locals {
  accounts = merge([
    for name, workload in var.workloads : { for account in workload.service_accounts : "${workload.namespace}/${account}" => { workload = name, namespace = workload.namespace, account = account } }
  ]...)

  policies = merge([
    for name, workload in var.workloads : { for key, policy in workload.policies : "${name}/${key}" => { workload = name, key = key, policy = policy } }
  ]...)
}

resource "aws_iam_role" "this" {
  for_each = var.workloads

  name                 = "${var.place.prefix}-${each.key}"
  description          = "${each.value.namespace}/${join(", ", each.value.service_accounts)} in ${var.place.cluster_name}"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = data.aws_caller_identity.current.account_id
          "aws:RequestTag/kubernetes-namespace"       = each.value.namespace
          "aws:RequestTag/kubernetes-service-account" = each.value.service_accounts
        }
        ArnEquals = { "aws:SourceArn" = var.place.cluster_arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.policies

  name   = each.value.key
  role   = aws_iam_role.this[each.value.workload].id
  policy = each.value.policy
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = local.accounts

  cluster_name    = var.place.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.account
  role_arn        = aws_iam_role.this[each.value.workload].arn
}
