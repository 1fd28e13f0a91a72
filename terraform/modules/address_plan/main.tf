# Which subnet has which addresses. Needs no provider.
#
#   half of the network    private: nodes and their pods, an eighth per zone, room for four zones
#   the next sixteenth     public: the load balancer and NAT alone, a 64th per zone
#   the sixteenth after    intra: brokers and databases, which never reach out, a 64th per zone
#   the rest               free

locals {
  private = { for at, zone in var.zones : zone => cidrsubnet(var.vpc_cidr, 3, at) }
  public  = { for at, zone in var.zones : zone => cidrsubnet(var.vpc_cidr, 6, 32 + at) }
  intra   = { for at, zone in var.zones : zone => cidrsubnet(var.vpc_cidr, 6, 36 + at) }

  # AWS keeps five addresses of every subnet.
  private_hosts = pow(2, 32 - tonumber(split("/", values(local.private)[0])[1])) - 5
}
