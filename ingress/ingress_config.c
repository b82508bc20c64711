
/*
 * The ConfigMap: defaults for annotations, by the annotations' own rows, and
 * the keys about the whole gateway, by the table here.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_setting.h"


#define LINES  INGRESS_SETTING_LINES
#define LOGIN  INGRESS_SETTING_LOGIN

#define G(field)  offsetof(ingress_config_draft_t, config.global.field)
#define D(field)  offsetof(ingress_config_draft_t, field)
#define S(field)  offsetof(ingress_setter_t, field)

#define ENFORCED(bad)                                                         \
    INGRESS_ENFORCED, INGRESS_SCOPE_GATEWAY, INGRESS_BAD_##bad

#define PLAIN(state, flags, value)                                            \
    state, INGRESS_SCOPE_GATEWAY, INGRESS_BAD_DEFAULT, flags, NULL, 0, 0, 0,  \
    NULL, value

#define LATER(value)    PLAIN(INGRESS_LATER, 0, value)
#define MACHINE(value)  PLAIN(INGRESS_MACHINE, 0, value)
#define NOTHING(value)  PLAIN(INGRESS_NEVER, 0, value)
#define SNIPPET         PLAIN(INGRESS_NEVER, INGRESS_SETTING_SNIPPET, "")

/* it protects every Ingress, none of which is served without it */

#define UNSAFE                                                                \
    INGRESS_LATER, INGRESS_SCOPE_GATEWAY, INGRESS_BAD_DENY, 0

#define INGRESS_PATHS_MAX  256


/* A configuration under construction: what its parts are made from. */

typedef struct {
    ingress_config_t  config;
    ingress_ref_t     block;
    uint32_t          hsts_max_age;
    uint8_t           hsts_subdomains;
    uint8_t           hsts_preload;
    uint8_t           cross_namespace;
    uint8_t           strict_path_type;
    uint8_t           retry_non_idempotent;
    uint8_t           global_auth;
    uint8_t           modsecurity;
} ingress_config_draft_t;


static void ingress_config_defaults(ingress_setter_t *s,
    ingress_config_draft_t *draft);
static void ingress_config_key(ingress_setter_t *s,
    ingress_config_draft_t *draft, const ingress_pair_t *pair);
static void ingress_config_unknown(ingress_setter_t *s, torii_str_t name);
static void ingress_config_finish(ingress_setter_t *s,
    ingress_config_draft_t *draft);
static int ingress_config_has_login(const ingress_setter_t *s);
static void ingress_config_block(ingress_setter_t *s,
    ingress_config_draft_t *draft);
static void ingress_config_version(ingress_config_t *config);
static void ingress_config_global(ingress_setter_t *s,
    ingress_config_draft_t *draft, const torii_buf_t *from);
