"""Real boto3 clients, for an endpoint or for AWS itself."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit


def lambda_client(endpoint_url: str | None, region: str | None) -> Any:
    """A client for Lambda. On the loopback nobody checks signatures, so neither credentials nor a region are asked for.

    Raises what boto3 raises, ``NoRegionError`` for one.
    """
    import boto3
    from botocore.config import Config

    options: dict[str, Any] = {"endpoint_url": endpoint_url, "region_name": region}
    if endpoint_url is not None and _is_loopback(endpoint_url):
        options |= {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        options["region_name"] = region or boto3.Session().region_name or "us-west-2"
    config = Config(connect_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("lambda", config=config, **options)


def problem_of_client(error: Exception) -> tuple[str, str] | None:
    """Name and message of an error of boto3, or ``None`` for any other."""
    import botocore.exceptions

    if isinstance(error, botocore.exceptions.ClientError):
        told = error.response.get("Error", {})
        return told.get("Code") or type(error).__name__, told.get("Message") or str(error)
    if isinstance(error, botocore.exceptions.BotoCoreError):
        return type(error).__name__, str(error)
    return None


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
