# `prevent_destroy` must be a literal, so it can't follow a variable. This resource can: it hangs on what it guards, and any plan
# that destroys or replaces that must replace this, which Terraform refuses. Switching `enabled` off is refused as well: a guard
# is taken away by hand, with `make tf-unguard`. Needs no provider that is downloaded.

resource "terraform_data" "this" {
  count = var.enabled ? 1 : 0

  triggers_replace = var.ids

  lifecycle {
    prevent_destroy = true
  }
}