static int ingress_config_code(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
static int ingress_config_paths(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
static int ingress_config_no_auth(ingress_setter_t *s,
    const ingress_setting_t *row, torii_str_t value);
static int ingress_config_list(ingress_setter_t *s, torii_str_t value,
    torii_str_t **list, uint32_t *count);
static void ingress_config_login(ingress_setter_t *s,
    ingress_config_draft_t *draft, const torii_buf_t *from);


static const ingress_charset_t  ingress_header_chars = {
    "-_", "a header's name"
};

static const ingress_charset_t  ingress_param_chars = {
    "-._~", "a parameter's name"
};


/* In order of name. */

static const ingress_setting_t  ingress_config_rows[] = {

    { "access-log-params", MACHINE(""), "access_log" },
    { "access-log-path", MACHINE("/var/log/nginx/access.log"), "access_log" },
    { "add-headers", LATER(""), "headers of responses" },
    { "allow-backend-server-header", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(allow_backend_server_header),
      0, 0, NULL, "false",
      "pass the backend's Server header" },
    { "allow-cross-namespace-resources", ENFORCED(DEFAULT),
      0, ingress_set_bool, D(cross_namespace),
      0, 0, NULL, "false",
      "annotations may name objects of other namespaces" },
    { "allow-snippet-annotations", NOTHING("false"), "snippets are never run" },
    { "annotation-value-word-blocklist", NOTHING(""),
      "no annotation is ever text of a configuration" },
    { "annotations-risk-level", NOTHING("High"),
      "no annotation is ever text of a configuration" },
    { "bind-address", MACHINE(""), "listen ADDRESS:PORT" },
    { "bind-address-ipv4", MACHINE(""), "listen ADDRESS:PORT" },
    { "bind-address-ipv6", MACHINE(""), "listen [ADDRESS]:PORT" },
    { "block-cidrs", ENFORCED(DENY),
      LINES, ingress_set_networks, D(block),
      0, 0, NULL, "",
      "not these clients, where an Ingress has no list" },
    { "block-referers", LATER(""), "referrers that are refused" },
    { "block-user-agents", LATER(""), "browsers that are refused" },
    { "brotli-level", MACHINE("4"), "brotli_comp_level" },
    { "brotli-min-length", MACHINE("20"), "brotli_min_length" },
    { "brotli-types", MACHINE(""), "brotli_types" },
    { "client-body-timeout", MACHINE("60"), "client_body_timeout" },
    { "client-header-buffer-size", MACHINE("1k"), "client_header_buffer_size" },
    { "client-header-timeout", MACHINE("60"), "client_header_timeout" },
    { "compute-full-forwarded-for", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(compute_full_forwarded_for),
      0, 0, NULL, "false",
      "X-Forwarded-For is appended to" },
    { "debug-connections", MACHINE(""), "debug_connection" },
    { "default-type", MACHINE("text/html"), "default_type" },
    { "disable-access-log", MACHINE("false"), "access_log off" },
    { "disable-http-access-log", MACHINE("false"), "access_log off" },
    { "disable-ipv6", MACHINE("false"), "listen" },
    { "disable-ipv6-dns", MACHINE("false"), "torii_resolver" },
    { "disable-stream-access-log", MACHINE("false"), "access_log off" },
    { "enable-access-log-for-default-backend", LATER("false"),
      "log of the default backend" },
    { "enable-auth-access-log", LATER("false"), "log of login requests" },
    { "enable-brotli", MACHINE("false"), "the brotli module" },
    { "enable-modsecurity", UNSAFE, ingress_set_bool, D(modsecurity),
      0, 0, NULL, "false", "web application firewall" },
    { "enable-multi-accept", MACHINE("true"), "multi_accept" },
    { "enable-ocsp", LATER("false"), "OCSP stapling" },
    { "enable-owasp-modsecurity-crs", LATER("false"),
      "rules of the web application firewall" },
    { "enable-real-ip", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(enable_real_ip),
      0, 0, NULL, "false",
      "client address from forwarded-for-header" },
    { "enable-serial-reloads", NOTHING("false"), "nothing reloads" },
    { "enable-syslog", MACHINE("false"), "access_log syslog:..." },
    { "enable-underscores-in-headers", MACHINE("false"),
      "underscores_in_headers" },
    { "error-log-level", MACHINE("notice"), "error_log" },
    { "error-log-path", MACHINE("/var/log/nginx/error.log"), "error_log" },
    { "forwarded-for-header", ENFORCED(DEFAULT),
      0, ingress_set_text, G(forwarded_for_header),
      0, 128, &ingress_header_chars, "X-Forwarded-For",
      "header with the client's address" },
    { "generate-request-id", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(generate_request_id),
      0, 0, NULL, "true",
      "X-Request-ID where the client sends none" },
    { "geoip2-autoreload-in-minutes", LATER("0"), "places of clients" },
    { "global-allowed-response-headers", LATER(""),
      "names for custom-headers" },
    { "global-auth-always-set-cookie", ENFORCED(DENY),
      0, ingress_set_flag, S(set_cookie),
      0, 0, NULL, "false",
      "cookies of the login service with any answer" },
    { "global-auth-cache-duration", ENFORCED(DENY),
      LOGIN | LINES, ingress_set_login_durations, 0,
      0, 0, NULL, "200 202 401 5m",
      "how long login answers are kept" },
    { "global-auth-cache-key", ENFORCED(DEFAULT),
      0, ingress_set_login_key, 0,
      0, 0, NULL, "",
      "login answers are kept by this key, with Cookie and Authorization" },
    { "global-auth-method", ENFORCED(DENY),
      0, ingress_set_login_method, 0,
      0, 0, NULL, "",
      "method of the login request" },
    { "global-auth-request-redirect", ENFORCED(DENY),
      0, ingress_set_login_redirect, 0,
      0, 0, NULL, "",
      "X-Auth-Request-Redirect" },
    { "global-auth-response-headers", ENFORCED(DENY),
      LINES, ingress_set_login_headers, 0,
      0, 0, NULL, "",
      "headers of the login service for the backend" },
    { "global-auth-signin", ENFORCED(DEFAULT),
      0, ingress_set_login_signin, 0,
      0, 0, NULL, "",
      "where browsers are sent to log in" },
    { "global-auth-signin-redirect-param", ENFORCED(DEFAULT),
      LOGIN, ingress_set_text, D(config.login.record.signin_param),
      0, 64, &ingress_param_chars, "rd",
      "parameter of the way back" },
    { "global-auth-snippet", ENFORCED(DENY),
      LINES, ingress_set_login_snippet, 0,
      0, 0, NULL, "",
      "only proxy_set_header and proxy_..._timeout of the login request" },
    { "global-auth-url", ENFORCED(DENY),
      0, ingress_set_login_url, 0,
      0, 0, NULL, "",
      "login for every Ingress" },
    { "grpc-buffer-size-kb", LATER("0"), "buffers of gRPC" },
    { "gzip-disable", MACHINE(""), "gzip_disable" },
    { "gzip-level", MACHINE("1"), "gzip_comp_level" },
    { "gzip-min-length", MACHINE("256"), "gzip_min_length" },
    { "gzip-types", MACHINE(""), "gzip_types" },
    { "hide-headers", LATER(""), "headers of backends removed" },
    { "hsts", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(hsts),
      0, 0, NULL, "true",
      "Strict-Transport-Security on https" },
    { "hsts-include-subdomains", ENFORCED(DEFAULT),
      0, ingress_set_bool, D(hsts_subdomains),
      0, 0, NULL, "true",
      "https for names below, too" },
    { "hsts-max-age", ENFORCED(DEFAULT),
      0, ingress_set_number, D(hsts_max_age),
      0, UINT32_MAX, NULL, "31536000",
      "seconds that browsers stay with https" },
    { "hsts-preload", ENFORCED(DEFAULT),
      0, ingress_set_bool, D(hsts_preload),
      0, 0, NULL, "false",
      "browsers may list the host" },
    { "http-access-log-path", MACHINE(""), "access_log" },
    { "http-redirect-code", ENFORCED(DEFAULT),
      0, ingress_config_code, G(redirect_code),
      0, 0, NULL, "308",
      "status of redirects to https and www" },
    { "http-snippet", SNIPPET, "write it into nginx.conf" },
    { "http2-max-concurrent-streams", MACHINE("128"),
      "http2_max_concurrent_streams" },
    { "ignore-invalid-headers", MACHINE("true"), "ignore_invalid_headers" },
    { "keep-alive", MACHINE("75"), "keepalive_timeout" },
    { "keep-alive-requests", MACHINE("1000"), "keepalive_requests" },
    { "large-client-header-buffers", MACHINE("4 8k"),
      "large_client_header_buffers" },
    { "limit-conn-status-code", LATER("503"), "status of a limited client" },
    { "limit-conn-zone-variable", LATER("$binary_remote_addr"),
      "what a client is" },
    { "limit-req-status-code", LATER("503"), "status of a limited request" },
    { "location-snippet", SNIPPET, "write it into nginx.conf" },
    { "log-format-escape-json", MACHINE("false"),
      "log_format ... escape=json" },
    { "log-format-escape-none", MACHINE("false"),
      "log_format ... escape=none" },
    { "log-format-stream", MACHINE(""), "log_format" },
    { "log-format-upstream", MACHINE(""), "log_format" },
    { "lua-shared-dicts", NOTHING(""), "there is no Lua" },
    { "main-snippet", SNIPPET, "write it into nginx.conf" },
    { "map-hash-bucket-size", MACHINE("64"), "map_hash_bucket_size" },
    { "max-worker-connections", MACHINE("16384"), "worker_connections" },
    { "max-worker-open-files", MACHINE("0"), "worker_rlimit_nofile" },
    { "modsecurity-snippet", SNIPPET,
      "there is no web application firewall" },
    { "no-auth-locations", ENFORCED(DEFAULT),
      LINES, ingress_config_no_auth, 0,
      0, 0, NULL, "/.well-known/acme-challenge",
      "paths of Ingresses that need no login" },
    { "no-tls-redirect-locations", ENFORCED(DEFAULT),
      LINES, ingress_config_paths, 0,
      0, 0, NULL, "/.well-known/acme-challenge",
      "paths that are not redirected to https" },
    { "opentelemetry-config", LATER(""), "tracing" },
    { "otel-max-export-batch-size", LATER("512"), "tracing" },
    { "otel-max-queuesize", LATER("2048"), "tracing" },
    { "otel-sampler", LATER("AlwaysOn"), "tracing" },
    { "otel-sampler-parent-based", LATER("true"), "tracing" },
    { "otel-sampler-ratio", LATER("0.01"), "tracing" },
    { "otel-schedule-delay-millis", LATER("5000"), "tracing" },
    { "otel-service-name", LATER("nginx"), "tracing" },
    { "otlp-collector-host", LATER(""), "tracing" },
    { "otlp-collector-port", LATER("4317"), "tracing" },
    { "proxy-add-original-uri-header", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(add_original_uri_header),
      0, 0, NULL, "false",
      "X-Original-URI for backends" },
    { "proxy-headers-hash-bucket-size", MACHINE("64"),
      "proxy_headers_hash_bucket_size" },
    { "proxy-headers-hash-max-size", MACHINE("512"),
      "proxy_headers_hash_max_size" },
    { "proxy-protocol-header-timeout", NOTHING("5s"),
      "NGINX has its own timeout" },
    { "proxy-real-ip-cidr", ENFORCED(TRUST),
      LINES, ingress_set_networks, G(real_ip_networks),
      0, 0, NULL, "0.0.0.0/0,::/0",
      "peers whose forwarded-for-header is believed" },
    { "proxy-set-headers", LATER(""), "headers for backends" },
    { "proxy-ssl-location-only", LATER("false"),
      "proxy-ssl-* of a path stay with it anyway" },
    { "proxy-stream-next-upstream", LATER("true"), "TCP services" },
    { "proxy-stream-next-upstream-timeout", LATER("600s"), "TCP services" },
    { "proxy-stream-next-upstream-tries", LATER("3"), "TCP services" },
    { "proxy-stream-responses", LATER("1"), "UDP services" },
    { "proxy-stream-timeout", LATER("600s"), "TCP services" },
    { "retry-non-idempotent", ENFORCED(DEFAULT),
      0, ingress_set_bool, D(retry_non_idempotent),
      0, 0, NULL, "false",
      "POST and PATCH are tried again, too" },
    { "reuse-port", MACHINE("true"), "listen ... reuseport" },
    { "server-name-hash-bucket-size", MACHINE(""),
      "server_names_hash_bucket_size" },
    { "server-name-hash-max-size", MACHINE("1024"),
      "server_names_hash_max_size" },
    { "server-snippet", SNIPPET, "write it into nginx.conf" },
    { "server-tokens", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(server_tokens),
      0, 0, NULL, "false",
      "send a Server header" },
    { "skip-access-log-urls", LATER(""), "paths that are not logged" },
    { "ssl-buffer-size", MACHINE("4k"), "ssl_buffer_size" },
    { "ssl-ciphers", MACHINE(""), "ssl_ciphers" },
    { "ssl-dh-param", MACHINE(""), "ssl_dhparam" },
    { "ssl-early-data", MACHINE("false"), "ssl_early_data" },
    { "ssl-ecdh-curve", MACHINE("auto"), "ssl_ecdh_curve" },
    { "ssl-protocols", MACHINE("TLSv1.2 TLSv1.3"), "ssl_protocols" },
    { "ssl-reject-handshake", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(ssl_reject_handshake),
      0, 0, NULL, "false",
      "no TLS for unknown names" },
    { "ssl-session-cache", MACHINE("true"), "ssl_session_cache" },
    { "ssl-session-cache-size", MACHINE("10m"), "ssl_session_cache" },
    { "ssl-session-ticket-key", MACHINE(""), "ssl_session_ticket_key" },
    { "ssl-session-tickets", MACHINE("false"), "ssl_session_tickets" },
    { "ssl-session-timeout", MACHINE("10m"), "ssl_session_timeout" },
    { "stream-access-log-path", MACHINE(""), "access_log" },
    { "stream-snippet", SNIPPET, "write it into nginx.conf" },
    { "strict-validate-path-type", ENFORCED(DEFAULT),
      0, ingress_set_bool, D(strict_path_type),
      0, 0, NULL, "true",
      "Exact and Prefix paths are plain" },
    { "syslog-host", MACHINE(""), "access_log syslog:..." },
    { "syslog-port", MACHINE("514"), "access_log syslog:..." },
    { "torii-oauth2", ENFORCED(DENY),
      0, ingress_set_login_provider, D(config.provider_namespace),
      0, 0, NULL, "",
      "NAMESPACE/NAME: the provider of logins that name none" },
    { "upstream-keepalive-connections", LATER("320"),
      "idle connections to backends" },
    { "upstream-keepalive-requests", LATER("10000"), "their requests" },
    { "upstream-keepalive-time", LATER("1h"), "their age" },
    { "upstream-keepalive-timeout", LATER("60"), "their idle time" },
    { "use-forwarded-headers", ENFORCED(DEFAULT),
      0, ingress_set_bool, G(use_forwarded_headers),
      0, 0, NULL, "false",
      "believe X-Forwarded-* of the peer" },
    { "use-geoip2", LATER("false"), "places of clients" },
    { "use-gzip", MACHINE("false"), "gzip" },
    { "use-http2", MACHINE("true"), "listen ... http2" },
    { "use-proxy-protocol", MACHINE("false"), "listen ... proxy_protocol" },
    { "variables-hash-bucket-size", MACHINE("256"),
      "variables_hash_bucket_size" },
    { "variables-hash-max-size", MACHINE("2048"), "variables_hash_max_size" },
    { "worker-cpu-affinity", MACHINE(""), "worker_cpu_affinity" },
    { "worker-processes", MACHINE("auto"), "worker_processes" },
    { "worker-shutdown-timeout", MACHINE("240s"), "worker_shutdown_timeout" },
};

#define INGRESS_CONFIG_N                                                      \
    (sizeof(ingress_config_rows) / sizeof(ingress_config_rows[0]))


int
ingress_config_known(torii_str_t name)
{
    return ingress_setting_find(ingress_config_rows, INGRESS_CONFIG_N, name)
           != NULL;
}


void
ingress_config_each(ingress_setting_visit_pt visit, void *data)
{
    uint32_t                i;
    ingress_setting_info_t  info;

    for (i = 0; i < INGRESS_CONFIG_N; i++) {
        ingress_setting_info(&ingress_config_rows[i], &info);
        visit(data, &info);
    }
}


/*
 * Strings of the policy come first into the final pool, so that the version
 * need not change with what only the whole gateway has.
 */

ingress_config_t *
ingress_config_parse(const ingress_object_t *cm, ingress_findings_t *findings)
{
    uint32_t                 i;
    torii_buf_t              pool;
    ingress_setter_t         s;
    ingress_config_t        *config;
    ingress_config_draft_t  *draft;

    draft = torii_zalloc(sizeof(ingress_config_draft_t));
    config = &draft->config;
    config->arena = torii_arena_create(1024);

    memset(&pool, 0, sizeof(torii_buf_t));
    memset(&s, 0, sizeof(ingress_setter_t));

    s.policy = &config->policy;
    s.login = &config->login;
    s.pool = &pool;
    s.findings = findings;

    ingress_config_defaults(&s, draft);

    s.object = cm;

    for (i = 0; cm && i < cm->u.configmap.data.n; i++) {
        ingress_config_key(&s, draft, &cm->u.configmap.data.elts[i]);
    }

    ingress_config_finish(&s, draft);

    ingress_policy_move(&config->policy, pool.data, &config->pool);
    ingress_config_login(&s, draft, &pool);
    ingress_config_version(config);

    s.pool = &config->pool;
    ingress_config_global(&s, draft, &pool);

    torii_buf_free(&pool);

    return config;
}


/* The configuration is the first member of what was allocated. */

void
ingress_config_free(ingress_config_t *config)
{
    if (config == NULL) {
        return;
    }

    torii_arena_destroy(config->arena);
    torii_buf_free(&config->pool);
    free(config);
}


static void
ingress_config_defaults(ingress_setter_t *s, ingress_config_draft_t *draft)
{
    uint32_t                  i;
    const ingress_setting_t  *row;

    s->base = s->policy;
    ingress_annotation_defaults(s);

    s->base = draft;

    for (i = 0; i < INGRESS_CONFIG_N; i++) {
        row = &ingress_config_rows[i];

        if (row->state == INGRESS_ENFORCED && row->value[0] != '\0'
            && !(row->flags & INGRESS_SETTING_LOGIN))
        {
            (void) ingress_setting_apply(s, row, torii_str(row->value));
        }
    }
}


static void
ingress_config_key(ingress_setter_t *s, ingress_config_draft_t *draft,
    const ingress_pair_t *pair)
{
    int                       rc;
    const ingress_setting_t  *row;

    s->field = pair->name;
    s->value = pair->value;
    s->line = pair->line;

    row = ingress_setting_find(ingress_config_rows, INGRESS_CONFIG_N,
                               pair->name);
    s->base = draft;

    if (row == NULL) {
        row = ingress_annotation_config(pair->name);
        s->base = s->policy;
    }

    if (row == NULL) {
        ingress_config_unknown(s, pair->name);
        return;
    }

    rc = ingress_setting_apply(s, row, pair->value);

    if (rc == TORII_OK || row->bad != INGRESS_BAD_DENY) {
        return;
    }

    /* what protects, but is wrong, holds like what is not supported */

    if (row->state == INGRESS_LATER) {
        *((uint8_t *) draft + row->offset) = 1;

    } else if (torii_str_starts(pair->name, "global-auth-")
               || torii_str_starts(pair->name, "torii-"))
    {
        draft->global_auth = 1;

    } else if (s->base == s->policy
               && row->offset == offsetof(ingress_policy_t, allow))
    {
        draft->config.deny_allow = 1;

    } else {
        draft->config.deny_blocked = 1;
    }
}


static void
ingress_config_unknown(ingress_setter_t *s, torii_str_t name)
{
    unsigned                  distance;
    const ingress_setting_t  *near;

    near = NULL;

    if (s->unknown++ < 32) {
        near = ingress_setting_near(ingress_config_rows, INGRESS_CONFIG_N,
                                    name, &distance);
        if (near == NULL) {
            near = ingress_annotation_config_near(name);
        }
    }

    if (near) {
        ingress_setter_finding(s, INGRESS_WARNING, "UnknownConfig",
                               "is no key of the ConfigMap and is ignored; did "
                               "you mean \"%s\"?", near->name);
        return;
    }

    ingress_setter_finding(s, INGRESS_WARNING, "UnknownConfig",
                           "is no key of the ConfigMap; it is ignored");
}


static void
ingress_config_finish(ingress_setter_t *s, ingress_config_draft_t *draft)
{
    ingress_config_t  *config;

    config = &draft->config;

    config->cross_namespace = draft->cross_namespace;
    config->strict_path_type = draft->strict_path_type;
    config->retry_non_idempotent = draft->retry_non_idempotent;
    config->deny_global_auth = draft->global_auth
                               && ingress_config_has_login(s);
    config->deny_modsecurity = draft->modsecurity;

    if (config->retry_non_idempotent
        && !(config->policy.next_upstream & INGRESS_NEXT_OFF))
    {
        config->policy.next_upstream |= INGRESS_NEXT_NON_IDEMPOTENT;
    }

    ingress_config_block(s, draft);
    ingress_setting_buffers(s);
    ingress_login_finish_config(s);
}


/* Whether one is asked for, be it in words that are wrong. */

static int
ingress_config_has_login(const ingress_setter_t *s)
{
    const ingress_pair_t  *pair;

    if (s->object == NULL) {
        return 0;
    }

    pair = ingress_pair_find(&s->object->u.configmap.data, "global-auth-url");

    return pair && torii_str_trim(pair->value).len;
}


/* block-cidrs is one more deny list, where an Ingress has none of its own. */

static void
ingress_config_block(ingress_setter_t *s, ingress_config_draft_t *draft)
{
    uint32_t            n;
    torii_str_t         block, denied;
    ingress_network_t  *list;

    block = ingress_pool_str(s->pool, draft->block);
    denied = ingress_pool_str(s->pool, s->policy->deny_list);

    if (block.len == 0) {
        return;
    }

    list = torii_malloc(block.len + denied.len);

    memcpy(list, block.data, block.len);
    memcpy((unsigned char *) list + block.len, denied.data, denied.len);

    n = (block.len + denied.len) / sizeof(ingress_network_t);
    n = ingress_network_sort(list, n);

    s->policy->deny_list = ingress_pool_add(s->pool, list,
                                            n * sizeof(ingress_network_t));
    free(list);
}


static void
ingress_config_version(ingress_config_t *config)
{
    uint8_t   flags[6];
    uint64_t  hash;

    flags[0] = config->cross_namespace;
    flags[1] = config->retry_non_idempotent;
    flags[2] = config->deny_allow;
    flags[3] = config->deny_blocked;
    flags[4] = config->deny_global_auth;
    flags[5] = config->deny_modsecurity;

    hash = torii_hash(&config->policy, sizeof(ingress_policy_t), 0);
    hash = torii_hash(&config->login, sizeof(ingress_login_setting_t), hash);
    hash = torii_hash(config->pool.data, config->pool.len, hash);
    hash = torii_hash(flags, sizeof(flags), hash);

    config->version = hash;
}


static void
ingress_config_global(ingress_setter_t *s, ingress_config_draft_t *draft,
    const torii_buf_t *from)
{
    int                len;
    char               value[80];
    ingress_global_t  *global;

    global = &draft->config.global;

    global->forwarded_for_header =
        ingress_setter_str(s, ingress_pool_str(from,
                                               global->forwarded_for_header));
    global->real_ip_networks =
        ingress_setter_str(s, ingress_pool_str(from,
                                               global->real_ip_networks));

    len = snprintf(value, sizeof(value), "max-age=%u%s%s",
                   (unsigned) draft->hsts_max_age,
                   draft->hsts_subdomains ? "; includeSubDomains" : "",
                   draft->hsts_preload ? "; preload" : "");

    global->hsts_value = ingress_pool_add(s->pool, value, len);
}


static int
ingress_config_code(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    size_t  i;

    static const uint16_t  codes[] = { 301, 302, 307, 308 };
    static const char *const  texts[] = { "301", "302", "307", "308" };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (torii_str_eqs(value, texts[i])) {
            *ingress_setter_field(s, row, uint16_t) = codes[i];
            return TORII_OK;
        }
    }

    return ingress_setter_why(s, "is no redirect; write 301, 302, 307 or 308");
}


static int
ingress_config_paths(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    ingress_config_t  *config;

    config = s->base;

    return ingress_config_list(s, value, &config->no_tls_redirect,
                               &config->n_no_tls_redirect);
}


static int
ingress_config_no_auth(ingress_setter_t *s, const ingress_setting_t *row,
    torii_str_t value)
{
    ingress_config_t  *config;

    config = s->base;

    return ingress_config_list(s, value, &config->no_auth, &config->n_no_auth);
}


static int
ingress_config_list(ingress_setter_t *s, torii_str_t value,
    torii_str_t **list, uint32_t *count)
{
    uint32_t           n;
    torii_str_t        rest, path, paths[INGRESS_PATHS_MAX];
    ingress_config_t  *config;

    n = 0;
    rest = value;
    config = s->base;

    while (torii_str_next(&rest, ",", &path)) {
        path = torii_str_trim(path);

        if (path.len == 0) {
            continue;
        }

        if (path.data[0] != '/' || torii_str_has_control(path)
            || n == INGRESS_PATHS_MAX)
        {
            return ingress_setter_why(s, "is not a list of paths; begin each "
                                      "with \"/\" and separate them by commas");
        }

        paths[n++] = path;
    }

    *list = torii_arena_alloc(config->arena, n * sizeof(torii_str_t) + 1);
    *count = n;

    while (n--) {
        (*list)[n] = torii_arena_str(config->arena, paths[n]);
    }

    return TORII_OK;
}


/* What the login depends on counts for the version, as the policy does. */

static void
ingress_config_login(ingress_setter_t *s, ingress_config_draft_t *draft,
    const torii_buf_t *from)
{
    torii_str_t        namespace, name;
    ingress_config_t  *config;

    config = &draft->config;

    ingress_login_move(&config->login, from->data, ingress_login_to_pool,
                       &config->pool);

    namespace = ingress_pool_str(from, config->provider_namespace);
    name = ingress_pool_str(from, config->provider);

    config->provider_namespace = ingress_pool_add(&config->pool,
                                                  namespace.data,
                                                  namespace.len);
    config->provider = ingress_pool_add(&config->pool, name.data, name.len);
}
