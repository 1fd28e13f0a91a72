"""What runs in a cluster's pods or against a running shop: the only scripts that are copied into the services' image.

In pods: `grpc_health` (the probe), `mesh_certificates`, `development` and `cloud` (databases, roles, passwords and keys),
`first_order` (the check after an installation). Against a shop from outside: `audit`, `smoke`, `status`. `edge` is the client
for Souk over REST that they share. Nothing here may import another room of `scripts/`: no other is in the image.
"""
