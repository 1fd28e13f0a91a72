# Uploaded images of products. Browsers upload below `uploads/` by forms that a service signs; what it has looked at it copies
# below `images/`, which everybody reads through CloudFront. The bucket is nobody's but the service's and CloudFront's.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# A file of a name of its own never changes: AWS's policy keeps it as long as the file says.
data "aws_cloudfront_cache_policy" "immutable" {
  name = "Managed-CachingOptimized"
}

locals {
  bucket = "${var.place.prefix}-images-${data.aws_caller_identity.current.account_id}"
  # By its name, so that the boundary of roles can be written before the bucket is there.
  arn      = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket}"
  copy_arn = "${local.arn}-copy"
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18: who looks at which picture is nobody's business; CloudFront counts requests and errors
  # checkov:skip=CKV2_AWS_62: nobody waits for changes of the bucket: the catalog looks when it is asked to
  # checkov:skip=CKV_AWS_144: copied where `copies` says; by default versions are kept for a month in this region alone
  # checkov:skip=CKV_AWS_145: everybody may see what is in here; a key of ours would have to be lent to CloudFront
  bucket        = local.bucket
  force_destroy = !var.place.guarded
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# A copy in another region, of what is shown: uploads that nobody attached are not worth it.
resource "aws_s3_bucket" "copy" {
  # checkov:skip=CKV_AWS_18: who looks at which picture is nobody's business; CloudFront counts requests and errors
  # checkov:skip=CKV2_AWS_62: nobody waits for changes of the bucket
  # checkov:skip=CKV_AWS_144: it is itself the copy in the second region
  # checkov:skip=CKV_AWS_145: everybody may see what is in here; a key of ours would have to be lent to CloudFront
  count = var.place.copies == null ? 0 : 1

  region        = var.place.copies.region
  bucket        = "${local.bucket}-copy"
  force_destroy = !var.place.guarded
}

