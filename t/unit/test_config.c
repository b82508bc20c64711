
/* The ConfigMap: defaults for annotations, and what is of the gateway. */

#include "setting_make.h"
#include "tap.h"


#define P(field, kind)                                                        \
    { #field, SETTING_##kind,                                                 \
      offsetof(ingress_config_t, policy.field) }
#define G(field, kind)                                                        \
    { #field, SETTING_##kind,                                                 \
      offsetof(ingress_config_t, global.field) }


typedef struct {
    const char  *text;      /* data of the ConfigMap */
    const char  *field;
    const char  *value;
    const char  *reason;    /* of a finding, NULL: there is none at all */
} test_case_t;

typedef struct {
    const char  *config;
    const char  *annotations;
    uint32_t     deny;
    uint32_t     next_upstream;
    const char  *deny_list;
} test_both_t;

typedef struct {
    const char  *a;
    const char  *b;
    int          same;
} test_version_t;


static const setting_field_t  test_fields[] = {
    G(use_forwarded_headers, U8), G(enable_real_ip, U8),
    G(compute_full_forwarded_for, U8), G(hsts, U8), G(server_tokens, U8),
    G(add_original_uri_header, U8), G(generate_request_id, U8),
    G(allow_backend_server_header, U8), G(redirect_code, U16),
    G(ssl_reject_handshake, U8), G(forwarded_for_header, STR),
    G(real_ip_networks, NETWORKS), G(hsts_value, STR),
    P(deny, U32), P(body_size, U64), P(read_timeout, U32), P(ssl_redirect, U8),
    P(allow, NETWORKS), P(deny_list, NETWORKS), P(buffer_size, U32),
    P(busy_buffers_size, U32), P(next_upstream, U32), P(buffering, U8),
    P(redirect_from, STR), P(service_upstream, U8), P(http_version, U8),
    P(cookie_path_to, STR)
};


static const test_case_t  test_cases[] = {
    { "", "use_forwarded_headers", "0", NULL },
    { "", "enable_real_ip", "0", NULL },
    { "", "compute_full_forwarded_for", "0", NULL },
    { "", "hsts", "1", NULL },
    { "", "hsts_value", "max-age=31536000; includeSubDomains", NULL },
    { "", "server_tokens", "0", NULL },
    { "", "add_original_uri_header", "0", NULL },
    { "", "generate_request_id", "1", NULL },
    { "", "allow_backend_server_header", "0", NULL },
    { "", "redirect_code", "308", NULL },
    { "", "ssl_reject_handshake", "0", NULL },
    { "", "forwarded_for_header", "X-Forwarded-For", NULL },
    { "", "real_ip_networks", "::ffff:0.0.0.0/96,::/0", NULL },
    { "", "deny", "0", NULL },

    { "use-forwarded-headers=true", "use_forwarded_headers", "1", NULL },
    { "use-forwarded-headers=yes", "use_forwarded_headers", "0",
      "InvalidConfig" },
    { "enable-real-ip=true", "enable_real_ip", "1", NULL },
    { "compute-full-forwarded-for=true", "compute_full_forwarded_for", "1",
      NULL },
    { "forwarded-for-header=CF-Connecting-IP", "forwarded_for_header",
      "CF-Connecting-IP", NULL },
    { "forwarded-for-header=a b", "forwarded_for_header", "X-Forwarded-For",
      "InvalidConfig" },
    { "proxy-real-ip-cidr=10.0.0.0/8,\n2001:db8::/32\n", "real_ip_networks",
      "::ffff:10.0.0.0/104,2001:db8::/32", NULL },
    { "proxy-real-ip-cidr=nonsense", "real_ip_networks", "", "InvalidConfig" },
    { "proxy-real-ip-cidr=", "real_ip_networks", "::ffff:0.0.0.0/96,::/0",
      NULL },
    { "hsts=false", "hsts", "0", NULL },
    { "hsts-max-age=0|hsts-include-subdomains=false", "hsts_value",
      "max-age=0", NULL },
    { "hsts-preload=true", "hsts_value",
      "max-age=31536000; includeSubDomains; preload", NULL },
    { "hsts-max-age=1y", "hsts_value", "max-age=31536000; includeSubDomains",
      "InvalidConfig" },
    { "server-tokens=true", "server_tokens", "1", NULL },
    { "proxy-add-original-uri-header=true", "add_original_uri_header", "1",
      NULL },
    { "generate-request-id=false", "generate_request_id", "0", NULL },
    { "allow-backend-server-header=true", "allow_backend_server_header", "1",
      NULL },
    { "http-redirect-code=301", "redirect_code", "301", NULL },
    { "http-redirect-code=303", "redirect_code", "308", "InvalidConfig" },
    { "ssl-reject-handshake=true", "ssl_reject_handshake", "1", NULL },

    { "proxy-body-size=0", "body_size", "0", NULL },
    { "proxy-body-size=64MB", "body_size", "1048576", "InvalidConfig" },
    { "proxy-read-timeout=90", "read_timeout", "90000", NULL },
    { "proxy-read-timeout=90s", "read_timeout", "60000", "InvalidConfig" },
    { "ssl-redirect=false", "ssl_redirect", "0", NULL },
    { "whitelist-source-range=10.0.0.0/8", "allow", "::ffff:10.0.0.0/104",
      NULL },
    { "whitelist-source-range=", "allow", "", NULL },
    { "whitelist-source-range=10.0.0.0/88", "deny", "1", "InvalidConfig" },
    { "denylist-source-range=10.0.0.1", "deny_list", "::ffff:10.0.0.1/128",
      NULL },
    { "block-cidrs=11.0.0.1|denylist-source-range=10.0.0.1", "deny_list",
      "::ffff:10.0.0.1/128,::ffff:11.0.0.1/128", NULL },
    { "block-cidrs=x", "deny", "1", "InvalidConfig" },
    { "proxy-buffer-size=16k", "buffer_size", "16384", NULL },
    { "proxy-buffer-size=16k|proxy-busy-buffers-size=8k",
      "busy_buffers_size", "16384", "InvalidConfig" },
    { "retry-non-idempotent=true", "next_upstream", "1027", NULL },
    { "proxy-buffering=on", "buffering", "1", NULL },
    { "proxy-redirect-from=default", "redirect_from", "default", NULL },
    { "service-upstream=true", "service_upstream", "1", NULL },
    { "proxy-http-version=1.0", "http_version", "10", NULL },
    { "proxy-cookie-path=/ /x", "cookie_path_to", "/x", NULL },

    { "global-auth-url=http://a/", "deny", "0", NULL },
    { "global-auth-url=a", "deny", "1", "InvalidConfig" },
    { "global-auth-url=", "deny", "0", NULL },
    { "enable-modsecurity=true", "deny", "2", "UnsupportedConfig" },
    { "enable-modsecurity=false", "deny", "0", NULL },
    { "keep-alive=10", "deny", "0", "UnsupportedConfig" },
    { "keep-alive=75", "deny", "0", NULL },
    { "custom-http-errors=404", "deny", "0", "UnsupportedConfig" },
    { "http-snippet=x", "deny", "0", "SnippetIgnored" },
    { "allow-snippet-annotations=true", "deny", "0", "UnsupportedConfig" },
    { "proxy-bodysize=0", "body_size", "1048576", "UnknownConfig" },
    { "use-forwarded-header=true", "use_forwarded_headers", "0",
      "UnknownConfig" },
    { "backend-protocol=HTTPS", "deny", "0", "UnknownConfig" }
};


