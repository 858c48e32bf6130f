"""nginx and HAProxy with the scheme of the comparison, in front of one application a version.

Both are written as their manuals advise for throughput: connections to the applications are kept,
logs are written in pieces, and nothing is done that the scheme does not ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

Backends = Mapping[str, tuple[str, int]]
"""Where the application of each version listens."""

_NGINX: Final = """\
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log;
events {{ worker_connections 2048; }}
http {{
    log_format bench '$time_iso8601 $request_uri $version $status $request_time';
    access_log {folder}/nginx.log bench buffer=64k flush=1s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/nginx.body;
    proxy_temp_path {folder}/nginx.proxy;
    fastcgi_temp_path {folder}/nginx.fastcgi;
    uwsgi_temp_path {folder}/nginx.uwsgi;
    scgi_temp_path {folder}/nginx.scgi;
{upstreams}
    split_clients $request_id $drawn {{ 10% 2; * 1; }}
    map $http_user $release {{ "~^Bob$" 2; default $drawn; }}
    map $http_user $prepub {{ "~^Bob$" 4; default 3; }}
    map $uri $version {{ ~^/release/ $release; ~^/prepub/ $prepub; }}
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{
            proxy_pass http://version$version;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            add_header X-Gateway-Version $version;
        }}
    }}
}}
"""
_UPSTREAM: Final = """\
    upstream version{version} {{
        server {host}:{port};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
"""

_HAPROXY: Final = """\
global
    nbthread 2
    maxconn 4096
    log stdout format raw local0 info
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend bench
    bind 127.0.0.1:{port}
    log global
    log-format "%t %HU %[var(txn.version)] %ST %Ta"
    acl bob req.hdr(User) -m str Bob
    acl drawn rand(1000) lt 100
    http-request set-var(txn.version) str(1)
    http-request set-var(txn.version) str(2) if drawn
    http-request set-var(txn.version) str(2) if bob
    http-request set-var(txn.version) str(3) if {{ path_beg /prepub/ }}
    http-request set-var(txn.version) str(4) if {{ path_beg /prepub/ }} bob
    http-after-response set-header X-Gateway-Version %[var(txn.version)]
    use_backend version%[var(txn.version)]
{backends}"""
_BACKEND: Final = """\
backend version{version}
    server app {host}:{port}
"""


def nginx_command(folder: Path, backends: Backends, port: int) -> list[str]:
    """Write nginx's file; gives what starts it."""
    file = folder / "nginx.conf"
    upstreams = _each(_UPSTREAM, backends)
    file.write_text(_NGINX.format(folder=folder, upstreams=upstreams, port=port))
    return ["nginx", "-p", str(folder), "-e", str(folder / "nginx.error.log"), "-c", str(file)]


def haproxy_command(folder: Path, backends: Backends, port: int) -> list[str]:
    """Write HAProxy's file; gives what starts it."""
    file = folder / "haproxy.cfg"
    file.write_text(_HAPROXY.format(backends=_each(_BACKEND, backends), port=port))
    return ["haproxy", "-db", "-f", str(file)]


def _each(text: str, backends: Backends) -> str:
    return "".join(
        text.format(version=version, host=host, port=port)
        for version, (host, port) in backends.items()
    )
