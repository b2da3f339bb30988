"""The configuration of a Swift of one disk: four servers, three rings of one device each."""

import getpass
import subprocess
from collections.abc import Mapping
from pathlib import Path

SWIFT = """
[swift-hash]
swift_hash_path_suffix = drill
swift_hash_path_prefix = drill
[storage-policy:0]
name = default
default = yes
"""

STORAGE = """
[DEFAULT]
devices = {folder}/srv
mount_check = false
bind_ip = 127.0.0.1
bind_port = {port}
workers = 1
user = {user}
swift_dir = {folder}/etc
log_level = WARNING
fallocate_reserve = 0
disable_fallocate = true
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 1
user = {user}
swift_dir = {folder}/etc
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo symlink versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = {region}
max_upload_part_num = 10000
min_segment_size = 5242880
[filter:tempauth]
use = egg:swift#tempauth
user_{account} = {secret} .admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""
PLAIN = ("catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "symlink", "slo", "dlo")


def write_config(folder: Path, ports: Mapping[str, int], programs: Path, login: str, secret: str, region: str) -> None:
    """Files and rings below ``folder``, for the servers on these ports; ``login`` is ``account:user``."""
    etc = folder / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    (folder / "srv" / "disk").mkdir(parents=True, exist_ok=True)
    (etc / "swift.conf").write_text(SWIFT, encoding="utf-8")
    values = {"folder": folder, "user": getpass.getuser()}
    for kind in ("account", "container", "object"):
        text = STORAGE.format(kind=kind, port=ports[kind], **values)
        (etc / f"{kind}-server.conf").write_text(text, encoding="utf-8")
        _ring(etc, programs / "swift-ring-builder", kind, ports[kind])
    account = login.replace(":", "_")
    proxy = PROXY.format(port=ports["proxy"], memcached=ports["memcached"], account=account, secret=secret, region=region, **values)
    plain = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in PLAIN)
    (etc / "proxy-server.conf").write_text(proxy + plain, encoding="utf-8")


def _ring(etc: Path, builder: Path, kind: str, port: int) -> None:
    for step in (["create", "6", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/disk", "1"], ["rebalance"]):
        subprocess.run([builder, f"{kind}.builder", *step], cwd=etc, check=True, capture_output=True)
