
/*
 * Annotations of an Ingress: the table of all names, and the run over an
 * object.  What Torii does not do is in the table too, because somebody relies
 * on it: what protects a backend denies, the rest is reported.
 */

#include <stdio.h>

#include "ingress_setting.h"
#include "ingress_issue.h"


#define CONFIG  INGRESS_SETTING_CONFIG
#define LINES   INGRESS_SETTING_LINES
#define GATE    INGRESS_SETTING_GATE
#define LOUD    INGRESS_SETTING_LOUD
#define ALIAS   INGRESS_SETTING_ALIAS
#define LOGIN   INGRESS_SETTING_LOGIN

#define MB      (1024 * 1024)

#define P(field)  offsetof(ingress_policy_t, field)
#define A(field)  offsetof(ingress_annotations_t, field)
#define S(field)  offsetof(ingress_setter_t, field)

#define ENFORCED(scope, bad)                                                  \
    INGRESS_ENFORCED, INGRESS_SCOPE_##scope, INGRESS_BAD_##bad

/* known, but not to this version: served without it */

#define LATER(scope, flags, value)                                            \
    INGRESS_LATER, INGRESS_SCOPE_##scope, INGRESS_BAD_DEFAULT, flags, NULL,   \
    0, 0, 0, NULL, value

/* the same, but it protects something: not served without it */

#define SECURE(scope, flags, value)                                           \
    INGRESS_LATER, INGRESS_SCOPE_##scope, INGRESS_BAD_DENY, flags, NULL,      \
    0, 0, 0, NULL, value

#define SNIPPET(scope)                                                        \
    INGRESS_NEVER, INGRESS_SCOPE_##scope, INGRESS_BAD_DEFAULT,                \
    INGRESS_SETTING_SNIPPET, NULL, 0, 0, 0, NULL, ""

#define NOTHING(scope, value)                                                 \
    INGRESS_NEVER, INGRESS_SCOPE_##scope, INGRESS_BAD_DEFAULT, 0, NULL,       \
    0, 0, 0, NULL, value

#define INGRESS_CORS_HEADERS                                                  \
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,"           \
    "Cache-Control,Content-Type,Range,Authorization"

/* Looking for a name that is alike costs time, which an object could waste. */
#define INGRESS_SUGGESTIONS  32

#define ingress_annotation_protects(row)  ((row)->bad == INGRESS_BAD_DENY)

#define INGRESS_PREFIX_LEN   (sizeof(INGRESS_ANNOTATION_PREFIX) - 1)


/* A name that ingress-nginx dropped; "*" at the end stands for any rest. */

typedef struct {
    const char  *name;
    const char  *instead;
} ingress_retired_t;


static void ingress_annotation_unknown(ingress_setter_t *s, torii_str_t name);
static void ingress_annotation_near(ingress_setter_t *s, torii_str_t name);
static void ingress_annotation_foreign(ingress_setter_t *s);
static const char *ingress_annotation_retired(torii_str_t name);
static int ingress_annotation_about(ingress_setter_t *s, const char *name);
static void ingress_annotation_finish(ingress_setter_t *s);
static void ingress_annotation_redirect(ingress_setter_t *s);
static void ingress_annotation_cors(ingress_setter_t *s);
static void ingress_annotation_backend(ingress_setter_t *s);
static void ingress_annotation_tls(ingress_setter_t *s);
static void ingress_annotation_gateway(ingress_setter_t *s);


static const ingress_word_t  ingress_protocols[] = {
    { "HTTP", INGRESS_HTTP },
    { "HTTPS", INGRESS_HTTPS },
    { "AUTO_HTTP", INGRESS_AUTO_HTTP },
    { "GRPC", INGRESS_GRPC },
    { "GRPCS", INGRESS_GRPCS },
    { "FCGI", INGRESS_FCGI },
    { NULL, 0 }
};

static const ingress_word_t  ingress_http_versions[] = {
    { "1.0", 10 },
    { "1.1", 11 },
    { NULL, 0 }
};

static const ingress_word_t  ingress_connections[] = {
    { "close", 1 },
    { "keep-alive", 2 },
    { NULL, 0 }
};

static const ingress_word_t  ingress_next_cases[] = {
    { "error", INGRESS_NEXT_ERROR },
    { "timeout", INGRESS_NEXT_TIMEOUT },
    { "invalid_header", INGRESS_NEXT_INVALID_HEADER },
    { "http_500", INGRESS_NEXT_HTTP_500 },
    { "http_502", INGRESS_NEXT_HTTP_502 },
    { "http_503", INGRESS_NEXT_HTTP_503 },
    { "http_504", INGRESS_NEXT_HTTP_504 },
    { "http_403", INGRESS_NEXT_HTTP_403 },
    { "http_404", INGRESS_NEXT_HTTP_404 },
    { "http_429", INGRESS_NEXT_HTTP_429 },
    { "non_idempotent", INGRESS_NEXT_NON_IDEMPOTENT },
    { "off", INGRESS_NEXT_OFF },
    { NULL, 0 }
};

static const ingress_word_t  ingress_secret_types[] = {
    { "auth-file", 0 },
    { "auth-map", 1 },
    { NULL, 0 }
};

static const ingress_word_t  ingress_satisfy_words[] = {
    { "all", 0 },
    { "any", 1 },
    { NULL, 0 }
};

static const ingress_charset_t  ingress_prefix_chars = {
    "-._~/:", "a path prefix"
};

