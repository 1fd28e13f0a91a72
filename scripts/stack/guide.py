"""What `make run` ends with: where everything is, what to try next, and how to stop."""

from scripts.stack import layout, settings

TEXT = """
The shop is open after {seconds:.0f} s.

  REST, gRPC, gRPC-Web   {edge}
  API documentation      {edge}/docs
  Administrator          {email}, password in {env} (ADMIN_PASSWORD)
  A vendor               {vendor}, password there too (VENDOR_PASSWORD)
  Mail that was sent     {mail}

Try next:

  curl '{edge}/api/v1/products?page_size=3'
  curl '{edge}/api/v1/products/search?text=brass+lamp&with_facets=true'

  TOKEN=$(curl -s {edge}/api/v1/users/register \\
    -d '{{"email":"ada@example.com","password":"a long passphrase","display_name":"Ada"}}' \\
    | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

  curl {edge}/api/v1/orders -H "authorization: Bearer $TOKEN" \\
    -d '{{"items":[{{"sku":"COFFEE-250G","quantity":2}}],"payment_method":"card_approved",
         "shipping_address":{{"recipient":"Ada","line1":"1 Market Street","city":"Springfield",
                             "postal_code":"97477","country":"US"}}}}'

  grpcurl -plaintext -protoset .souk/gen/souk.binpb -d '{{"page_size":3}}' \\
    {edge_address} souk.catalog.v1.CatalogService/ListProducts

  make status    what runs, where, how well, in how much memory
  make logs      what every process says
  make down      stop it; data stays, and `make run` goes on from there
  make clean     stop it and remove its data
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
        vendor=exported["VENDOR_EMAIL"],
        env=".souk/env" if chosen.stack.name == layout.MAIN else str(chosen.stack.env_file).removeprefix(root),
        mail=exported.get("MAIL_STORE", exported["SMTP_URL"]).removeprefix(root),
    )
