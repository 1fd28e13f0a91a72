terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.25, < 7.0"
    }
  }

  # The rest of it is in terraform/backend.hcl, which `make tf-bootstrap` writes, and the key is given by `make`: souk/ENV.tfstate.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}