static const ingress_charset_t  ingress_cipher_chars = {
    "!:+-_@= ", "a list of ciphers"
};

static const ingress_charset_t  ingress_proxy_cipher_chars = {
    "!:+-_", "a list of ciphers"
};

static const ingress_charset_t  ingress_file_chars = {
    "-._", "a file name"
};

static const ingress_charset_t  ingress_realm_chars = {
    "-._~/: ", "a realm"
};

static const ingress_charset_t  ingress_param_chars = {
    "-._~", "a parameter's name"
};


/* In order of name. */

static const ingress_setting_t  ingress_annotation_rows[] = {

    { "affinity", LATER(UPSTREAM, 0, ""),
      "sessions stay with an endpoint" },
    { "affinity-canary-behavior", LATER(UPSTREAM, 0, "sticky"),
      "sessions and canaries" },
    { "affinity-mode", LATER(UPSTREAM, 0, "balanced"),
      "how sessions move when endpoints change" },
    { "allowlist-source-range", ENFORCED(ROUTE, DENY),
      LINES | GATE, ingress_set_networks, P(allow),
      0, 0, NULL, "",
      "only these clients; addresses and networks by commas" },
    { "app-root", ENFORCED(HOST, DEFAULT),
      0, ingress_set_app_root, A(app_root),
      0, 0, NULL, "",
      "requests for \"/\" are redirected to this path" },
    { "auth-always-set-cookie", ENFORCED(ROUTE, DENY),
      LOGIN, ingress_set_flag, S(set_cookie),
      0, 0, NULL, "false",
      "cookies of the login service with any answer" },
    { "auth-cache-duration", ENFORCED(ROUTE, DENY),
      LOGIN | LINES, ingress_set_login_durations, 0,
      0, 0, NULL, "200 202 401 5m",
      "how long login answers are kept: STATUS... TIME, by commas" },
    { "auth-cache-key", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_login_key, 0,
      0, 0, NULL, "",
      "login answers are kept by this key, with Cookie and Authorization" },
    { "auth-keepalive", ENFORCED(ROUTE, DEFAULT),
      LOGIN, ingress_set_number, A(login.record.keepalive),
      0, 65535, NULL, "0",
      "connections kept to the login service" },
    { "auth-keepalive-requests", ENFORCED(ROUTE, DEFAULT),
      LOGIN, ingress_set_login_keep, 0,
      0, 0, NULL, "1000",
      "0: none are kept" },
    { "auth-keepalive-share-vars", ENFORCED(ROUTE, DEFAULT),
      LOGIN, ingress_set_flag, S(share_vars),
      0, 0, NULL, "false",
      "accepted, and of no effect" },
    { "auth-keepalive-timeout", ENFORCED(ROUTE, DEFAULT),
      LOGIN, ingress_set_login_keep, 0,
      0, 0, NULL, "60",
      "0: none are kept" },
    { "auth-method", ENFORCED(ROUTE, DENY),
      LOGIN, ingress_set_login_method, 0,
      0, 0, NULL, "GET",
      "method of the login request" },
    { "auth-proxy-set-headers", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_reference, A(login.headers_namespace),
      0, 0, NULL, "",
      "ConfigMap with headers for the login service" },
    { "auth-realm", ENFORCED(ROUTE, DENY),
      0, ingress_set_text, P(realm),
      0, 1024, &ingress_realm_chars, "",
      "realm of a login by password" },
    { "auth-request-redirect", ENFORCED(ROUTE, DENY),
      0, ingress_set_login_redirect, 0,
      0, 0, NULL, "",
      "X-Auth-Request-Redirect; the request's own URI" },
    { "auth-response-headers", ENFORCED(ROUTE, DENY),
      LINES, ingress_set_login_headers, 0,
      0, 0, NULL, "",
      "headers of the login service for the backend, by commas" },
    { "auth-secret", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_reference, A(users_namespace),
      0, 0, NULL, "",
      "Secret with passwords" },
    { "auth-secret-type", ENFORCED(ROUTE, DENY),
      LOGIN, ingress_set_words, A(users_map),
      0, 0, ingress_secret_types, "auth-file",
      "auth-file: the key auth is of htpasswd; auth-map: a key is a user" },
    { "auth-signin", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_login_signin, 0,
      0, 0, NULL, "",
      "where browsers are sent to log in" },
    { "auth-signin-redirect-param", ENFORCED(ROUTE, DEFAULT),
      LOGIN, ingress_set_text, A(login.record.signin_param),
      0, 64, &ingress_param_chars, "rd",
      "parameter of the way back from login" },
    { "auth-snippet", ENFORCED(ROUTE, DENY),
      LINES, ingress_set_login_snippet, 0,
      0, 0, NULL, "",
      "only proxy_set_header and proxy_..._timeout of the login request" },
    { "auth-tls-error-page", SECURE(HOST, 0, ""),
      "page for clients without a certificate" },
    { "auth-tls-match-cn", SECURE(HOST, GATE, ""),
      "names in client certificates" },
    { "auth-tls-pass-certificate-to-upstream", SECURE(HOST, 0, "false"),
      "client certificate for the backend" },
    { "auth-tls-secret", SECURE(HOST, GATE, ""),
      "client certificates" },
    { "auth-tls-verify-client", SECURE(HOST, LOUD, "on"),
      "whether client certificates are asked for" },
    { "auth-tls-verify-depth", SECURE(HOST, 0, "1"),
      "longest chain of a client certificate" },
    { "auth-type", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_login_type, A(basic),
      0, 0, NULL, "",
      "basic: login by password" },
    { "auth-url", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_login_url, 0,
      0, 0, NULL, "",
      "login by another service; .../oauth2/auth by the gateway itself" },
    { "backend-protocol", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_words, P(protocol),
      1, 0, ingress_protocols, "HTTP",
      "HTTP, HTTPS, AUTO_HTTP, GRPC, GRPCS or FCGI" },
    { "canary", INGRESS_LATER, INGRESS_SCOPE_UPSTREAM, INGRESS_BAD_DEFAULT,
      INGRESS_SETTING_WHOLE, ingress_set_bool, A(canary),
      0, 0, NULL, "false",
      "this Ingress is another version of a backend" },
    { "canary-by-cookie", LATER(UPSTREAM, 0, ""),
      "canary by a cookie" },
    { "canary-by-header", LATER(UPSTREAM, 0, ""),
      "canary by a header" },
    { "canary-by-header-pattern", LATER(UPSTREAM, 0, ""),
      "canary by a header's pattern" },
    { "canary-by-header-value", LATER(UPSTREAM, 0, ""),
      "canary by a header's value" },
    { "canary-weight", LATER(UPSTREAM, 0, "0"),
      "canary by a share of requests" },
    { "canary-weight-total", LATER(UPSTREAM, 0, "100"),
      "what canary-weight is a share of" },
    { "client-body-buffer-size", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_size, P(body_buffer_size),
      1024, 16 * MB, NULL, "8k",
      "request body kept in memory; at most 16m" },
    { "configuration-snippet", SNIPPET(ROUTE),
      "typed annotations say most of what snippets are used for" },
    { "connection-proxy-header", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_words, P(connection_header),
      0, 0, ingress_connections, "",
      "fixed Connection header: close or keep-alive" },
    { "cors-allow-credentials", ENFORCED(ROUTE, CORS),
      0, ingress_set_bool, P(cors_credentials),
      0, 0, NULL, "true",
      "other origins may send cookies" },
    { "cors-allow-headers", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_cors_list, P(cors_headers),
      0, 0, "-_, ", INGRESS_CORS_HEADERS,
      "headers that other origins may send" },
    { "cors-allow-methods", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_cors_list, P(cors_methods),
      0, 0, ", ",
      "GET, PUT, POST, DELETE, PATCH, OPTIONS",
      "methods that other origins may use" },
    { "cors-allow-origin", ENFORCED(ROUTE, CORS),
      LINES | GATE, ingress_set_cors_origins, P(cors_origins),
      0, 0, NULL, "*",
      "origins by commas; \"*.\" stands for one label" },
    { "cors-expose-headers", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_cors_list, P(cors_expose),
      1, 0, "-_, ", "",
      "headers that other origins may read" },
    { "cors-max-age", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_number, P(cors_max_age),
      0, INT32_MAX, NULL, "1728000",
      "seconds that browsers keep the answer" },
    { "custom-headers", LATER(ROUTE, 0, ""),
      "headers of responses" },
    { "custom-http-errors", LATER(ROUTE, CONFIG, ""),
      "errors answered by the default backend" },
    { "default-backend", LATER(ROUTE, 0, ""),
      "Service for errors" },
    { "denylist-source-range", ENFORCED(ROUTE, DENY),
      LINES | GATE | CONFIG, ingress_set_networks, P(deny_list),
      0, 0, NULL, "",
      "not these clients; addresses and networks by commas" },
    { "disable-proxy-intercept-errors", LATER(ROUTE, CONFIG, "false"),
      "errors are left alone" },
    { "enable-access-log", LATER(ROUTE, 0, "true"),
      "whether requests are logged" },
    { "enable-cors", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_bool, P(cors),
      0, 0, NULL, "false",
      "answer for other origins (CORS)" },
    { "enable-global-auth", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_flag, S(global_auth),
      0, 0, NULL, "true",
      "false: no login, though the ConfigMap asks for one" },
    { "enable-modsecurity", INGRESS_LATER, INGRESS_SCOPE_ROUTE,
      INGRESS_BAD_DENY, 0, ingress_set_flag, S(modsecurity),
      0, 0, NULL, "false",
      "web application firewall" },
    { "enable-opentelemetry", LATER(ROUTE, CONFIG, "false"),
      "tracing" },
    { "enable-owasp-core-rules", SECURE(ROUTE, 0, "false"),
      "rules of the web application firewall" },
    { "enable-rewrite-log", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_bool, P(rewrite_log),
      0, 0, NULL, "false",
      "log rewrites at level notice" },
    { "fastcgi-index", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_text, P(fastcgi_index),
      0, 1024, &ingress_file_chars, "",
      "file for FastCGI paths that end in a slash" },
    { "fastcgi-params-configmap", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_reference, A(fastcgi_params_namespace),
      0, 0, NULL, "",
      "ConfigMap with FastCGI parameters" },
    { "force-ssl-redirect", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_bool, P(force_ssl_redirect),
      0, 0, NULL, "false",
      "http to https, with or without a certificate" },
    { "from-to-www-redirect", ENFORCED(HOST, DEFAULT),
      0, ingress_set_bool, A(from_to_www),
      0, 0, NULL, "false",
      "www.NAME is redirected to NAME, or the other way" },
    { "http2-push-preload", NOTHING(ROUTE, "false"),
      "browsers and NGINX gave up HTTP/2 push" },
    { "limit-allowlist", LATER(ROUTE, 0, ""),
      "clients without limits" },
    { "limit-burst-multiplier", LATER(ROUTE, 0, "5"),
      "burst over a limit" },
    { "limit-connections", LATER(ROUTE, 0, "0"),
      "requests of a client at a time" },
    { "limit-rate", LATER(ROUTE, CONFIG, "0"),
      "speed of a response" },
    { "limit-rate-after", LATER(ROUTE, CONFIG, "0"),
      "start of a response at full speed" },
    { "limit-rpm", LATER(ROUTE, 0, "0"),
      "requests of a client in a minute" },
    { "limit-rps", LATER(ROUTE, 0, "0"),
      "requests of a client in a second" },
    { "limit-whitelist", LATER(ROUTE, 0, ""),
      "old name of limit-allowlist" },
    { "load-balance", LATER(UPSTREAM, CONFIG, "round_robin"),
      "choice of an endpoint" },
    { "mirror-host", LATER(ROUTE, 0, ""),
      "Host of copies" },
    { "mirror-request-body", LATER(ROUTE, 0, "on"),
      "bodies of copies" },
    { "mirror-target", LATER(ROUTE, 0, ""),
      "copies of requests" },
    { "modsecurity-snippet", SNIPPET(ROUTE),
      "there is no web application firewall" },
    { "modsecurity-transaction-id", SECURE(ROUTE, 0, ""),
      "requests named to the web application firewall" },
    { "opentelemetry-operation-name", LATER(ROUTE, CONFIG, ""),
      "name of a trace" },
    { "opentelemetry-trust-incoming-span", LATER(ROUTE, CONFIG, "true"),
      "traces that clients begin" },
    { "permanent-redirect", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_redirect, S(permanent),
      0, 0, NULL, "",
      "all requests are redirected there" },
    { "permanent-redirect-code", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_redirect_code, S(permanent_code),
      300, 308, NULL, "301",
      "status of permanent-redirect" },
    { "preserve-trailing-slash", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_bool, P(preserve_trailing_slash),
      0, 0, NULL, "false",
      "the redirect to https keeps a slash at the end" },
    { "proxy-body-size", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_size, P(body_size),
      0, INT64_MAX, NULL, "1m",
      "largest request body; 0 is no limit" },
    { "proxy-buffer-size", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_size32, P(buffer_size),
      1024, 16 * MB, NULL, "4k",
      "buffer for a response's header, and each further one" },
    { "proxy-buffering", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_words, P(buffering),
      0, 0, ingress_words_switch, "off",
      "read responses ahead of a slow client" },
    { "proxy-buffers-number", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_number, P(buffers_number),
      2, 1024, NULL, "4",
      "number of buffers for a response; at most 64m in all" },
    { "proxy-busy-buffers-size", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_size32, P(busy_buffers_size),
      1024, 64 * MB, NULL, "",
      "part of the buffers that may wait for the client" },
    { "proxy-connect-timeout", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_seconds, P(connect_timeout),
      1, INGRESS_SECONDS_MAX, NULL, "5",
      "seconds to connect to a backend" },
    { "proxy-cookie-domain", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_pair, P(cookie_domain_from),
      0, 0, NULL, "off",
      "FROM TO: rewrite Domain of the backend's cookies" },
    { "proxy-cookie-path", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_pair, P(cookie_path_from),
      0, 0, NULL, "off",
      "FROM TO: rewrite Path of the backend's cookies" },
    { "proxy-http-version", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_words, P(http_version),
      0, 0, ingress_http_versions, "1.1",
      "HTTP version towards the backend" },
    { "proxy-max-temp-file-size", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_size, P(max_temp_file_size),
      0, INT64_MAX, NULL, "1024m",
      "response kept on disk for a slow client; 0 is none" },
    { "proxy-next-upstream", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_next_upstream, P(next_upstream),
      0, 0, ingress_next_cases, "error timeout",
      "when another endpoint is tried" },
    { "proxy-next-upstream-timeout", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_seconds, P(next_upstream_timeout),
      0, INGRESS_SECONDS_MAX, NULL, "0",
      "seconds for all tries; 0 is no limit" },
    { "proxy-next-upstream-tries", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_number, P(next_upstream_tries),
      0, 65535, NULL, "3",
      "number of tries; 0 is no limit" },
    { "proxy-read-timeout", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_seconds, P(read_timeout),
      1, INGRESS_SECONDS_MAX, NULL, "60",
      "seconds between two reads from the backend" },
    { "proxy-redirect-from", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_location, P(redirect_from),
      0, 0, NULL, "off",
      "text in the backend's Location to replace, or default" },
    { "proxy-redirect-to", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_location, P(redirect_to),
      0, 0, NULL, "off",
      "what proxy-redirect-from is replaced by" },
    { "proxy-request-buffering", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_words, P(request_buffering),
      0, 0, ingress_words_switch, "on",
      "read a request's body whole before it is sent" },
    { "proxy-send-timeout", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_seconds, P(send_timeout),
      1, INGRESS_SECONDS_MAX, NULL, "60",
      "seconds between two writes to the backend" },
    { "proxy-ssl-ciphers", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_text, P(ssl_ciphers),
      0, 4096, &ingress_proxy_cipher_chars, "DEFAULT",
      "ciphers towards the backend" },
    { "proxy-ssl-name", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_host, P(ssl_name),
      1, 0, NULL, "",
      "name in the backend's certificate" },
    { "proxy-ssl-protocols", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_protocols, P(ssl_protocols),
      0, 0, NULL, "TLSv1.2",
      "TLS versions towards the backend" },
    { "proxy-ssl-secret", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_reference, A(proxy_ssl_namespace),
      1, 0, NULL, "",
      "Secret with ca.crt, tls.crt, tls.key for the backend" },
    { "proxy-ssl-server-name", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_words, P(ssl_server_name),
      0, 0, ingress_words_switch, "off",
      "send the name to the backend (SNI)" },
    { "proxy-ssl-verify", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_words, P(ssl_verify),
      0, 0, ingress_words_switch, "off",
      "verify the backend's certificate" },
    { "proxy-ssl-verify-depth", ENFORCED(ROUTE, DENY),
      GATE, ingress_set_number, P(ssl_verify_depth),
      0, 100, NULL, "1",
      "longest chain of the backend's certificate" },
    { "relative-redirects", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_bool, P(relative_redirects),
      0, 0, NULL, "false",
      "redirects to a path stay without scheme and host" },
    { "rewrite-target", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_rewrite, P(rewrite_target),
      0, 0, NULL, "",
      "path sent to the backend; $1 to $9 are the path's captures" },
    { "satisfy", ENFORCED(ROUTE, DEFAULT),
      LOGIN, ingress_set_login_satisfy, S(satisfy),
      0, 0, ingress_satisfy_words, "all",
      "any: of allow list, password and login one is enough" },
    { "server-alias", ENFORCED(HOST, DEFAULT),
      LINES, ingress_set_alias, A(server_alias),
      0, 0, NULL, "",
      "more names of the host, by commas; \"~\" begins a regex" },
    { "server-snippet", SNIPPET(HOST),
      "typed annotations say most of what snippets are used for" },
    { "service-upstream", ENFORCED(UPSTREAM, DEFAULT),
      CONFIG, ingress_set_bool, P(service_upstream),
      0, 0, NULL, "false",
      "the Service's cluster address in place of its endpoints" },
    { "session-cookie-change-on-failure", LATER(UPSTREAM, 0, "false"),
      "new endpoint for a session whose own fails" },
    { "session-cookie-conditional-samesite-none", LATER(UPSTREAM, 0, "false"),
      "SameSite=None not to browsers that refuse it" },
    { "session-cookie-domain", LATER(UPSTREAM, 0, ""),
      "domain of the affinity cookie" },
    { "session-cookie-expires", LATER(UPSTREAM, 0, ""),
      "expiry of the affinity cookie" },
    { "session-cookie-max-age", LATER(UPSTREAM, 0, ""),
      "age of the affinity cookie" },
    { "session-cookie-name", LATER(UPSTREAM, 0, "INGRESSCOOKIE"),
      "cookie of affinity" },
    { "session-cookie-path", LATER(UPSTREAM, 0, ""),
      "path of the affinity cookie" },
    { "session-cookie-samesite", LATER(UPSTREAM, 0, ""),
      "SameSite of the affinity cookie" },
    { "session-cookie-secure", LATER(UPSTREAM, 0, ""),
      "Secure of the affinity cookie" },
    { "ssl-ciphers", ENFORCED(HOST, DENY),
      GATE, ingress_set_text, A(ssl_ciphers),
      0, 4096, &ingress_cipher_chars, "",
      "ciphers of the host up to TLS 1.2, in OpenSSL's form" },
    { "ssl-passthrough", LATER(HOST, 0, "false"),
      "TLS connections are handed to the backend unopened" },
    { "ssl-prefer-server-ciphers", ENFORCED(HOST, DEFAULT),
      0, ingress_set_prefer, A(ssl_prefer_server_ciphers),
      0, 0, NULL, "",
      "the server's order of ciphers counts" },
    { "ssl-redirect", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_bool, P(ssl_redirect),
      0, 0, NULL, "true",
      "http to https, where the host has a certificate" },
    { "stream-snippet", SNIPPET(HOST),
      "TCP services are said in nginx.conf" },
    { "temporal-redirect", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_redirect, S(temporal),
      0, 0, NULL, "",
      "all requests are redirected there for now" },
    { "temporal-redirect-code", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_redirect_code, S(temporal_code),
      300, 307, NULL, "302",
      "status of temporal-redirect" },
    { "upstream-hash-by", LATER(UPSTREAM, CONFIG, ""),
      "endpoint by hash of a variable" },
    { "upstream-hash-by-subset", LATER(UPSTREAM, CONFIG, "false"),
      "hash selects several endpoints" },
    { "upstream-hash-by-subset-size", LATER(UPSTREAM, CONFIG, "3"),
      "endpoints that a hash selects" },
    { "upstream-vhost", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_vhost, P(upstream_vhost),
      0, 0, NULL, "",
      "Host header for the backend; may use $namespace, $ingress_name, "
      "$service_name and $service_port" },
    { "use-port-in-redirects", ENFORCED(ROUTE, DEFAULT),
      CONFIG, ingress_set_bool, P(use_port_in_redirects),
      0, 0, NULL, "false",
      "redirects name the port" },
    { "use-regex", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_bool, P(use_regex),
      0, 0, NULL, "false",
      "paths are regular expressions, for the whole host" },
    { "whitelist-source-range", ENFORCED(ROUTE, DENY),
      LINES | GATE | CONFIG | ALIAS, ingress_set_networks, P(allow),
      0, 0, "allowlist-source-range", "",
      "old name of allowlist-source-range" },
    { "x-forwarded-prefix", ENFORCED(ROUTE, DEFAULT),
      0, ingress_set_text, P(forwarded_prefix),
      0, 1024, &ingress_prefix_chars, "",
      "X-Forwarded-Prefix for the backend, with rewrite-target" },
};

