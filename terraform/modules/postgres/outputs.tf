output "servers" {
  description = "Server to its address, its replicas, the secret with its master's password, and its identifier."
  value = {
    for name, server in aws_db_instance.this : name => {
      identifier    = server.identifier
      address       = server.address
      port          = server.port
      master_secret = server.master_user_secret[0].secret_arn
      replicas      = [for key, replica in aws_db_instance.replica : replica.address if local.replicas[key].of == name]
    }
  }
}

output "databases" {
  description = "Service to where its database is: server, address, port, name, and a replica for reads that may be stale (or null)."
  value = merge([
    for name, server in var.settings.servers : {
      for service in server.services : service => {
        server   = name
        address  = aws_db_instance.this[name].address
        port     = aws_db_instance.this[name].port
        database = var.databases[service]
        replica  = one(slice([for key, replica in aws_db_instance.replica : replica.address if local.replicas[key].of == name], 0, min(1, server.replicas)))
      }
    }
  ]...)
}

output "identifiers" {
  description = "The identifiers of servers and replicas, as their metrics know them."
  value       = concat([for server in aws_db_instance.this : server.identifier], [for replica in aws_db_instance.replica : replica.identifier])
}

output "replica_identifiers" {
  description = "The identifiers of replicas."
  value       = [for replica in aws_db_instance.replica : replica.identifier]
}

output "connections" {
  description = "Connections that each server takes."
  value       = var.settings.connections
}
