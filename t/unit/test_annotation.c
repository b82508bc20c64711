
/* Annotations: every enforced one good and bad, and all that is reported. */

#include "setting_make.h"
#include "tap.h"


#define P(field, kind)                                                        \
    { #field, SETTING_##kind, offsetof(ingress_policy_t, field) }
#define A(field, kind)                                                        \
    { #field, SETTING_##kind, offsetof(ingress_annotations_t, field) }

#define NETWORKS  "10.0.0.0/8, 172.16.0.0/12,\n192.168.0.0/16\n"


typedef struct {
    const char  *text;      /* annotations */
    const char  *field;
    const char  *value;
    const char  *reason;    /* of a finding, NULL: there is none at all */
} test_case_t;

typedef struct {
    const char  *origins;
    const char  *origin;
    int          match;
} test_origin_t;


static const setting_field_t  test_fields[] = {
    P(deny, U32), P(use_regex, U8), P(rewrite_log, U8),
    P(service_upstream, U8), P(protocol, U8), P(rewrite_target, STR),
    P(upstream_vhost, STR), P(forwarded_prefix, STR), P(ssl_redirect, U8),
    P(force_ssl_redirect, U8), P(preserve_trailing_slash, U8),
    P(use_port_in_redirects, U8), P(relative_redirects, U8),
    P(redirect_code, U16), P(redirect, STR), P(http_version, U8),
    P(connection_header, U8), P(request_buffering, U8), P(buffering, U8),
    P(buffers_number, U32), P(buffer_size, U32), P(busy_buffers_size, U32),
    P(max_temp_file_size, U64), P(body_size, U64), P(body_buffer_size, U64),
    P(connect_timeout, U32), P(read_timeout, U32), P(send_timeout, U32),
    P(next_upstream, U32), P(next_upstream_timeout, U32),
    P(next_upstream_tries, U32), P(redirect_from, STR), P(redirect_to, STR),
    P(cookie_domain_from, STR), P(cookie_domain_to, STR),
    P(cookie_path_from, STR), P(cookie_path_to, STR), P(fastcgi_index, STR),
    P(ssl_verify, U8), P(ssl_server_name, U8), P(ssl_protocols, U8),
    P(ssl_verify_depth, U32), P(ssl_name, STR), P(cors, U8),
    P(cors_any_origin, U8), P(cors_credentials, U8), P(cors_null_origin, U8),
    P(cors_max_age, U32), P(cors_origins, ORIGINS), P(cors_methods, STR),
    P(cors_headers, STR), P(cors_expose, STR), P(allow, NETWORKS),
    P(deny_list, NETWORKS), A(app_root, STR), A(server_alias, STRS),
    A(ssl_prefer_server_ciphers, U8), A(from_to_www, U8), A(canary, U8),
    A(proxy_ssl_namespace, STR), A(proxy_ssl_secret, STR),
    A(fastcgi_params_namespace, STR), A(fastcgi_params_configmap, STR),
    { "policy_ciphers", SETTING_STR, offsetof(ingress_policy_t, ssl_ciphers) },
    { "host_ciphers", SETTING_STR,
      offsetof(ingress_annotations_t, ssl_ciphers) }
};


static const test_case_t  test_cases[] = {

    /* defaults */

    { "", "deny", "0", NULL },
    { "", "ssl_redirect", "1", NULL },
    { "", "protocol", "0", NULL },
    { "", "body_size", "1048576", NULL },
    { "", "body_buffer_size", "8192", NULL },
    { "", "buffering", "0", NULL },
    { "", "request_buffering", "1", NULL },
    { "", "buffer_size", "4096", NULL },
    { "", "buffers_number", "4", NULL },
    { "", "busy_buffers_size", "0", NULL },
    { "", "max_temp_file_size", "1073741824", NULL },
    { "", "connect_timeout", "5000", NULL },
    { "", "read_timeout", "60000", NULL },
    { "", "send_timeout", "60000", NULL },
    { "", "next_upstream", "3", NULL },
    { "", "next_upstream_timeout", "0", NULL },
    { "", "next_upstream_tries", "3", NULL },
    { "", "http_version", "11", NULL },
    { "", "redirect_code", "0", NULL },
    { "", "ssl_verify", "0", NULL },
    { "", "ssl_verify_depth", "1", NULL },
    { "", "ssl_protocols", "1", NULL },
    { "", "policy_ciphers", "DEFAULT", NULL },
    { "", "cors", "0", NULL },
    { "", "cors_any_origin", "1", NULL },
    { "", "cors_credentials", "1", NULL },
    { "", "cors_max_age", "1728000", NULL },
    { "", "cors_methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS", NULL },
    { "", "cors_headers", "DNT,Keep-Alive,User-Agent,X-Requested-With,"
      "If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
      NULL },
    { "", "allow", "", NULL },

    /* routing and rewriting */

    { "use-regex=true", "use_regex", "1", NULL },
    { "use-regex=yes", "use_regex", "0", "InvalidAnnotation" },
    { "use-regex=", "use_regex", "0", "EmptyAnnotation" },
    { "rewrite-target=/$1", "rewrite_target", "/$1", NULL },
    { "rewrite-target=/a/$2/b", "rewrite_target", "/a/$2/b", NULL },
    { "rewrite-target=http://x.example/$1", "rewrite_target",
      "http://x.example/$1", NULL },
    { "rewrite-target=/$host", "rewrite_target", "", "InvalidAnnotation" },
    { "rewrite-target=/a?b", "rewrite_target", "", "InvalidAnnotation" },
    { "rewrite-target=a", "rewrite_target", "", "InvalidAnnotation" },
    { "rewrite-target=/$", "rewrite_target", "", "InvalidAnnotation" },
    { "rewrite-target=/a\n;}", "rewrite_target", "", "InvalidAnnotation" },
    { "app-root=/app", "app_root", "/app", NULL },
    { "app-root=http://x/", "app_root", "", "InvalidAnnotation" },
    { "app-root=/$x", "app_root", "", "InvalidAnnotation" },
    { "server-alias=A.example, *.b.example,~^c[0-9]+[.]example$",
      "server_alias", "a.example,*.b.example,~^c[0-9]+[.]example$", NULL },
    { "server-alias=a.example,b c,_", "server_alias", "a.example",
      "InvalidAnnotation" },
    { "server-alias=~(", "server_alias", "", "InvalidAnnotation" },
    { "server-alias=~", "server_alias", "", "InvalidAnnotation" },
    { "upstream-vhost=x.example:8080", "upstream_vhost", "x.example:8080",
      NULL },
    { "upstream-vhost=$host", "upstream_vhost", "", "InvalidAnnotation" },
    { "upstream-vhost=a b", "upstream_vhost", "", "InvalidAnnotation" },
    { "x-forwarded-prefix=/a|rewrite-target=/", "forwarded_prefix", "/a",
      NULL },
    { "x-forwarded-prefix=/a", "forwarded_prefix", "/a", "NoEffect" },
    { "x-forwarded-prefix=/a b", "forwarded_prefix", "", "InvalidAnnotation" },
    { "enable-rewrite-log=1", "rewrite_log", "1", NULL },
    { "service-upstream=true", "service_upstream", "1", NULL },
    { "service-upstream=on", "service_upstream", "0", "InvalidAnnotation" },

    /* redirects */

    { "ssl-redirect=false", "ssl_redirect", "0", NULL },
    { "ssl-redirect=off", "ssl_redirect", "1", "InvalidAnnotation" },
    { "force-ssl-redirect=true", "force_ssl_redirect", "1", NULL },
    { "preserve-trailing-slash=true", "preserve_trailing_slash", "1", NULL },
    { "use-port-in-redirects=true", "use_port_in_redirects", "1", NULL },
    { "relative-redirects=true", "relative_redirects", "1", NULL },
    { "permanent-redirect=https://x.example/a", "redirect",
      "https://x.example/a", NULL },
    { "permanent-redirect=https://x.example/a", "redirect_code", "301", NULL },
    { "permanent-redirect=/a|permanent-redirect-code=308", "redirect_code",
      "308", NULL },
    { "permanent-redirect-code=308|permanent-redirect=/a", "redirect_code",
      "308", NULL },
    { "permanent-redirect=/a|permanent-redirect-code=200", "redirect_code",
      "301", "InvalidAnnotation" },
    { "permanent-redirect=/a|permanent-redirect-code=304", "redirect_code",
      "301", "InvalidAnnotation" },
    { "permanent-redirect-code=308", "redirect_code", "0", NULL },
    { "permanent-redirect=x.example", "redirect_code", "0",
      "InvalidAnnotation" },
    { "permanent-redirect=https://x.example$request_uri", "redirect_code", "0",
      "InvalidAnnotation" },
    { "permanent-redirect=https://x/\r\nSet-Cookie: a", "redirect_code", "0",
      "InvalidAnnotation" },
    { "temporal-redirect=https://x.example", "redirect_code", "302", NULL },
    { "temporal-redirect=/t|permanent-redirect=/p", "redirect", "/t",
      "DuplicateAnnotation" },
    { "temporal-redirect=/t|temporal-redirect-code=307", "redirect_code",
      "307", NULL },
    { "temporal-redirect=/t|temporal-redirect-code=308", "redirect_code",
      "302", "InvalidAnnotation" },
    { "from-to-www-redirect=true", "from_to_www", "1", NULL },
    { "from-to-www-redirect=x", "from_to_www", "0", "InvalidAnnotation" },
    { "ssl-ciphers=ECDHE-RSA-AES128-GCM-SHA256:!aNULL:@STRENGTH",
      "host_ciphers", "ECDHE-RSA-AES128-GCM-SHA256:!aNULL:@STRENGTH", NULL },
    { "ssl-ciphers=a;b", "deny", "1", "InvalidAnnotation" },
    { "ssl-prefer-server-ciphers=false", "ssl_prefer_server_ciphers", "1",
      NULL },
    { "ssl-prefer-server-ciphers=true", "ssl_prefer_server_ciphers", "2",
      NULL },
    { "ssl-prefer-server-ciphers=x", "ssl_prefer_server_ciphers", "0",
      "InvalidAnnotation" },
    { "ssl-passthrough=true", "deny", "0", "UnsupportedAnnotation" },
    { "http2-push-preload=true", "deny", "0", "UnsupportedAnnotation" },

    /* towards the backend */

    { "backend-protocol=https", "protocol", "1", NULL },
    { "backend-protocol=AUTO_HTTP", "protocol", "2", NULL },
    { "backend-protocol=gRPC", "protocol", "3", NULL },
    { "backend-protocol=GRPCS", "protocol", "4", NULL },
    { "backend-protocol=FCGI", "protocol", "5", NULL },
    { "backend-protocol=HTPPS", "protocol", "0", "InvalidAnnotation" },
    { "proxy-http-version=1.0", "http_version", "10", NULL },
    { "proxy-http-version=2", "http_version", "11", "InvalidAnnotation" },
    { "connection-proxy-header=keep-alive", "connection_header", "2", NULL },
    { "connection-proxy-header=upgrade", "connection_header", "0",
      "InvalidAnnotation" },
    { "backend-protocol=HTTPS|proxy-ssl-secret=default/ca", "proxy_ssl_secret",
      "ca", NULL },
    { "backend-protocol=HTTPS|proxy-ssl-secret=default/ca",
      "proxy_ssl_namespace", "default", NULL },
    { "proxy-ssl-secret=default/ca", "deny", "0", "NoEffect" },
    { "proxy-ssl-secret=ca", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-secret=other/ca", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-secret=default/", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-secret=default/a/b", "deny", "1", "InvalidAnnotation" },
    { "backend-protocol=HTTPS|proxy-ssl-secret=default/ca|proxy-ssl-verify=on",
      "ssl_verify", "1", NULL },
    { "backend-protocol=HTTPS|proxy-ssl-verify=on", "deny", "1",
      "InvalidAnnotation" },
    { "proxy-ssl-verify=on", "deny", "0", "NoEffect" },
    { "proxy-ssl-verify=true", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-verify=", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-verify=off", "deny", "0", NULL },
    { "proxy-ssl-verify-depth=3", "ssl_verify_depth", "3", NULL },
    { "proxy-ssl-verify-depth=0", "ssl_verify_depth", "1", NULL },
    { "proxy-ssl-verify-depth=-1", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-name=x.example", "ssl_name", "x.example", NULL },
    { "proxy-ssl-name=x.example:443", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-name=$host", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-server-name=on", "ssl_server_name", "1", NULL },
    { "proxy-ssl-server-name=1", "ssl_server_name", "0",
      "InvalidAnnotation" },
    { "proxy-ssl-ciphers=HIGH:!aNULL", "policy_ciphers", "HIGH:!aNULL", NULL },
    { "proxy-ssl-ciphers=HIGH;", "deny", "1", "InvalidAnnotation" },
    { "proxy-ssl-protocols=TLSv1.2 TLSv1.3", "ssl_protocols", "3", NULL },
    { "proxy-ssl-protocols=TLSv1.1", "deny", "1", "InvalidAnnotation" },
    { "fastcgi-index=index.php", "fastcgi_index", "index.php", NULL },
    { "fastcgi-index=a/b", "fastcgi_index", "", "InvalidAnnotation" },
    { "fastcgi-params-configmap=php", "fastcgi_params_configmap", "php",
      NULL },
    { "fastcgi-params-configmap=php", "fastcgi_params_namespace", "default",
      NULL },
    { "fastcgi-params-configmap=default/php", "fastcgi_params_configmap",
      "php", NULL },
    { "fastcgi-params-configmap=other/php", "deny", "1",
      "InvalidAnnotation" },

    { "proxy-body-size=0", "body_size", "0", NULL },
    { "proxy-body-size=10G", "body_size", "10737418240", NULL },
    { "proxy-body-size=8b", "body_size", "8", NULL },
    { "proxy-body-size=1Gi", "body_size", "1048576", "InvalidAnnotation" },
    { "proxy-body-size=15gg", "body_size", "1048576", "InvalidAnnotation" },
    { "client-body-buffer-size=16k", "body_buffer_size", "16384", NULL },
    { "client-body-buffer-size=16", "body_buffer_size", "8192",
      "InvalidAnnotation" },
    { "client-body-buffer-size=16m", "body_buffer_size", "16777216", NULL },
    { "client-body-buffer-size=17m", "body_buffer_size", "8192",
      "InvalidAnnotation" },
    { "proxy-request-buffering=off", "request_buffering", "0", NULL },
    { "proxy-request-buffering=false", "request_buffering", "1",
      "InvalidAnnotation" },
    { "proxy-buffering=on", "buffering", "1", NULL },
    { "proxy-buffering=On", "buffering", "0", "InvalidAnnotation" },
    { "proxy-buffer-size=16k", "buffer_size", "16384", NULL },
    { "proxy-buffer-size=16", "buffer_size", "4096", "InvalidAnnotation" },
    { "proxy-buffer-size=1g", "buffer_size", "4096", "InvalidAnnotation" },
    { "proxy-buffers-number=8", "buffers_number", "8", NULL },
    { "proxy-buffers-number=1", "buffers_number", "4", "InvalidAnnotation" },
    { "proxy-buffers-number=-1", "buffers_number", "4", "InvalidAnnotation" },
    { "proxy-buffers-number=1024|proxy-buffer-size=64k", "buffers_number",
      "1024", NULL },
    { "proxy-buffers-number=1024|proxy-buffer-size=1m", "buffers_number",
      "64", "InvalidAnnotation" },
    { "proxy-buffers-number=8|proxy-buffer-size=16m", "buffers_number", "4",
      "InvalidAnnotation" },
    { "proxy-buffers-number=2", "busy_buffers_size", "4096", NULL },
    { "proxy-busy-buffers-size=8k", "busy_buffers_size", "8192", NULL },
    { "proxy-busy-buffers-size=2k", "busy_buffers_size", "4096",
      "InvalidAnnotation" },
    { "proxy-busy-buffers-size=16k", "busy_buffers_size", "12288",
      "InvalidAnnotation" },
    { "proxy-max-temp-file-size=0", "max_temp_file_size", "0", NULL },
    { "proxy-max-temp-file-size=1k", "max_temp_file_size", "4096",
      "InvalidAnnotation" },
    { "proxy-connect-timeout=300", "connect_timeout", "300000", NULL },
    { "proxy-connect-timeout=0", "connect_timeout", "5000",
      "InvalidAnnotation" },
    { "proxy-read-timeout=3600", "read_timeout", "3600000", NULL },
    { "proxy-read-timeout=120s", "read_timeout", "60000",
      "InvalidAnnotation" },
    { "proxy-read-timeout=-1", "read_timeout", "60000", "InvalidAnnotation" },
    { "proxy-read-timeout=2147484", "read_timeout", "60000",
      "InvalidAnnotation" },
    { "proxy-send-timeout=2147483", "send_timeout", "2147483000", NULL },
    { "proxy-next-upstream=error  http_502 non_idempotent", "next_upstream",
      "1041", NULL },
    { "proxy-next-upstream=error off", "next_upstream", "2048", NULL },
    { "proxy-next-upstream=error,timeout", "next_upstream", "3",
      "InvalidAnnotation" },
    { "proxy-next-upstream-timeout=7", "next_upstream_timeout", "7000", NULL },
    { "proxy-next-upstream-tries=0", "next_upstream_tries", "0", NULL },
    { "proxy-next-upstream-tries=x", "next_upstream_tries", "3",
      "InvalidAnnotation" },
    { "proxy-redirect-from=http://a/|proxy-redirect-to=/", "redirect_from",
      "http://a/", NULL },
    { "proxy-redirect-from=http://a/|proxy-redirect-to=/", "redirect_to", "/",
      NULL },
    { "proxy-redirect-from=http://a/", "redirect_from", "", "NoEffect" },
    { "proxy-redirect-from=default|proxy-redirect-to=/", "redirect_from",
      "default", NULL },
    { "proxy-redirect-from=default|proxy-redirect-to=/", "redirect_to", "",
      NULL },
    { "proxy-redirect-from=off|proxy-redirect-to=/", "redirect_to", "", NULL },
    { "proxy-redirect-from=~a|proxy-redirect-to=/", "redirect_from", "",
      "InvalidAnnotation" },
    { "proxy-cookie-domain=a.example b.example", "cookie_domain_from",
      "a.example", NULL },
    { "proxy-cookie-domain=a.example  b.example", "cookie_domain_to",
      "b.example", NULL },
    { "proxy-cookie-domain=off", "cookie_domain_from", "", NULL },
    { "proxy-cookie-domain=a.example", "cookie_domain_from", "",
      "InvalidAnnotation" },
    { "proxy-cookie-path=/one/ /two/", "cookie_path_from", "/one/", NULL },
    { "proxy-cookie-path=/one/ /two/", "cookie_path_to", "/two/", NULL },
    { "proxy-cookie-path=/a /b;c", "cookie_path_from", "",
      "InvalidAnnotation" },

    /* CORS */

    { "enable-cors=true", "cors", "1", NULL },
    { "enable-cors=on", "cors", "0", "InvalidAnnotation" },
    { "enable-cors=true|cors-allow-origin=https://A.example:8080, "
      "https://*.b.example,", "cors_origins",
      "https a.example:8080,https *.b.example", NULL },
    { "enable-cors=true|cors-allow-origin=https://a.example",
      "cors_any_origin", "0", NULL },
    { "enable-cors=true|cors-allow-origin=https://a.example, *",
      "cors_any_origin", "1", NULL },
    { "enable-cors=true|cors-allow-origin=null", "cors_null_origin", "1",
      NULL },
    { "enable-cors=true|cors-allow-origin=a.example", "cors", "0",
      "InvalidAnnotation" },
    { "enable-cors=true|cors-allow-origin=a.example", "cors_any_origin", "0",
      "InvalidAnnotation" },
    { "enable-cors=true|cors-allow-origin=", "cors", "0",
      "InvalidAnnotation" },
    { "enable-cors=true|cors-allow-origin=https://a.example,b.example", "cors",
      "1", "InvalidAnnotation" },
    { "enable-cors=true|cors-allow-origin=https://a.example,b.example",
      "cors_origins", "https a.example", "InvalidAnnotation" },
    { "cors-allow-origin=https://a.example", "cors", "0", "NoEffect" },
    { "enable-cors=true|cors-allow-methods=PUT,GET", "cors_methods", "PUT,GET",
      NULL },
    { "enable-cors=true|cors-allow-methods=GET;", "cors_methods",
      "GET, PUT, POST, DELETE, PATCH, OPTIONS", "InvalidAnnotation" },
    { "enable-cors=true|cors-allow-headers=X-A, x_b", "cors_headers",
      "X-A, x_b", NULL },
    { "enable-cors=true|cors-expose-headers=*", "cors_expose", "*", NULL },
    { "enable-cors=true|cors-expose-headers=a\r\nb", "cors_expose", "",
      "InvalidAnnotation" },
    { "enable-cors=true|cors-allow-credentials=false", "cors_credentials", "0",
      NULL },
    { "enable-cors=true|cors-allow-credentials=no", "cors", "0",
      "InvalidAnnotation" },
    { "enable-cors=true|cors-max-age=600", "cors_max_age", "600", NULL },
    { "enable-cors=true|cors-max-age=-1", "cors_max_age", "1728000",
      "InvalidAnnotation" },

    /* access lists */

    { "whitelist-source-range=" NETWORKS, "allow", "::ffff:10.0.0.0/104,"
      "::ffff:172.16.0.0/108,::ffff:192.168.0.0/112", NULL },
    { "allowlist-source-range=2001:db8::1, 10.0.0.1,10.0.0.0/24", "allow",
      "::ffff:10.0.0.0/120,2001:db8::1/128", NULL },
    { "allowlist-source-range=10.0.0.1|whitelist-source-range=0.0.0.0/0",
      "allow", "::ffff:10.0.0.1/128", "DuplicateAnnotation" },
    { "allowlist-source-range=10.0.0.0/33", "deny", "1",
      "InvalidAnnotation" },
    { "allowlist-source-range=10.0.0.1 10.0.0.2", "deny", "1",
      "InvalidAnnotation" },
    { "allowlist-source-range=", "deny", "1", "InvalidAnnotation" },
    { "allowlist-source-range=,", "deny", "1", "InvalidAnnotation" },
    { "whitelist-source-range= \n", "deny", "1", "InvalidAnnotation" },
    { "denylist-source-range=10.0.0.1", "deny_list", "::ffff:10.0.0.1/128",
      NULL },
    { "denylist-source-range=host.example", "deny", "1",
      "InvalidAnnotation" },

    /* not supported, or nothing to support */

    { "auth-url=", "deny", "1", "InvalidAnnotation" },
    { "auth-realm=", "deny", "0", "EmptyAnnotation" },
    { "auth-tls-secret=default/ca", "deny", "2", "UnsupportedAnnotation" },
    { "auth-tls-verify-client=on", "deny", "2", "UnsupportedAnnotation" },
    { "enable-modsecurity=true", "deny", "2", "UnsupportedAnnotation" },
    { "enable-modsecurity=False", "deny", "0", NULL },
    { "enable-modsecurity=maybe", "deny", "1", "InvalidAnnotation" },
    { "enable-global-auth=false", "deny", "0", NULL },
    { "canary=true", "canary", "1", "UnsupportedAnnotation" },
    { "canary=false", "canary", "0", NULL },
    { "canary=yes", "canary", "0", "InvalidAnnotation" },
    { "limit-rps=5", "deny", "0", "UnsupportedAnnotation" },
    { "limit-rps=0", "deny", "0", NULL },
    { "affinity=cookie", "deny", "0", "UnsupportedAnnotation" },
    { "enable-access-log=true", "deny", "0", NULL },
    { "configuration-snippet=more_set_headers 'A: b';\n", "deny", "0",
      "SnippetIgnored" },
    { "server-snippet=return 403;", "deny", "0", "SnippetIgnored" },

    /* names that are none */

    { "rewrite-targt=/", "rewrite_target", "", "UnknownAnnotation" },
    { "Proxy-Body-Size=0", "body_size", "1048576", "UnknownAnnotation" },
    { "no-such-thing-at-all=0", "deny", "0", "UnknownAnnotation" },
    { "=0", "deny", "0", "UnknownAnnotation" },
    { "whitelist-source-ranges=10.0.0.1", "deny", "1", "UnknownAnnotation" },
    { "auth-urls=http://a", "deny", "1", "UnknownAnnotation" },
    { "keep-alive=10", "deny", "0", "UnknownAnnotation" },
    { "secure-backends=true", "protocol", "0", "RetiredAnnotation" },
    { "lua-resty-waf-debug=true", "deny", "0", "RetiredAnnotation" },
    { "nignx.ingress.kubernetes.io/force-ssl-redirect=true",
      "force_ssl_redirect", "0", "UnknownPrefix" },
    { "nignx.ingress.kubernetes.io/auth-url=http://a", "deny", "1",
      "UnknownPrefix" },
    { "ingress.kubernetes.io/ssl-redirect=false", "ssl_redirect", "1",
      "UnknownPrefix" },
    { "ingress.kubernetes.io/ssl-redirect=true|ssl-redirect=true",
      "ssl_redirect", "1", NULL },
    { "nginx.org/proxy-read-timeout=1", "deny", "0", "UnknownPrefix" },
    { "nginx.org/websocket-services=a", "deny", "0", NULL },
    { "cert-manager.io/cluster-issuer=a", "deny", "0", NULL },
    { "example.com/auth-url=a", "deny", "0", NULL },
    { "torii/none=a", "deny", "0", "UnknownAnnotation" }
};


static const test_origin_t  test_origins[] = {
    { "*", "https://a.example", 1 },
    { "*", "", 1 },
    { "https://a.example", "https://a.example", 1 },
    { "https://a.example", "HTTPS://A.Example", 1 },
    { "https://a.example", "http://a.example", 0 },
    { "https://a.example", "https://a.example:443", 0 },
    { "https://a.example", "https://a.example.evil", 0 },
    { "https://a.example", "https://evila.example", 0 },
    { "https://a.example", "", 0 },
    { "https://a.example", "null", 0 },
    { "https://a.example", "https://", 0 },
    { "https://a.example:8443", "https://a.example:8443", 1 },
    { "https://a.example:8443", "https://a.example", 0 },
    { "https://*.a.example", "https://x.a.example", 1 },
    { "https://*.a.example", "https://a.example", 0 },
    { "https://*.a.example", "https://x.y.a.example", 0 },
    { "https://*.a.example", "https://.a.example", 0 },
    { "https://*.a.example", "https://x_.a.example", 0 },
    { "https://*.a.example:1", "https://x.a.example:1", 1 },
    { "https://*.a.example:1", "https://x.a.example:12", 0 },
    { "chrome-extension://abc", "chrome-extension://abc", 1 },
    { "null", "null", 1 },
    { "null", "https://a.example", 0 },
    { "https://a.example,http://b.example", "http://b.example", 1 },
    { "bad,https://a.example", "https://bad", 0 }
};


static const char *
test_value(const char *name, const ingress_annotations_t *ann,
    torii_buf_t *buf)
{
    size_t  i;

    for (i = 0; i < sizeof(test_fields) / sizeof(test_fields[0]); i++) {
        if (strcmp(test_fields[i].name, name) == 0) {
            return setting_field(buf, &test_fields[i], ann, &ann->pool);
        }
    }

    return "(no such field)";
}


static void
test_one(const test_case_t *t, const ingress_config_t *config)
{
    int                    ok;
    char                   line[100];
    const char            *value;
    torii_buf_t            buf;
    setting_object_t       o;
    ingress_annotations_t  ann;

    memset(&buf, 0, sizeof(torii_buf_t));

    setting_object_make(&o, t->text, INGRESS_ANNOTATION_PREFIX);
    ingress_annotations_parse(&ann, &o.object, config, &o.findings);

    value = test_value(t->field, &ann, &buf);

    ok = strcmp(value, t->value) == 0
         && (t->reason ? setting_found(&o, t->reason) : o.findings.n == 0);

    tap_ok(ok, "%s is \"%s\" of: %s", t->field, t->value,
           setting_line(t->text, line));

    if (!ok) {
        printf("# it is \"%s\", %u findings\n", value, o.findings.n);
    }

    torii_buf_free(&buf);
    ingress_annotations_free(&ann);
    setting_object_free(&o);
}


static void
test_cors(const test_origin_t *t, const ingress_config_t *config)
{
    char                   text[256];
    setting_object_t       o;
    ingress_annotations_t  ann;

    (void) snprintf(text, sizeof(text), "enable-cors=true|cors-allow-origin=%s",
                    t->origins);

    setting_object_make(&o, text, INGRESS_ANNOTATION_PREFIX);
    ingress_annotations_parse(&ann, &o.object, config, NULL);

    tap_ok(ingress_cors_match(&ann.policy, ann.pool.data,
                              torii_str(t->origin)) == t->match,
           "origin \"%s\" is %sof \"%s\"", t->origin, t->match ? "" : "not ",
           t->origins);

    ingress_annotations_free(&ann);
    setting_object_free(&o);
}


/* A finding tells where it is and what to write. */

static void
test_finding(const ingress_config_t *config)
{
    torii_buf_t            buf;
    setting_object_t       o;
    ingress_annotations_t  ann;

    static const char  expected[] =
        "web.yaml:2: warning: Ingress default/web: "
        "nginx.ingress.kubernetes.io/proxy-read-timeout: \"60s\" is not a "
        "number of seconds; write 60 (until then it is as if not set) "
        "[InvalidAnnotation]\n";

    memset(&buf, 0, sizeof(torii_buf_t));

    setting_object_make(&o, "use-regex=true|proxy-read-timeout=60s",
                        INGRESS_ANNOTATION_PREFIX);
    ingress_annotations_parse(&ann, &o.object, config, &o.findings);

    ingress_finding_text(&buf, o.findings.first);
    torii_buf_add(&buf, "", 1);

    if (!tap_ok(strcmp((char *) buf.data, expected) == 0,
                "a finding in words"))
    {
        printf("# %s", buf.data);
    }

    torii_buf_free(&buf);
    ingress_annotations_free(&ann);
    setting_object_free(&o);
}


typedef struct {
    uint32_t     n;
    uint32_t     enforced;
    int          sorted;
    torii_str_t  last;
} test_list_t;


static void
test_visit(void *data, const ingress_setting_info_t *info)
{
    test_list_t  *list;
    torii_str_t   name;

    list = data;
    name = torii_str(info->name);

    list->n++;
    list->enforced += (strcmp(info->state, "enforced") == 0);
    list->sorted &= (torii_str_cmp(list->last, name) < 0
                     && info->help[0] != '\0');
    list->last = name;
}


static void
test_table(void)
{
    test_list_t  list;

    memset(&list, 0, sizeof(test_list_t));
    list.sorted = 1;

    ingress_annotation_each(test_visit, &list);

    tap_ok(list.n == 138, "136 annotations and two old names: %u", list.n);
    tap_ok(list.sorted, "the table is in order, and each row has a text");
    tap_ok(list.enforced == 81, "81 of them are enforced: %u", list.enforced);

    memset(&list, 0, sizeof(test_list_t));
    list.sorted = 1;

    ingress_config_each(test_visit, &list);

    tap_ok(list.sorted, "so is the table of the ConfigMap");
}


int
main(void)
{
    size_t             i;
    ingress_config_t  *config;

    config = ingress_config_parse(NULL, NULL);

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        test_one(&test_cases[i], config);
    }

    for (i = 0; i < sizeof(test_origins) / sizeof(test_origins[0]); i++) {
        test_cors(&test_origins[i], config);
    }

    test_finding(config);
    test_table();

    ingress_config_free(config);

    return tap_done();
}