#define INGRESS_ANNOTATION_N                                                  \
    (sizeof(ingress_annotation_rows) / sizeof(ingress_annotation_rows[0]))


static const ingress_retired_t  ingress_annotation_gone[] = {
    { "secure-backends", "write backend-protocol: HTTPS" },
    { "grpc-backend", "write backend-protocol: GRPC" },
    { "secure-verify-ca-secret",
      "write proxy-ssl-secret and proxy-ssl-verify" },
    { "ssl-verify", "write proxy-ssl-secret and proxy-ssl-verify" },
    { "session-cookie-hash", "session-cookie-name and affinity need no hash" },
    { "base-url-scheme", "it rewrote pages, which nothing replaces" },
    { "add-base-url", "it rewrote pages, which nothing replaces" },
    { "global-rate-limit*", "write limit-rps or limit-rpm" },
    { "enable-opentracing", "write enable-opentelemetry" },
    { "opentracing-*", "write enable-opentelemetry" },
    { "enable-influxdb", "metrics are read by Prometheus" },
    { "influxdb-*", "metrics are read by Prometheus" },
    { "lua-resty-waf*", "there is no web application firewall" },
    { "ingress-class", "write spec.ingressClassName" },
    { "ingress.class", "write spec.ingressClassName" },
    { "router.entrypoints", "it is one of Traefik's" },
    { "websocket-services", "WebSocket needs no annotation" },
    { "preserve-host", "the client's Host is sent to the backend anyway" },
    { "add-hosts", "write more rules, or server-alias" },
    { "upstream-fail-timeout", "write proxy-next-upstream" },
    { "upstream-max-fails", "write proxy-next-upstream" },
    { NULL, NULL }
};


