
/*
 * The options of a provider, by a table of their names: those of OAuth2 Proxy,
 * and some of our own.  One that cannot be had says why, and what there is
 * instead.
 */

#include "oauth2_settings_option.h"


#define OAUTH2_SETTING_MAX  (64 * 1024)      /* bytes of a value */


#define OAUTH2_AT(field)        offsetof(oauth2_settings_t, field)
#define OAUTH2_TEXT(name, field)                                              \
    { name, oauth2_option_text, OAUTH2_AT(field), 0, NULL }
#define OAUTH2_SECONDS(name, field)                                           \
    { name, oauth2_option_seconds, OAUTH2_AT(field), 0, NULL }
#define OAUTH2_HEADER(name, bit)                                              \
    { name, oauth2_option_header, 0, bit, NULL }
#define OAUTH2_FLAG(name, flag)                                               \
    { name, oauth2_option_flag, 0, flag, NULL }
#define OAUTH2_ONLY(name, value)                                              \
    { name, oauth2_option_only, 0, 0, value }
#define OAUTH2_REFUSED(name, why)                                             \
    { name, oauth2_option_refused, 0, 0, why }
#define OAUTH2_STRINGS(name, field, n)                                        \
    { name, oauth2_option_strings, OAUTH2_AT(field), OAUTH2_AT(n), NULL }
#define OAUTH2_LIST(name, field)                                              \
    { name, oauth2_option_list, OAUTH2_AT(field), 0, NULL }
#define OAUTH2_RULE(name, read)                                               \
    { name, read, 0, 0, NULL }


#define OAUTH2_NO_FILE(name)                                                  \
    "names a file: the value itself goes into \"" name "\""
#define OAUTH2_NO_URL                                                         \
    "is not taken: the endpoints are those that oidc-issuer-url tells of, or " \
    "are below it (GitHub Enterprise)"
#define OAUTH2_NO_BASIC                                                       \
    "is not taken: backends get X-Forwarded-User, or a token by "             \
    "pass-authorization-header"
#define OAUTH2_NO_ADDRESS                                                     \
    "is not taken: the client's address is that which nginx has (the "        \
    "ConfigMap's use-forwarded-headers and proxy-real-ip-cidr)"
#define OAUTH2_NO_GROUPS                                                      \
    "is not supported: use oidc-groups-claim and allowed-group"
#define OAUTH2_NO_PROVIDER                                                    \
    "is of a provider that is not supported; one with OpenID Connect works "  \
    "as \"oidc\""
#define OAUTH2_NO_PAGES                                                       \
    "is not supported: pages of a login are the gateway's own"
#define OAUTH2_NO_SERVER                                                      \
    "is not for a provider: listening, TLS, limits and logs are the "         \
    "gateway's own settings"
#define OAUTH2_NO_UPSTREAM                                                    \
    "is not for a provider: backends are those of the Ingress"
#define OAUTH2_NO_REDIS                                                       \
    "is not supported: sessions are kept by the one server that "             \
    "redis-connection-url names"
#define OAUTH2_NO_STATE                                                       \
    "is fixed: each login has a cookie of its own, SameSite as its answer "   \
    "needs it, for ten minutes"


static void oauth2_settings_unknown(oauth2_reading_t *o, torii_str_t name);


