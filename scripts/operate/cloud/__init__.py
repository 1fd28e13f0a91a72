"""AWS: the job that fills the secrets Terraform made empty and changes the passwords in use, and the databases it makes."""