const ingress_setting_t *
ingress_annotation_config(torii_str_t name)
{
    const ingress_setting_t  *row;

    row = ingress_setting_find(ingress_annotation_rows, INGRESS_ANNOTATION_N,
                               name);

    return (row && (row->flags & INGRESS_SETTING_CONFIG)) ? row : NULL;
}


const ingress_setting_t *
ingress_annotation_config_near(torii_str_t name)
{
    unsigned                  distance;
    const ingress_setting_t  *near;

    near = ingress_setting_near(ingress_annotation_rows, INGRESS_ANNOTATION_N,
                                name, &distance);

    return (near && (near->flags & INGRESS_SETTING_CONFIG)) ? near : NULL;
}


void
ingress_annotation_defaults(ingress_setter_t *s)
{
    uint32_t                  i;
    const ingress_setting_t  *row;

    for (i = 0; i < INGRESS_ANNOTATION_N; i++) {
        row = &ingress_annotation_rows[i];

        if (row->state == INGRESS_ENFORCED && row->value[0] != '\0'
            && row->scope != INGRESS_SCOPE_HOST
            && !(row->flags & INGRESS_SETTING_LOGIN))
        {
            (void) ingress_setting_apply(s, row, torii_str(row->value));
        }
    }
}


void
ingress_annotation_each(ingress_setting_visit_pt visit, void *data)
{
    uint32_t                i;
    ingress_setting_info_t  info;

    for (i = 0; i < INGRESS_ANNOTATION_N; i++) {
        ingress_setting_info(&ingress_annotation_rows[i], &info);
        visit(data, &info);
    }
}