static const test_both_t  test_both[] = {
    { "", "", 0, 3, "" },
    { "whitelist-source-range=x", "", 1, 3, "" },
    { "whitelist-source-range=x", "allowlist-source-range=10.0.0.1", 0, 3,
      "" },
    { "whitelist-source-range=x", "denylist-source-range=10.0.0.1", 1, 3,
      "::ffff:10.0.0.1/128" },
    { "denylist-source-range=x", "denylist-source-range=10.0.0.1", 0, 3,
      "::ffff:10.0.0.1/128" },
    { "block-cidrs=10.0.0.1", "", 0, 3, "::ffff:10.0.0.1/128" },
    { "block-cidrs=10.0.0.1", "denylist-source-range=10.0.0.2", 0, 3,
      "::ffff:10.0.0.2/128" },
    { "global-auth-url=a", "", 2, 3, "" },
    { "global-auth-url=a", "enable-global-auth=false", 0, 3, "" },
    { "global-auth-url=a", "enable-global-auth=no", 2, 3, "" },
    { "global-auth-url=a", "auth-url=http://b.example/", 0, 3, "" },
    { "global-auth-method=get", "", 0, 3, "" },
    { "global-auth-url=http://a|global-auth-method=get", "", 2, 3, "" },
    { "torii-oauth2=x", "", 0, 3, "" },
    { "global-auth-url=http://a|torii-oauth2=x", "", 2, 3, "" },
    { "enable-modsecurity=true", "", 2, 3, "" },
    { "enable-modsecurity=true", "enable-modsecurity=false", 0, 3, "" },
    { "enable-modsecurity=maybe", "", 2, 3, "" },
    { "retry-non-idempotent=true", "proxy-next-upstream=http_502", 0, 1040,
      "" },
    { "retry-non-idempotent=true", "proxy-next-upstream=off", 0, 2048, "" },
    { "", "proxy-ssl-secret=other/a|backend-protocol=HTTPS", 1, 3, "" },
    { "allow-cross-namespace-resources=true",
      "proxy-ssl-secret=other/a|backend-protocol=HTTPS", 0, 3, "" }
};