resource "aws_s3_bucket_versioning" "copy" {
  count = length(aws_s3_bucket.copy)

  region = var.place.copies.region
  bucket = aws_s3_bucket.copy[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "copy" {
  count = length(aws_s3_bucket.copy)

  region = var.place.copies.region
  bucket = aws_s3_bucket.copy[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "copy" {
  count = length(aws_s3_bucket.copy)

  region = var.place.copies.region
  bucket = aws_s3_bucket.copy[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "copy" {
  count = length(aws_s3_bucket.copy)

  region = var.place.copies.region
  bucket = aws_s3_bucket.copy[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "copy" {
  count = length(aws_s3_bucket.copy)

  region = var.place.copies.region
  bucket = aws_s3_bucket.copy[0].id

  rule {
    id     = "deleted-images"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.settings.deleted_kept_days
    }

    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.copy]
}

resource "aws_s3_bucket_policy" "copy" {
  count = length(aws_s3_bucket.copy)

  region = var.place.copies.region
  bucket = aws_s3_bucket.copy[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements[local.copy_arn] })

  depends_on = [aws_s3_bucket_public_access_block.copy]
}

# S3 copies in the name of a role.
resource "aws_iam_role" "copies" {
  count = length(aws_s3_bucket.copy)

  name                 = "${var.place.prefix}-images-copies"
  description          = "Copies images of ${var.place.prefix} to another region"
  permissions_boundary = var.place.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "copies" {
  count = length(aws_s3_bucket.copy)

  name = "copy"
  role = aws_iam_role.copies[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Find"
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = local.arn
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
        Resource = "${local.arn}/images/*"
      },
      {
        Sid      = "Copy"
        Effect   = "Allow"
        Action   = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
        Resource = "${local.copy_arn}/images/*"
      },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "this" {
  count = length(aws_s3_bucket.copy)

  bucket = aws_s3_bucket.this.id
  role   = aws_iam_role.copies[0].arn

  rule {
    id     = "images"
    status = "Enabled"

    filter {
      prefix = "images/"
    }

    delete_marker_replication {
      status = "Enabled"
    }

    destination {
      bucket        = aws_s3_bucket.copy[0].arn
      storage_class = "STANDARD_IA"
    }
  }

  depends_on = [aws_s3_bucket_versioning.this, aws_s3_bucket_versioning.copy]
}

# Forms are sent from the shop's pages alone; nothing is read here by a browser.
resource "aws_s3_bucket_cors_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  cors_rule {
    allowed_methods = ["POST"]
    allowed_origins = sort(var.settings.origins)
    allowed_headers = ["content-type"]
    max_age_seconds = 3600
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  # The catalog deletes uploads that nobody attaches within minutes. This is for those whose row was lost.
  rule {
    id     = "forgotten-uploads"
    status = "Enabled"

    filter {
      prefix = "uploads/"
    }

    expiration {
      days = 1
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  rule {
    id     = "deleted-images"
    status = "Enabled"

    filter {
      prefix = "images/"
    }

    noncurrent_version_expiration {
      noncurrent_days = var.settings.deleted_kept_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.statements[local.arn]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# The bucket's policy, and its copy's.
locals {
  statements = {
    for arn in [local.arn, local.copy_arn] : arn => [
      {
        Sid       = "OnlyEncryptedConnections"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        Resource  = [arn, "${arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "ShownByCloudFront"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = ["s3:GetObject"]
        Resource  = "${arn}/images/*"
        Condition = { StringEquals = { "aws:SourceArn" = aws_cloudfront_distribution.this.arn } }
      },
    ]
  }
}

# CloudFront takes certificates of this one region.
resource "aws_acm_certificate" "this" {
  region            = "us-east-1"
  domain_name       = var.settings.host
  validation_method = "DNS"
  key_algorithm     = "EC_prime256v1"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  zone_id         = var.settings.zone_id
  name            = one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_name])
  type            = one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_type])
  records         = [one([for option in aws_acm_certificate.this.domain_validation_options : option.resource_record_value])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  region                  = "us-east-1"
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.validation.fqdn]
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "${var.place.prefix}-images"
  description                       = "Reads the bucket of ${var.place.prefix}'s images"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# A picture is a picture: no browser takes it for a page, whatever its bytes say.
resource "aws_cloudfront_response_headers_policy" "this" {
  name    = "${var.place.prefix}-images"
  comment = "Images of ${var.place.prefix} are nothing but images"

  security_headers_config {
    content_type_options {
      override = true
    }

    content_security_policy {
      content_security_policy = "default-src 'none'; sandbox"
      override                = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = true
      preload                    = true
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  # checkov:skip=CKV_AWS_86: who looks at which picture is nobody's business; metrics count requests and errors
  # checkov:skip=CKV_AWS_68: it reads files that everybody may see and knows no other request; there is nothing to break into
  # checkov:skip=CKV2_AWS_47: it reads files that everybody may see; nothing behind it logs with Log4j
  # checkov:skip=CKV_AWS_310: the images are in one bucket, and copies at the edges outlast it
  # checkov:skip=CKV_AWS_305: there is no page at its root
  # checkov:skip=CKV_AWS_374: the shop sells to every country
  enabled         = true
  comment         = "Images of ${var.place.prefix}"
  aliases         = [var.settings.host]
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = var.settings.price_class

  origin {
    origin_id                = "bucket"
    domain_name              = aws_s3_bucket.this.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  # Where there is a copy, images go on being seen when this region does not answer.
  dynamic "origin" {
    for_each = aws_s3_bucket.copy

    content {
      origin_id                = "copy"
      domain_name              = origin.value.bucket_regional_domain_name
      origin_access_control_id = aws_cloudfront_origin_access_control.this.id
    }
  }

  dynamic "origin_group" {
    for_each = aws_s3_bucket.copy

    content {
      origin_id = "both"

      failover_criteria {
        status_codes = [500, 502, 503, 504]
      }

      member {
        origin_id = "bucket"
      }

      member {
        origin_id = "copy"
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = length(aws_s3_bucket.copy) == 0 ? "bucket" : "both"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = data.aws_cloudfront_cache_policy.immutable.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
    viewer_protocol_policy     = "https-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.this.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }
}

resource "aws_route53_record" "this" {
  for_each = toset(["A", "AAAA"])

  zone_id = var.settings.zone_id
  name    = var.settings.host
  type    = each.value

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}

locals {
  # Who signs a form lends its own right to upload. Without the right to list, S3 answers 403 for what is not there.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${local.arn}/images/*", "${local.arn}/uploads/*"]
      },
      {
        Sid      = "SayWhatIsNotThere"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = local.arn
      },
    ]
  })
}

module "guard" {
  source = "../guard"

  enabled = var.place.guarded
  ids     = [aws_s3_bucket.this.id]
}