void
ingress_annotations_parse(ingress_annotations_t *out,
    const ingress_object_t *ing, const ingress_config_t *config,
    ingress_findings_t *findings)
{
    uint32_t                  i;
    torii_str_t               name;
    ingress_setter_t          s;
    const ingress_pair_t     *pair;
    const ingress_setting_t  *row;

    memset(out, 0, sizeof(ingress_annotations_t));
    memset(&s, 0, sizeof(ingress_setter_t));

    s.base = out;
    s.policy = &out->policy;
    s.login = &out->login;
    s.pool = &out->pool;
    s.config = config;
    s.object = ing;
    s.findings = findings;

    s.permanent_code = 301;
    s.temporal_code = 302;
    s.global_auth = 1;
    s.modsecurity = 1;

    memcpy(&out->policy, &config->policy, sizeof(ingress_policy_t));
    ingress_policy_move(&out->policy, config->pool.data, &out->pool);
    out->policy.deny = 0;

    for (i = 0; i < ing->annotations.n; i++) {
        pair = &ing->annotations.elts[i];

        s.field = pair->name;
        s.value = pair->value;
        s.line = pair->line;

        if (!torii_str_starts(pair->name, INGRESS_ANNOTATION_PREFIX)) {
            ingress_annotation_foreign(&s);
            continue;
        }

        name.data = pair->name.data + INGRESS_PREFIX_LEN;
        name.len = pair->name.len - INGRESS_PREFIX_LEN;

        row = ingress_setting_find(ingress_annotation_rows,
                                   INGRESS_ANNOTATION_N, name);
        if (row == NULL) {
            ingress_annotation_unknown(&s, name);
            continue;
        }

        s.cors_asked |= torii_str_starts(name, "cors-");

        (void) ingress_setting_apply(&s, row, pair->value);
    }

    ingress_annotation_finish(&s);
}


