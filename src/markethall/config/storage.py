"""Where files lie: the settings of the storages, what is wrong with them, and Django's view."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

PACKAGE = "markethall.foundation.files.storage"


class StorageSettings(BaseSettings):
    """The part of the environment that names the storages."""

    storage: Literal["local", "s3", "r2", "cloudinary"] = Field(
        "local", description="Where new files are stored. `markethall move-files` moves old ones."
    )
    s3_bucket: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$",
        description="The private bucket, for STORAGE=s3.",
    )
    s3_region: str | None = Field(None, description="Its region, such as `eu-central-1`.")
    s3_endpoint_url: str | None = Field(
        None,
        pattern=r"^https?://[^/]+/?$",
        description="Another server of the S3 protocol; Amazon's when unset.",
    )
    s3_access_key_id: str | None = Field(
        None,
        description="Whose bucket it is; without it, Amazon's usual chain is asked"
        " (environment, profile, instance role).",
    )
    s3_secret_access_key: str | None = Field(None, description="Goes with the id.")
    s3_prefix: str = Field("", description="A folder in the bucket that all names begin with.")
    s3_addressing_style: Literal["path", "virtual", "auto"] | None = Field(
        None, description="`virtual` at Amazon and `path` elsewhere when unset."
    )
    s3_encryption: Literal["AES256", "aws:kms"] | None = Field(
        None, description="Encryption at rest that is asked for with each object."
    )
    s3_kms_key_id: str | None = Field(None, description="The key, for `aws:kms`.")
    s3_acl: Literal["private"] | None = Field(
        None, description="Sent with each object, for servers whose objects are not private anyway."
    )
    r2_account_id: str | None = Field(
        None, pattern=r"^[0-9A-Za-z]+$", description="Cloudflare R2's account, for STORAGE=r2."
    )
    r2_bucket: str | None = Field(
        None,
        description="R2's bucket. Without S3_BUCKET beside it, R2 also heeds the S3 variables.",
    )
    r2_access_key_id: str | None = Field(None, description="The id of an R2 API token.")
    r2_secret_access_key: str | None = Field(None, description="Goes with the id.")
    cloudinary_cloud_name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]+$", description="Cloudinary's cloud, for STORAGE=cloudinary."
    )
    cloudinary_api_key: str | None = Field(None, description="Its API key.")
    cloudinary_api_secret: str | None = Field(None, description="Goes with the key.")
    cloudinary_upload_prefix: str = Field(
        "https://api.cloudinary.com",
        pattern=r"^https?://[^/]+/?$",
        description="Where its API is; `https://api-eu.cloudinary.com` for accounts there.",
    )
    cloudinary_folder: str = Field("", description="A folder that all names begin with.")
    cloudinary_signature_algorithm: Literal["sha1", "sha256"] = Field(
        "sha1", description="As the account's security settings say."
    )


STORAGE_PAIRS = (
    ("s3_access_key_id", "s3_secret_access_key"),
    ("r2_access_key_id", "r2_secret_access_key"),
    ("cloudinary_api_key", "cloudinary_api_secret"),
)


def storage_faults(chosen: StorageSettings) -> list[str]:
    """What is wrong across the settings of the storages."""
    found = []
    if chosen.storage == "s3" and not chosen.s3_bucket:
        found.append("STORAGE=s3 needs S3_BUCKET.")
    if chosen.storage == "r2":
        if not chosen.r2_account_id and (_both(chosen) or not chosen.s3_endpoint_url):
            found.append("STORAGE=r2 needs R2_ACCOUNT_ID.")
        if not (chosen.r2_bucket or chosen.s3_bucket):
            found.append("STORAGE=r2 needs R2_BUCKET.")
        if not (chosen.r2_access_key_id or chosen.s3_access_key_id):
            found.append("STORAGE=r2 needs R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY.")
    if chosen.storage == "cloudinary" and not chosen.cloudinary_cloud_name:
        found.append("STORAGE=cloudinary needs CLOUDINARY_CLOUD_NAME.")
    if chosen.cloudinary_cloud_name and not chosen.cloudinary_api_key:
        found.append("CLOUDINARY_CLOUD_NAME needs CLOUDINARY_API_KEY and CLOUDINARY_API_SECRET.")
    if chosen.s3_kms_key_id and chosen.s3_encryption != "aws:kms":
        found.append("S3_KMS_KEY_ID needs S3_ENCRYPTION=aws:kms.")
    return found


def file_stores(chosen: StorageSettings, location: str) -> dict[str, dict[str, Any]]:
    """Django's ``STORAGES`` for every storage that can be reached, by name, and ``default``.

    All that are configured, not only the chosen one: a file stays readable where it lies.
    """
    stores: dict[str, dict[str, Any]] = {
        "local": {"BACKEND": f"{PACKAGE}.local.LocalStore", "OPTIONS": {"location": location}}
    }
    borrowed = chosen.storage == "r2" and not chosen.r2_bucket
    if chosen.s3_bucket and not borrowed:
        stores["s3"] = _bucket(s3_options(chosen))
    if chosen.r2_bucket or borrowed:
        stores["r2"] = _bucket(r2_options(chosen))
    if chosen.cloudinary_cloud_name:
        stores["cloudinary"] = {
            "BACKEND": f"{PACKAGE}.cloudinary.CloudinaryStore",
            "OPTIONS": cloudinary_options(chosen),
        }
    return {**stores, "default": stores[chosen.storage]}


def s3_options(chosen: StorageSettings) -> dict[str, Any]:
    """What S3Store is told, the bucket included."""
    extra: dict[str, Any] = {}
    if chosen.s3_encryption:
        extra["ServerSideEncryption"] = chosen.s3_encryption
    if chosen.s3_kms_key_id:
        extra["SSEKMSKeyId"] = chosen.s3_kms_key_id
    return {
        "bucket_name": chosen.s3_bucket,
        "region_name": chosen.s3_region,
        "endpoint_url": _without_slash(chosen.s3_endpoint_url),
        "access_key": chosen.s3_access_key_id,
        "secret_key": chosen.s3_secret_access_key,
        "location": chosen.s3_prefix.strip("/"),
        "addressing_style": chosen.s3_addressing_style
        or ("path" if chosen.s3_endpoint_url else "virtual"),
        "object_parameters": extra,
        "default_acl": chosen.s3_acl,
    }


def r2_options(chosen: StorageSettings) -> dict[str, Any]:
    """The same for R2: the S3 variables stand in for what it has not got of its own."""
    own = _both(chosen)
    made = f"https://{chosen.r2_account_id}.r2.cloudflarestorage.com"
    return {
        **s3_options(chosen),
        "bucket_name": chosen.r2_bucket or chosen.s3_bucket,
        "region_name": "auto" if own else chosen.s3_region or "auto",
        "endpoint_url": made if own else _without_slash(chosen.s3_endpoint_url) or made,
        "access_key": chosen.r2_access_key_id or chosen.s3_access_key_id,
        "secret_key": chosen.r2_secret_access_key or chosen.s3_secret_access_key,
        "addressing_style": chosen.s3_addressing_style or "path",
        # R2 encrypts by itself, and knows no lists of who may.
        "object_parameters": {},
        "default_acl": None,
    }


def cloudinary_options(chosen: StorageSettings) -> dict[str, Any]:
    """What CloudinaryStore is told."""
    return {
        "cloud_name": chosen.cloudinary_cloud_name,
        "api_key": chosen.cloudinary_api_key,
        "api_secret": chosen.cloudinary_api_secret,
        "signature_algorithm": chosen.cloudinary_signature_algorithm,
        "upload_prefix": _without_slash(chosen.cloudinary_upload_prefix),
        "folder": chosen.cloudinary_folder.strip("/"),
    }


def archive_options(chosen: StorageSettings, scheme: str, bucket: str) -> dict[str, Any]:
    """What S3Store is told for archives in a bucket of this name: ``s3://`` goes by the S3
    variables, ``r2://`` by R2's. The prefix is for stored files only."""
    options = r2_options(chosen) if scheme == "r2" else s3_options(chosen)
    return {**options, "bucket_name": bucket, "location": ""}


def _both(chosen: StorageSettings) -> bool:
    """Whether S3 and R2 are used side by side, so that neither takes the other's variables."""
    return bool(chosen.s3_bucket and chosen.r2_bucket)


def _bucket(options: dict[str, Any]) -> dict[str, Any]:
    return {"BACKEND": f"{PACKAGE}.s3.S3Store", "OPTIONS": options}


def _without_slash(address: str | None) -> str | None:
    return address.rstrip("/") if address else None