static const oauth2_option_t  oauth2_options[] = {

    /* the provider */

    OAUTH2_RULE("provider", oauth2_option_provider),
    OAUTH2_TEXT("provider-display-name", title),
    { "provider-ca", oauth2_option_ca, OAUTH2_AT(ca), 0, NULL },
    OAUTH2_TEXT("oidc-issuer-url", provider.issuer),
    OAUTH2_TEXT("client-id", provider.client_id),
    { "client-secret", oauth2_option_lines,
      OAUTH2_AT(provider.secrets), OAUTH2_SECRETS_MAX, NULL },
    OAUTH2_TEXT("scope", provider.scope),
    OAUTH2_RULE("prompt", oauth2_option_prompt),
    OAUTH2_TEXT("oidc-email-claim", provider.email_claim),
    OAUTH2_TEXT("oidc-groups-claim", provider.groups_claim),
    OAUTH2_STRINGS("oidc-extra-audience", provider.audiences,
                   provider.naudiences),
    OAUTH2_STRINGS("oidc-extra-claims", claims, nclaims),
    OAUTH2_RULE("oidc-enabled-signing-alg", oauth2_option_algs),
    OAUTH2_ONLY("oidc-audience-claim", "aud"),
    OAUTH2_ONLY("user-id-claim", "sub"),
    OAUTH2_ONLY("code-challenge-method", "S256"),
    OAUTH2_ONLY("insecure-oidc-skip-nonce", "false"),
    OAUTH2_ONLY("insecure-oidc-skip-issuer-verification", "false"),
    OAUTH2_ONLY("skip-oidc-discovery", "false"),
    OAUTH2_ONLY("ssl-insecure-skip-verify", "false"),
    OAUTH2_ONLY("skip-claims-from-profile-url", "false"),
    OAUTH2_FLAG("insecure-oidc-allow-unverified-email",
                OAUTH2_FLAG_UNVERIFIED),
    OAUTH2_FLAG("allow-insecure-loopback", OAUTH2_FLAG_LOOPBACK),

    /* cookies and sessions */

    { "cookie-secret", oauth2_option_lines,
      OAUTH2_AT(secrets), OAUTH2_KEYS_MAX, NULL },
    OAUTH2_TEXT("cookie-name", cookie.name),
    OAUTH2_TEXT("cookie-path", cookie.path),
    OAUTH2_STRINGS("cookie-domain", domains, ndomains),
    OAUTH2_SECONDS("cookie-expire", life.absolute),
    OAUTH2_SECONDS("cookie-idle", life.idle),
    OAUTH2_RULE("cookie-refresh", oauth2_option_refresh),
    OAUTH2_SECONDS("max-stale", max_stale),
    OAUTH2_FLAG("cookie-secure", OAUTH2_FLAG_SECURE),
    OAUTH2_ONLY("cookie-httponly", "true"),
    OAUTH2_RULE("cookie-samesite", oauth2_option_site),
    OAUTH2_ONLY("cookie-csrf-per-request", "true"),
    OAUTH2_FLAG("session-cookie-minimal", OAUTH2_FLAG_MINIMAL),
    OAUTH2_RULE("session-store-type", oauth2_option_store),
    OAUTH2_RULE("redis-connection-url", oauth2_option_redis),
    { "redis-ca", oauth2_option_ca, OAUTH2_AT(redis_ca), 0, NULL },

    /* who may log in */

    OAUTH2_LIST("email-domain", policy.domains),
    OAUTH2_LIST("authenticated-emails", policy.emails),
    OAUTH2_LIST("allowed-group", policy.groups),
    OAUTH2_LIST("google-hosted-domain", provider.hosted),
    OAUTH2_LIST("github-org", provider.orgs),
    OAUTH2_LIST("github-team", provider.teams),
    OAUTH2_LIST("github-user", provider.users),
    OAUTH2_LIST("gitlab-group", provider.members),
    OAUTH2_LIST("gitlab-project", provider.projects),

    /* paths, and how clients are answered */

    OAUTH2_RULE("proxy-prefix", oauth2_option_prefix),
    OAUTH2_RULE("redirect-url", oauth2_option_redirect),
    OAUTH2_RULE("whitelist-domain", oauth2_option_whitelist),
    OAUTH2_RULE("response-mode", oauth2_option_mode),
    OAUTH2_FLAG("skip-provider-button", OAUTH2_FLAG_BUTTON),
    OAUTH2_RULE("skip-auth-route", oauth2_option_skip),
    OAUTH2_FLAG("skip-auth-preflight", OAUTH2_FLAG_PREFLIGHT),
    OAUTH2_RULE("api-route", oauth2_option_api),
    OAUTH2_FLAG("force-json-errors", OAUTH2_FLAG_JSON),
    OAUTH2_FLAG("login-in-frames", OAUTH2_FLAG_FRAMES),
    OAUTH2_FLAG("end-session", OAUTH2_FLAG_END_SESSION),
    OAUTH2_RULE("post-logout-redirect-url", oauth2_option_logout),

    /* headers */

    OAUTH2_HEADER("pass-user-headers", OAUTH2_PASS_USER),
    OAUTH2_HEADER("set-xauthrequest", OAUTH2_PASS_XAUTH),
    OAUTH2_HEADER("pass-access-token", OAUTH2_PASS_ACCESS_TOKEN),
    OAUTH2_HEADER("pass-authorization-header", OAUTH2_PASS_AUTHORIZATION),
    OAUTH2_HEADER("set-authorization-header", OAUTH2_SET_AUTHORIZATION),
    OAUTH2_HEADER("prefer-email-to-user", OAUTH2_PREFER_EMAIL),
    OAUTH2_HEADER("skip-auth-strip-headers", OAUTH2_STRIP_HEADERS),
    OAUTH2_FLAG("pass-all-groups", OAUTH2_FLAG_GROUPS),
    OAUTH2_ONLY("pass-basic-auth", "false"),
    OAUTH2_ONLY("set-basic-auth", "false"),
    OAUTH2_REFUSED("basic-auth-password", OAUTH2_NO_BASIC),

    /* clients that are programs */

    OAUTH2_FLAG("skip-jwt-bearer-tokens", OAUTH2_FLAG_BEARER),
    OAUTH2_RULE("extra-jwt-issuers", oauth2_option_issuers),
    OAUTH2_ONLY("bearer-token-login-fallback", "true"),

    /* who may use it: read before it gets here */

    { "allowed-namespaces", NULL, 0, 0, NULL },

    /* what a Secret holds itself */

    OAUTH2_REFUSED("client-secret-file", OAUTH2_NO_FILE("client-secret")),
    OAUTH2_REFUSED("cookie-secret-file", OAUTH2_NO_FILE("cookie-secret")),
    OAUTH2_REFUSED("provider-ca-file", OAUTH2_NO_FILE("provider-ca")),
    OAUTH2_REFUSED("provider-ca-files", OAUTH2_NO_FILE("provider-ca")),
    OAUTH2_REFUSED("authenticated-emails-file",
                   OAUTH2_NO_FILE("authenticated-emails")),
    OAUTH2_REFUSED("use-system-trust-store", "is not taken: the machine's "
                   "authorities are trusted where provider-ca is not given"),
    OAUTH2_REFUSED("config", "names a file: its options are keys of this "
                   "Secret"),
    OAUTH2_REFUSED("alpha-config", "names a file: its options are keys of "
                   "this Secret"),

    /* of the provider */

    OAUTH2_REFUSED("login-url", OAUTH2_NO_URL),
    OAUTH2_REFUSED("redeem-url", OAUTH2_NO_URL),
    OAUTH2_REFUSED("profile-url", OAUTH2_NO_URL),
    OAUTH2_REFUSED("validate-url", OAUTH2_NO_URL),
    OAUTH2_REFUSED("oidc-jwks-url", OAUTH2_NO_URL),
    OAUTH2_REFUSED("backend-logout-url", "is not taken: the provider's "
                   "session ends at its own end_session_endpoint, see "
                   "end-session"),
    OAUTH2_REFUSED("oidc-public-key-file", "is not taken: keys are those that "
                   "the provider tells of, which may change"),
    OAUTH2_REFUSED("acr-values", "is not supported: use a client at the "
                   "provider that asks for the level of its own"),
    OAUTH2_REFUSED("approval-prompt", "is not of OpenID Connect: use prompt"),
    OAUTH2_REFUSED("resource", OAUTH2_NO_PROVIDER),
    OAUTH2_REFUSED("jwt-key", OAUTH2_NO_PROVIDER),
    OAUTH2_REFUSED("jwt-key-file", OAUTH2_NO_PROVIDER),
    OAUTH2_REFUSED("pubjwk-url", OAUTH2_NO_PROVIDER),
    OAUTH2_REFUSED("azure-tenant", "is not taken: oidc-issuer-url has the "
                   "tenant in it, with provider \"entra-id\""),
    OAUTH2_REFUSED("azure-graph-group-field", OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("entra-id-allowed-tenant", "is not taken: oidc-issuer-url "
                   "has the tenant in it"),
    OAUTH2_REFUSED("entra-id-federated-token-auth", "is not supported: use a "
                   "client-secret"),
    OAUTH2_REFUSED("allowed-role", OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("keycloak-group", OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("google-group", "is not supported: use "
                   "google-hosted-domain or authenticated-emails"),
    OAUTH2_REFUSED("google-admin-email", OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("google-service-account-json", OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("google-use-application-default-credentials",
                   OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("google-target-principal", OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("google-use-organization-id", OAUTH2_NO_GROUPS),
    OAUTH2_REFUSED("github-repo", "is not supported: use github-org, "
                   "github-team or github-user"),
    OAUTH2_REFUSED("github-token", "is not supported: use github-org, "
                   "github-team or github-user"),
    OAUTH2_REFUSED("bitbucket-team", OAUTH2_NO_PROVIDER),
    OAUTH2_REFUSED("bitbucket-repository", OAUTH2_NO_PROVIDER),

    /* of cookies */

    OAUTH2_REFUSED("cookie-csrf-expire", OAUTH2_NO_STATE),
    OAUTH2_REFUSED("cookie-csrf-samesite", OAUTH2_NO_STATE),
    OAUTH2_REFUSED("cookie-csrf-per-request-limit", OAUTH2_NO_STATE),
    OAUTH2_REFUSED("encode-state", OAUTH2_NO_STATE),

    OAUTH2_REFUSED("redis-ca-path", OAUTH2_NO_FILE("redis-ca")),
    OAUTH2_REFUSED("redis-password", "is part of redis-connection-url"),
    OAUTH2_REFUSED("redis-username", "is part of redis-connection-url"),
    OAUTH2_REFUSED("redis-insecure-skip-tls-verify", "is not supported: "
                   "redis-ca names the authority that is trusted"),
    OAUTH2_REFUSED("redis-connection-idle-timeout", OAUTH2_NO_REDIS),
    OAUTH2_REFUSED("redis-use-sentinel", OAUTH2_NO_REDIS),
    OAUTH2_REFUSED("redis-sentinel-master-name", OAUTH2_NO_REDIS),
    OAUTH2_REFUSED("redis-sentinel-password", OAUTH2_NO_REDIS),
    OAUTH2_REFUSED("redis-sentinel-connection-urls", OAUTH2_NO_REDIS),
    OAUTH2_REFUSED("redis-use-cluster", OAUTH2_NO_REDIS),
    OAUTH2_REFUSED("redis-cluster-connection-urls", OAUTH2_NO_REDIS),

    /* of what is there without it */

    OAUTH2_REFUSED("htpasswd-file", "is not supported here: use the "
                   "annotations auth-type \"basic\" and auth-secret"),
    OAUTH2_REFUSED("htpasswd-user-group", "is not supported here: use the "
                   "annotations auth-type \"basic\" and auth-secret"),
    OAUTH2_REFUSED("display-htpasswd-form", "is not supported here: use the "
                   "annotations auth-type \"basic\" and auth-secret"),
    OAUTH2_REFUSED("skip-auth-regex", "is called skip-auth-route, and a "
                   "pattern there is of the whole path"),
    OAUTH2_REFUSED("trusted-ip", "is not supported here: use the annotations "
                   "whitelist-source-range and satisfy"),
    OAUTH2_REFUSED("trusted-proxy-ip", OAUTH2_NO_ADDRESS),
    OAUTH2_REFUSED("real-client-ip-header", OAUTH2_NO_ADDRESS),
    OAUTH2_REFUSED("reverse-proxy", OAUTH2_NO_ADDRESS),
    OAUTH2_REFUSED("relative-redirect-url", "is not taken: each host has a "
                   "callback of its own where redirect-url is not given"),
    OAUTH2_REFUSED("force-https", "is not supported here: use the annotation "
                   "ssl-redirect or force-ssl-redirect"),
    OAUTH2_REFUSED("signature-key", "is not supported: backends that want to "
                   "be sure use a token, by pass-authorization-header"),
    OAUTH2_REFUSED("upstream", OAUTH2_NO_UPSTREAM),
    OAUTH2_REFUSED("upstreams", OAUTH2_NO_UPSTREAM),
    OAUTH2_REFUSED("upstream-timeout", OAUTH2_NO_UPSTREAM),
    OAUTH2_REFUSED("flush-interval", OAUTH2_NO_UPSTREAM),
    OAUTH2_REFUSED("pass-host-header", OAUTH2_NO_UPSTREAM),
    OAUTH2_REFUSED("proxy-websockets", OAUTH2_NO_UPSTREAM),
    OAUTH2_REFUSED("disable-keep-alives", OAUTH2_NO_UPSTREAM),
    OAUTH2_REFUSED("ssl-upstream-insecure-skip-verify", OAUTH2_NO_UPSTREAM),

    /* of pages */

    OAUTH2_REFUSED("banner", OAUTH2_NO_PAGES),
    OAUTH2_REFUSED("footer", OAUTH2_NO_PAGES),
    OAUTH2_REFUSED("custom-sign-in-logo", OAUTH2_NO_PAGES),
    OAUTH2_REFUSED("custom-templates-dir", OAUTH2_NO_PAGES),
    OAUTH2_REFUSED("show-debug-on-error", OAUTH2_NO_PAGES),

    /* of the process */

    OAUTH2_REFUSED("http-address", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("https-address", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("metrics-address", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("metrics-secure-address", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("metrics-tls-cert-file", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("metrics-tls-key-file", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("tls-cert-file", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("tls-key-file", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("tls-min-version", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("tls-cipher-suite", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("ping-path", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("ping-user-agent", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("ready-path", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("gcp-healthchecks", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("request-id-header", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("allow-query-semicolons", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("auth-logging", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("auth-logging-format", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("request-logging", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("request-logging-format", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("standard-logging", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("standard-logging-format", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("errors-to-info-log", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("exclude-logging-path", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("silence-ping-logging", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("logging-filename", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("logging-max-size", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("logging-max-age", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("logging-max-backups", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("logging-local-time", OAUTH2_NO_SERVER),
    OAUTH2_REFUSED("logging-compress", OAUTH2_NO_SERVER)
};

#define OAUTH2_OPTIONS  (sizeof(oauth2_options) / sizeof(oauth2_options[0]))

/* seen[] has one for each */
typedef char  oauth2_options_fit[OAUTH2_OPTIONS <= OAUTH2_OPTIONS_MAX ? 1 : -1];


void
oauth2_settings_failed(oauth2_reading_t *o, const char *name, const char *text)
{
    o->failed = 1;
    o->error(o->data, torii_str(name), text);
}


/* "_" for "-", as the configuration file of OAuth2 Proxy has it. */

static torii_str_t
oauth2_settings_name(oauth2_reading_t *o, torii_str_t name)
{
    size_t  i;

    name = torii_arena_str(o->arena, name);

    for (i = 0; i < name.len; i++) {
        if (name.data[i] == '_') {
            name.data[i] = '-';
        }
    }

    return name;
}


static const char *
oauth2_settings_value(oauth2_reading_t *o, size_t i, torii_str_t value)
{
    if (o->seen[i]) {
        return "is given twice, once with \"_\"";
    }

    o->seen[i] = 1;

    if (value.len > OAUTH2_SETTING_MAX) {
        return "is too long";
    }

    o->option = &oauth2_options[i];

    return o->option->read ? o->option->read(o, value) : NULL;
}


void
oauth2_settings_option(oauth2_reading_t *o, const oauth2_setting_t *in)
{
    size_t       i;
    const char  *error;
    torii_str_t  name;

    name = oauth2_settings_name(o, in->name);

    for (i = 0; i < OAUTH2_OPTIONS; i++) {

        if (torii_str_eqs(name, oauth2_options[i].name)) {
            error = oauth2_settings_value(o, i, torii_str_trim(in->value));

            if (error) {
                oauth2_settings_failed(o, oauth2_options[i].name, error);
            }

            return;
        }
    }

    oauth2_settings_unknown(o, name);
}


/* What cannot be had is nobody's hint. */

static void
oauth2_settings_unknown(oauth2_reading_t *o, torii_str_t name)
{
    size_t       i;
    unsigned     distance, best;
    const char  *near;

    best = 4;
    near = NULL;

    for (i = 0; i < OAUTH2_OPTIONS; i++) {

        if (oauth2_options[i].read == oauth2_option_refused) {
            continue;
        }

        distance = torii_str_distance(name, torii_str(oauth2_options[i].name),
                                      best);
        if (distance < best) {
            best = distance;
            near = oauth2_options[i].name;
        }
    }

    o->failed = 1;

    o->error(o->data, name,
             near ? (char *) torii_arena_printf(o->arena, "is not known; is "
                                                "\"%s\" meant?", near).data
                  : "is not known");
}