void
ingress_annotations_free(ingress_annotations_t *out)
{
    torii_buf_free(&out->pool);
}


static void
ingress_annotation_unknown(ingress_setter_t *s, torii_str_t name)
{
    const char  *instead;

    instead = ingress_annotation_retired(name);

    if (instead) {
        ingress_setter_finding(s, INGRESS_WARNING, "RetiredAnnotation",
                               "is none of ingress-nginx's annotations any "
                               "more, and is ignored; %s", instead);
        return;
    }

    if (ingress_config_known(name)) {
        ingress_setter_finding(s, INGRESS_WARNING, "UnknownAnnotation",
                               "is a key of the ConfigMap, not an annotation; "
                               "it is ignored here");
        return;
    }

    ingress_annotation_near(s, name);
}


/* A misspelt setting that protects something protects nothing. */

static void
ingress_annotation_near(ingress_setter_t *s, torii_str_t name)
{
    unsigned                  distance;
    const ingress_setting_t  *near;

    near = NULL;
    distance = 0;

    if (s->unknown++ < INGRESS_SUGGESTIONS) {
        near = ingress_setting_near(ingress_annotation_rows,
                                    INGRESS_ANNOTATION_N, name, &distance);
    }

    if (near == NULL) {
        ingress_setter_finding(s, INGRESS_WARNING, "UnknownAnnotation",
                               "is no annotation of ingress-nginx; it is "
                               "ignored");
        return;
    }

    if (ingress_annotation_protects(near) && distance <= 2) {
        s->policy->deny |= INGRESS_DENY_ANNOTATION;

        ingress_setter_finding(s, INGRESS_ERROR, "UnknownAnnotation",
                               "is no annotation; did you mean \"%s\"? (until "
                               "then all paths of this Ingress answer 503)",
                               near->name);
        return;
    }

    ingress_setter_finding(s, INGRESS_WARNING, "UnknownAnnotation",
                           "is no annotation of ingress-nginx and is ignored; "
                           "did you mean \"%s\"?", near->name);
}


