"""What the catalog reads from the environment, beside what every service does."""

from dataclasses import dataclass

from services.chassis.settings import SettingsError, env


@dataclass(frozen=True, slots=True)
class Settings:
    """How long the cache keeps a value that nobody says has changed, in seconds, and where uploaded images are kept.

    images_bucket is empty where there is no such place; images_url is what everybody reads it by, without the key.
    images_most_bytes is the largest image; images_form_s how long a form for an upload is valid; images_clear_s how
    often what must go from the bucket is looked for, up to six times as seldom after quiet. s3_endpoint_url is empty
    for AWS's own. s3_calls is how many threads call S3, s3_timeout_s how long each waits for a connection and for an
    answer.
    """

    cache_s: int = env("CATALOG_CACHE_S", default=60)
    images_bucket: str = env("CATALOG_IMAGES_BUCKET", default="")
    images_url: str = env("CATALOG_IMAGES_URL", default="")
    images_most_bytes: int = env("CATALOG_IMAGES_MOST_BYTES", default=5 * 1024 * 1024)
    images_form_s: int = env("CATALOG_IMAGES_FORM_S", default=600)
    images_clear_s: float = env("CATALOG_IMAGES_CLEAR_S", default=5.0)
    aws_region: str = env("AWS_REGION", default="")
    s3_endpoint_url: str = env("S3_ENDPOINT_URL", default="")
    s3_calls: int = env("CATALOG_S3_CALLS", default=8)
    s3_timeout_s: float = env("CATALOG_S3_TIMEOUT_S", default=3.0)

    def __post_init__(self) -> None:
        """Raise SettingsError when there is a bucket and nobody says where, or by what URL it is read."""
        if self.images_bucket and not (self.aws_region and self.images_url):
            raise SettingsError("CATALOG_IMAGES_BUCKET is set, and AWS_REGION or CATALOG_IMAGES_URL is not")
