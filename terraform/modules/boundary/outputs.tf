output "arn" {
  description = "The boundary that every role of this environment carries."
  value       = aws_iam_policy.boundary.arn
}