/*
 * Prefixes that look like ours: misspelt ones, the one of the years before
 * 0.9, and those of NGINX's own controller, which has other names for most.
 */

static void
ingress_annotation_foreign(ingress_setter_t *s)
{
    int                       misspelt, protects;
    size_t                    len;
    torii_str_t               prefix, name;
    const ingress_setting_t  *row;

    for (len = 0; len < s->field.len && s->field.data[len] != '/'; len++) {
        /* void */
    }

    if (len == s->field.len) {
        return;
    }

    prefix.data = s->field.data;
    prefix.len = len;

    name.data = s->field.data + len + 1;
    name.len = s->field.len - len - 1;

    if (ingress_issue_knows(s->field)) {
        return;
    }

    if (torii_str_eqs(prefix, "torii")) {

        if (ingress_login_annotation(s)) {
            return;
        }

        ingress_setter_finding(s, INGRESS_WARNING, "UnknownAnnotation",
                               "is no annotation of Torii; it is ignored");
        return;
    }

    row = ingress_setting_find(ingress_annotation_rows, INGRESS_ANNOTATION_N,
                               name);
    if (row == NULL) {
        return;
    }

    misspelt = torii_str_distance(prefix,
                                  torii_str("nginx.ingress.kubernetes.io"), 4)
               < 4;

    if (!misspelt && !torii_str_eqs(prefix, "ingress.kubernetes.io")
        && !torii_str_eqs(prefix, "nginx.org")
        && !torii_str_eqs(prefix, "nginx.com"))
    {
        return;
    }

    /* written twice, for gateways old and new */

    if (ingress_setter_given(s, row->name)) {
        return;
    }

    protects = misspelt && ingress_annotation_protects(row);

    if (protects) {
        s->policy->deny |= INGRESS_DENY_ANNOTATION;
    }

    ingress_setter_finding(s, protects ? INGRESS_ERROR : INGRESS_WARNING,
                           "UnknownPrefix", "is ignored because of its prefix; "
                           "write \"%s%s\"%s", INGRESS_ANNOTATION_PREFIX,
                           row->name, protects ? " (until then all paths of "
                                                 "this Ingress answer 503)"
                                               : "");
}


static const char *
ingress_annotation_retired(torii_str_t name)
{
    size_t                    len;
    torii_str_t               head;
    const ingress_retired_t  *gone;

    for (gone = ingress_annotation_gone; gone->name; gone++) {
        len = strlen(gone->name);

        if (gone->name[len - 1] != '*') {
            if (torii_str_eqs(name, gone->name)) {
                return gone->instead;
            }

            continue;
        }

        head.data = (unsigned char *) gone->name;
        head.len = len - 1;

        if (name.len >= head.len && memcmp(name.data, head.data, head.len) == 0)
        {
            return gone->instead;
        }
    }

    return NULL;
}


/* Findings that follow are about this annotation.  Returns 0: it is not set. */

