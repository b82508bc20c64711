"""
The servers that are measured, each on one processor, with as many headers to
set as the others: the gateway, nginx configured by hand, HAProxy, Caddy.  And
what they lead to.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import nginx

import bench_world


MODULE = (pathlib.Path(os.environ.get("TORII_OBJS", "objs")).resolve()
          / "ngx_http_torii_module.so")

QUIET = "access_log off; keepalive_requests 10000000;"

HEADERS = {
    "Host": "$http_host",
    "X-Request-ID": "$bench_id",
    "X-Real-IP": "$remote_addr",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Host": "$http_host",
    "X-Forwarded-Port": "$server_port",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Scheme": "$scheme",
    "X-Scheme": "$scheme",
    "X-Forwarded-Prefix": '""',
    "X-Original-Forwarded-For": "$http_x_forwarded_for",
    "X-Original-Forwarded-Host": "$http_x_forwarded_host",
    "Proxy": '""',
    "Upgrade": "$http_upgrade",
    "Connection": "$bench_connection",
}


class Quiet(nginx.Nginx):
    """Its log has errors only, as that of a server in use would."""

    def text(self):
        return super().text().replace("error.log info", "error.log error")


class Backend(Quiet):
    """Answers "a" on the plain port and "b" on the other."""

    def __init__(self, host="127.0.0.1"):
        super().__init__(workers=1, http=QUIET + f"""
            server {{ listen {host}:@plain@; return 200 "a"; }}
            server {{ listen {host}:@admin@; return 200 "b"; }}""")


class Torii(Quiet):
    title = "Torii"

    def __init__(self, folder, workers=1, http=""):
        super().__init__(workers=workers, main=f"load_module {MODULE};")
        self.http = QUIET + http + f"""
            torii_state @dir@/state;
            torii_manifests {folder};
            server {{
                listen 127.0.0.1:@plain@;
                listen 127.0.0.1:@tls@ ssl http2;
                torii on;
            }}"""

    def table(self):
        """Size of the newest table file."""
        files = (self.dir / "state/table").glob("table.*")
        return max(((f.stat().st_mtime, f.stat().st_size) for f in files),
                   default=(0, 0))[1]

    def control(self):
        """The control page's numbers: ngx_torii_control_t."""
        data = (self.dir / "state/table/control").read_bytes()
        return [int.from_bytes(data[i:i + 8], "little")
                for i in range(0, 112, 8)]


class Hand(Quiet):
    """nginx with one server for every host."""

    title = "nginx by hand"

    def __init__(self, backend, pair):
        headers = "".join(f"proxy_set_header {name} {value};"
                          for name, value in HEADERS.items())
        certificate, key = pair.files()
        super().__init__(workers=1, http=QUIET + f"""
            server_tokens off;
            map $http_x_request_id $bench_id {{
                default $http_x_request_id; "" $request_id;
            }}
            map $http_upgrade $bench_connection {{ default upgrade; "" ""; }}
            upstream bench {{
                server 127.0.0.1:{backend.plain};
                keepalive 320; keepalive_requests 10000;
            }}
            server {{
                listen 127.0.0.1:@plain@;
                listen 127.0.0.1:@tls@ ssl http2;
                ssl_certificate {certificate};
                ssl_certificate_key {key};
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_session_cache shared:bench:10m;
                ssl_session_tickets off;
                client_max_body_size 8m;
                location / {{
                    proxy_pass http://bench;
                    proxy_http_version 1.1;
                    proxy_buffering off;
                    proxy_redirect off;
                    proxy_headers_hash_max_size 1024;
                    proxy_headers_hash_bucket_size 128;
                    {headers}
                }}
            }}""")


class Idle(Quiet):
    """nginx that does nothing, without the module."""

    def __init__(self):
        super().__init__(workers=1, http=QUIET + """
            server { listen 127.0.0.1:@plain@; return 204; }""")


class Foreign:
    """A server that is not nginx, run in the foreground."""

    def __init__(self, backend, pair, n):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="torii-"))
        self.backend, self.pair, self.n = backend, pair, n
        self.plain, self.tls = nginx.free_port(), nginx.free_port()
        self.dir.chmod(0o755)

    def run(self, *command, **environment):
        with open(self.dir / "log", "w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=dict(os.environ, **environment))
        self.pid = self.process.pid

    def start(self):
        (self.dir / "both.pem").write_text(self.pair.chain + self.pair.key)
        self.launch()
        time.sleep(0.5)
        return self

    def tree(self):
        return [self.pid]

    def remove(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Haproxy(Foreign):
    title = "HAProxy"

    def launch(self):
        (self.dir / "hosts").write_text("".join(
            f"{bench_world.host(i)} bench\n" for i in range(self.n)))
        (self.dir / "cfg").write_text(f"""
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:{self.plain}
  bind 127.0.0.1:{self.tls} ssl crt both.pem alpn h2,http/1.1
  acl named req.hdr(x-request-id) -m found
  http-request set-header X-Request-ID %[uuid] unless named
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}
  http-request set-header X-Forwarded-Scheme https if {{ ssl_fc }}
  http-request set-header X-Forwarded-Scheme http unless {{ ssl_fc }}
  http-request set-header X-Scheme https if {{ ssl_fc }}
  http-request set-header X-Scheme http unless {{ ssl_fc }}
  http-request del-header Proxy
  use_backend %[req.hdr(host),field(1,:),lower,map(hosts,none)]
backend bench
  server one 127.0.0.1:{self.backend.plain}
backend none
  http-request deny deny_status 404
""")
        self.run("haproxy", "-db", "-f", "cfg")


class Caddy(Foreign):
    title = "Caddy"

    def launch(self):
        proxy = f"""reverse_proxy 127.0.0.1:{self.backend.plain} {{
            header_up X-Request-ID {{http.request.uuid}}
            header_up X-Real-IP {{remote_host}}
            header_up X-Forwarded-Port {{port}}
            header_up X-Forwarded-Scheme {{scheme}}
            header_up X-Scheme {{scheme}}
            header_up -Proxy
        }}"""
        (self.dir / "Caddyfile").write_text(f"""{{
    admin off
    auto_https off
    default_sni localhost
}}
http://:{self.plain} {{
    bind 127.0.0.1
    {proxy}
}}
https://:{self.tls} {{
    bind 127.0.0.1
    tls both.pem both.pem
    {proxy}
}}
""")
        self.run("caddy", "run", "--config", "Caddyfile", "--adapter",
                 "caddyfile", GOMAXPROCS="1", XDG_DATA_HOME=str(self.dir),
                 XDG_CONFIG_HOME=str(self.dir), HOME=str(self.dir))