static const test_version_t  test_versions[] = {
    { "", "proxy-body-size=1m", 1 },
    { "", "hsts=false", 1 },
    { "", "forwarded-for-header=X-Real", 1 },
    { "", "proxy-body-size=2m", 0 },
    { "", "retry-non-idempotent=true", 0 },
    { "", "allow-cross-namespace-resources=true", 0 },
    { "", "global-auth-url=http://a", 0 },
    { "global-auth-url=http://a", "global-auth-url=http://b", 0 },
    { "", "torii-oauth2=a/b", 0 },
    { "whitelist-source-range=10.0.0.1", "whitelist-source-range=10.0.0.2", 0 }
};


static ingress_config_t *
test_config(setting_object_t *o, const char *text)
{
    setting_object_make(o, text, "");

    o->object.kind = INGRESS_KIND_CONFIGMAP;
    o->object.u.configmap.data = o->object.annotations;
    o->object.annotations.n = 0;

    return ingress_config_parse(&o->object, &o->findings);
}


static void
test_one(const test_case_t *t)
{
    int                ok;
    char               line[100];
    size_t             i;
    const char        *value;
    torii_buf_t        buf;
    setting_object_t   o;
    ingress_config_t  *config;

    memset(&buf, 0, sizeof(torii_buf_t));
    value = "(no such field)";

    config = test_config(&o, t->text);

    for (i = 0; i < sizeof(test_fields) / sizeof(test_fields[0]); i++) {
        if (strcmp(test_fields[i].name, t->field) == 0) {
            value = setting_field(&buf, &test_fields[i], config,
                                  &config->pool);
        }
    }

    ok = strcmp(value, t->value) == 0
         && (t->reason ? setting_found(&o, t->reason) : o.findings.n == 0);

    tap_ok(ok, "%s is \"%s\" of: %s", t->field, t->value,
           setting_line(t->text, line));

    if (!ok) {
        printf("# it is \"%s\", %u findings\n", value, o.findings.n);
    }

    torii_buf_free(&buf);
    ingress_config_free(config);
    setting_object_free(&o);
}


static void
test_two(const test_both_t *t)
{
    int                    ok;
    torii_buf_t            buf;
    setting_object_t       o, cm;
    ingress_config_t      *config;
    ingress_annotations_t  ann;

    static const setting_field_t  list = P(deny_list, NETWORKS);

    setting_field_t  field;

    memset(&buf, 0, sizeof(torii_buf_t));

    field = list;
    field.offset = offsetof(ingress_policy_t, deny_list);

    config = test_config(&cm, t->config);

    setting_object_make(&o, t->annotations, INGRESS_ANNOTATION_PREFIX);
    ingress_annotations_parse(&ann, &o.object, config, &o.findings);

    ok = ann.policy.deny == t->deny
         && ann.policy.next_upstream == t->next_upstream
         && strcmp(setting_field(&buf, &field, &ann, &ann.pool),
                   t->deny_list) == 0;

    tap_ok(ok, "ConfigMap {%s} and annotations {%s}", t->config,
           t->annotations);

    torii_buf_free(&buf);
    ingress_annotations_free(&ann);
    ingress_config_free(config);
    setting_object_free(&o);
    setting_object_free(&cm);
}


static void
test_version(const test_version_t *t)
{
    setting_object_t   a, b;
    ingress_config_t  *one, *two;

    one = test_config(&a, t->a);
    two = test_config(&b, t->b);

    tap_ok((one->version == two->version) == t->same,
           "{%s} and {%s} are %s to annotations", t->a, t->b,
           t->same ? "one" : "two");

    ingress_config_free(one);
    ingress_config_free(two);
    setting_object_free(&a);
    setting_object_free(&b);
}


static void
test_flags(void)
{
    setting_object_t   o;
    ingress_config_t  *config;

    config = ingress_config_parse(NULL, NULL);

    tap_ok(config->strict_path_type && !config->cross_namespace
           && !config->retry_non_idempotent, "switches by default");
    tap_ok(config->n_no_tls_redirect == 1
           && torii_str_eqs(config->no_tls_redirect[0],
                            "/.well-known/acme-challenge"),
           "one path is not redirected by default");

    ingress_config_free(config);

    config = test_config(&o, "strict-validate-path-type=false|"
                         "no-tls-redirect-locations=/a, /b,");

    tap_ok(!config->strict_path_type && config->n_no_tls_redirect == 2
           && torii_str_eqs(config->no_tls_redirect[1], "/b"),
           "switches and paths as set");

    ingress_config_free(config);
    setting_object_free(&o);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        test_one(&test_cases[i]);
    }

    for (i = 0; i < sizeof(test_both) / sizeof(test_both[0]); i++) {
        test_two(&test_both[i]);
    }

    for (i = 0; i < sizeof(test_versions) / sizeof(test_versions[0]); i++) {
        test_version(&test_versions[i]);
    }

    test_flags();

    return tap_done();
}
