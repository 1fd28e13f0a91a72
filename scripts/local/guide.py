"""What `make run` ends with: where everything is, what to try next, and how to stop."""

from scripts.local import settings

TEXT = """
The shop is open after {seconds:.0f} s.

  REST and gRPC    {edge}
  API page         {edge}/openapi.html
  Administrator    {email}, password in {env} (ADMIN_PASSWORD)
  Mail             {mail}

Try next:

  curl {edge}/api/v1/products
  curl {edge}/.well-known/jwks.json
  curl -X POST {edge}/api/v1/users/register -H 'content-type: application/json' \\
    -d '{{"email": "me@example.com", "password": "a long passphrase", "display_name": "Me"}}'
  grpcurl -plaintext -protoset .souk/gen/souk.binpb -d '{{"page_size": 3}}' {edge_address} \\
    souk.catalog.v1.CatalogService/ListProducts

  make status   what runs, where, how much memory         make logs    follow every log
  make down     stop it (data stays)                      make clean   stop it and remove its data
"""


def text(chosen: settings.Settings, seconds: float) -> str:
    """The closing words of `make run`, for this stack."""
    exported = settings.exported(chosen)
    root = f"{chosen.stack.root}/"
    return TEXT.format(
        seconds=seconds,
        edge=chosen.edge_url,
        edge_address=chosen.edge_url.removeprefix("http://"),
        email=exported["ADMIN_EMAIL"],
        env=str(chosen.stack.env_file).removeprefix(root),
        mail=exported.get("MAIL_STORE", exported["SMTP_URL"]).removeprefix(root),
    )