static int
ingress_annotation_about(ingress_setter_t *s, const char *name)
{
    const ingress_pair_t  *pair;

    pair = ingress_setter_given(s, name);

    if (pair) {
        s->field = pair->name;
        s->value = pair->value;
        s->line = pair->line;
        return 1;
    }

    (void) snprintf(s->about, sizeof(s->about), "%s%s",
                    INGRESS_ANNOTATION_PREFIX, name);

    s->field = torii_str(s->about);
    s->value.len = 0;
    s->line = s->object->line;

    return 0;
}


/* What several annotations say together. */

static void
ingress_annotation_finish(ingress_setter_t *s)
{
    ingress_annotation_redirect(s);
    ingress_annotation_cors(s);
    ingress_annotation_backend(s);
    ingress_annotation_tls(s);
    ingress_login_finish(s);
    ingress_annotation_gateway(s);
}


static void
ingress_annotation_redirect(ingress_setter_t *s)
{
    if (s->temporal.len) {
        s->policy->redirect = ingress_setter_str(s, s->temporal);
        s->policy->redirect_code = s->temporal_code;

        if (s->permanent.len) {
            (void) ingress_annotation_about(s, "permanent-redirect");
            ingress_setter_finding(s, INGRESS_WARNING, "DuplicateAnnotation",
                                   "is ignored, because temporal-redirect "
                                   "wins");
        }

        return;
    }

    if (s->permanent.len) {
        s->policy->redirect = ingress_setter_str(s, s->permanent);
        s->policy->redirect_code = s->permanent_code;
    }
}


static void
ingress_annotation_cors(ingress_setter_t *s)
{
    if (s->cors_refused) {
        s->policy->cors = 0;
        return;
    }

    if (s->cors_asked && !s->policy->cors
        && !ingress_annotation_about(s, "enable-cors"))
    {
        ingress_setter_finding(s, INGRESS_WARNING, "NoEffect",
                               "is missing, without which the cors-* "
                               "annotations have no effect; write \"true\"");
    }
}


static void
ingress_annotation_backend(ingress_setter_t *s)
{
    torii_str_t        from;
    ingress_policy_t  *policy;

    policy = s->policy;

    ingress_setting_buffers(s);

    if (s->config->retry_non_idempotent
        && !(policy->next_upstream & INGRESS_NEXT_OFF))
    {
        policy->next_upstream |= INGRESS_NEXT_NON_IDEMPOTENT;
    }

    from = ingress_pool_str(s->pool, policy->redirect_from);

    if (from.len == 0 || torii_str_eqs(from, "default")) {
        memset(&policy->redirect_to, 0, sizeof(ingress_ref_t));

    } else if (policy->redirect_to.len == 0) {
        memset(&policy->redirect_from, 0, sizeof(ingress_ref_t));

        if (ingress_annotation_about(s, "proxy-redirect-from")) {
            ingress_setter_finding(s, INGRESS_WARNING, "NoEffect",
                                   "has no effect without proxy-redirect-to");
        }
    }

    if (policy->forwarded_prefix.len && policy->rewrite_target.len == 0
        && ingress_annotation_about(s, "x-forwarded-prefix"))
    {
        ingress_setter_finding(s, INGRESS_INFO, "NoEffect",
                               "has no effect without rewrite-target");
    }
}


/* A backend that should be verified, but cannot be, is not reached. */

static void
ingress_annotation_tls(ingress_setter_t *s)
{
    int                     tls, secret;
    ingress_policy_t       *policy;
    ingress_annotations_t  *out;

    out = s->base;
    policy = s->policy;

    if (policy->ssl_verify_depth == 0) {
        policy->ssl_verify_depth = 1;
    }

    tls = (policy->protocol == INGRESS_HTTPS
           || policy->protocol == INGRESS_GRPCS
           || policy->protocol == INGRESS_AUTO_HTTP);

    secret = (out->proxy_ssl_secret.len != 0);

    if (tls && policy->ssl_verify && !secret) {
        policy->deny |= INGRESS_DENY_ANNOTATION;

        (void) ingress_annotation_about(s, "proxy-ssl-verify");
        ingress_setter_finding(s, INGRESS_ERROR, "InvalidAnnotation",
                               "is on, but there is nothing to verify by; name "
                               "a Secret with ca.crt in proxy-ssl-secret "
                               "(until then all paths of this Ingress answer "
                               "503)");
    }

    if (!tls && (policy->ssl_verify || secret)) {
        (void) ingress_annotation_about(s, secret ? "proxy-ssl-secret"
                                                  : "proxy-ssl-verify");
        ingress_setter_finding(s, INGRESS_WARNING, "NoEffect",
                               "has no effect, the backend is reached without "
                               "TLS; write backend-protocol: HTTPS or GRPCS");
    }
}


/* What the ConfigMap asks for in vain, unless the Ingress has its own. */

static void
ingress_annotation_gateway(ingress_setter_t *s)
{
    const ingress_config_t  *config;

    config = s->config;

    if ((config->deny_allow && !s->has_allow)
        || (config->deny_blocked && !s->has_deny_list))
    {
        s->policy->deny |= INGRESS_DENY_ANNOTATION;
    }

    if ((config->deny_global_auth && s->global_auth
         && !(s->login->asked & ~INGRESS_LOGIN_BY_CONFIG))
        || (config->deny_modsecurity && s->modsecurity))
    {
        s->policy->deny |= INGRESS_DENY_UNSUPPORTED;
    }
}
