
/*
 * Options of a provider: each is understood, or refused by a sentence; nothing
 * is ignored, and no text tells of a value.
 */

#include <stdlib.h>

#include "oauth2_settings.h"
#include "tap.h"


#define TEST_PAIRS   16
#define TEST_SECRET  "cookie-secret=0123456789abcdef0123456789abcdef"
#define TEST_FOUR    "0123456789abcdef0123456789abcdef\n"                     \
                     "1123456789abcdef0123456789abcdef\n"                     \
                     "2123456789abcdef0123456789abcdef\n"                     \
                     "3123456789abcdef0123456789abcdef"
#define TEST_BASE    "client-id=app|client-secret=s3cr3t-of-the-client|"      \
                     TEST_SECRET "|"
#define TEST_OIDC    TEST_BASE "oidc-issuer-url=https://op.example|"
#define TEST_EXTRA   "skip-jwt-bearer-tokens=true|extra-jwt-issuers="


typedef struct {
    char                buf[4096];
    char                told[256];     /* "name: text" of the first fault */
    uint32_t            faults;
    torii_arena_t      *arena;
    oauth2_settings_t   settings;
} test_read_t;


static test_read_t  test;


static void
test_told(void *data, torii_str_t name, const char *text)
{
    test_read_t  *t;

    t = data;

    if (t->faults++ == 0) {
        (void) snprintf(t->told, sizeof(t->told), "%.*s: %s",
                        torii_str_arg(name), text);
    }
}


/* "name=value|name=value", as the settings of "ns/corp". */

static int
test_read(const char *text)
{
    uint32_t          n;
    torii_str_t       rest, piece, name;
    oauth2_setting_t  in[TEST_PAIRS];

    if (test.arena) {
        torii_arena_destroy(test.arena);
    }

    test.arena = torii_arena_create(4096);
    test.faults = 0;
    test.told[0] = '\0';

    (void) snprintf(test.buf, sizeof(test.buf), "%s", text);
    rest = torii_str(test.buf);
    n = 0;

    while (rest.len && torii_str_next(&rest, "|", &piece) && n < TEST_PAIRS) {

        if (piece.len == 0) {
            continue;
        }

        (void) torii_str_next(&piece, "=", &name);
        in[n].name = name;
        in[n++].value = piece;
    }

    return oauth2_settings_read(test.arena, torii_str("ns/corp"), in, n,
                                &test.settings, test_told, &test);
}


/* In addition to an issuer and secrets; what is told, NULL: it is taken. */

static const struct {
    const char  *options;
    const char  *told;
} test_options[] = {

    { "", NULL },
    { "provider=oidc", NULL },
    { "provider=keycloak-oidc", NULL },
    { "provider=gitlab|email-domain=*", NULL },
    { "provider=bitbucket", "provider: is no provider" },
    { "provider=", "provider: is no provider" },
    { "provider-display-name=Corp", NULL },
    { "provider-display-name=", "provider-display-name: is empty" },
    { "provider-display-name=a\nb", "provider-display-name: has control" },
    { "provider-ca=-----BEGIN CERTIFICATE-----\nx", NULL },
    { "provider-ca=# corp\n-----BEGIN CERTIFICATE-----\r\nx", NULL },
    { "provider-ca=/etc/ca.pem", "provider-ca: has no certificate" },

    { "scope=openid", NULL },
    { "scope=email openid", NULL },
    { "scope=email openidx", "scope: lacks \"openid\"" },
    { "scope=email", "scope: lacks \"openid\"" },
    { "provider=github|github-user=a|scope=user:email", NULL },
    { "prompt=login", NULL },
    { "prompt=consent select_account", NULL },
    { "prompt=none", "prompt: is \"none\"" },
    { "prompt=login none", "prompt: is \"none\"" },
    { "prompt=Login", "prompt: is none of" },
    { "prompt=", "prompt: is empty" },
    { "oidc-email-claim=mail", NULL },
    { "oidc-groups-claim=/realm_access/roles", NULL },
    { "oidc-groups-claim=", "oidc-groups-claim: is empty" },
    { "oidc-extra-audience=a,b", NULL },
    { "oidc-extra-audience=,", "oidc-extra-audience: is empty" },
    { "oidc-extra-claims=department", NULL },
    { "oidc-enabled-signing-alg=RS256,ES256", NULL },
    { "oidc-enabled-signing-alg=HS256", "oidc-enabled-signing-alg: names" },
    { "oidc-enabled-signing-alg=none", "oidc-enabled-signing-alg: names" },
    { "oidc-enabled-signing-alg=,", "oidc-enabled-signing-alg: is empty" },
    { "oidc-audience-claim=aud", NULL },
    { "oidc-audience-claim=azp", "oidc-audience-claim: can only be \"aud\"" },
    { "user-id-claim=sub", NULL },
    { "user-id-claim=email", "user-id-claim: can only be \"sub\"" },
    { "code-challenge-method=S256", NULL },
    { "code-challenge-method=plain", "code-challenge-method: can only" },
    { "insecure-oidc-skip-nonce=false", NULL },
    { "insecure-oidc-skip-nonce=true", "insecure-oidc-skip-nonce: can only" },
    { "insecure-oidc-skip-issuer-verification=true",
      "insecure-oidc-skip-issuer-verification: can only" },
    { "skip-oidc-discovery=true", "skip-oidc-discovery: can only be" },
    { "ssl-insecure-skip-verify=true", "ssl-insecure-skip-verify: can only" },
    { "insecure-oidc-allow-unverified-email=true", NULL },
    { "insecure-oidc-allow-unverified-email=yes",
      "insecure-oidc-allow-unverified-email: is neither" },
    { "allow-insecure-loopback=true", NULL },

    { "cookie-name=app", NULL },
    { "cookie-name=a b", "cookie-name: is no name" },
    { "cookie-name=__Host-a|cookie-path=/x", "cookie-name: begins with" },
    { "cookie-name=__Secure-a|cookie-secure=false",
      "cookie-name: begins with" },
    { "cookie-path=/x", NULL },
    { "cookie-path=x", "cookie-name: has a domain or path" },
    { "cookie-domain=.corp.example,b.example", NULL },
    { "cookie-domain=.corp.example,b;x", "cookie-domain: has a domain" },
    { "cookie-name=__Host-a|cookie-domain=corp.example",
      "cookie-domain: begins with" },
    { "cookie-expire=168h", NULL },
    { "cookie-expire=1h30m10s", NULL },
    { "cookie-expire=0", "cookie-expire: has to be more than 0" },
    { "cookie-expire=12", "cookie-expire: is no duration" },
    { "cookie-expire=h", "cookie-expire: is no duration" },
    { "cookie-expire=-1h", "cookie-expire: is no duration" },
    { "cookie-expire=1.5h", "cookie-expire: is no duration" },
    { "cookie-expire=1d", "cookie-expire: is no duration" },
    { "cookie-expire=9999h", "cookie-expire: is longer than a year" },
    { "cookie-expire=99999999999999999999h", "cookie-expire: is no duration" },
    { "cookie-expire=", "cookie-expire: is empty" },
    { "cookie-idle=30m", NULL },
    { "cookie-idle=soon", "cookie-idle: is no duration" },
    { "cookie-refresh=1h", NULL },
    { "cookie-refresh=0", NULL },
    { "cookie-refresh=true", NULL },
    { "cookie-refresh=soon", "cookie-refresh: is no duration" },
    { "cookie-refresh=12h", "cookie-refresh: has to be less" },
    { "max-stale=0", NULL },
    { "max-stale=x", "max-stale: is no duration" },
    { "cookie-secure=false", NULL },
    { "cookie-secure=False", "cookie-secure: is neither" },
    { "cookie-httponly=true", NULL },
    { "cookie-httponly=false", "cookie-httponly: can only be \"true\"" },
    { "cookie-samesite=strict", NULL },
    { "cookie-samesite=", "cookie-samesite: is none of" },
    { "cookie-samesite=none|cookie-secure=false", "cookie-name: is for other" },
    { "cookie-csrf-per-request=true", NULL },
    { "cookie-csrf-per-request=false", "cookie-csrf-per-request: can only" },
    { "session-cookie-minimal=true", NULL },
    { "session-cookie-minimal=true|pass-access-token=true",
      "session-cookie-minimal: keeps no tokens" },
    { "session-store-type=memory", "session-store-type: is neither" },
    { "session-store-type=redis", "redis-connection-url: is missing" },
    { "session-store-type=redis|redis-connection-url=redis://r", NULL },
    { "session-store-type=redis|redis-connection-url=r:6379",
      "redis-connection-url: begins neither" },
    { "redis-connection-url=redis://r", "session-store-type: is not" },
    { "redis-use-cluster=true", "redis-use-cluster: is not supported" },

    { "email-domain=*", NULL },
    { "email-domain=", NULL },
    { "authenticated-emails=a@corp.example\nb@corp.example", NULL },
    { "allowed-group=devs,ops", NULL },
    { "google-hosted-domain=corp.example", NULL },
    { "github-org=corp|github-team=corp:devs|github-user=alice", NULL },
    { "gitlab-group=a/b", NULL },
    { "provider=gitlab|gitlab-project=a/b=30", NULL },
    { "provider=gitlab|gitlab-project=a/b=5", "provider: has a project" },
    { "provider=gitlab|gitlab-project=a/b=x", "provider: has a project" },

    { "proxy-prefix=/login", NULL },
    { "proxy-prefix=/login/", NULL },
    { "proxy-prefix=login", "proxy-prefix: is no path" },
    { "proxy-prefix=/", "proxy-prefix: is no path" },
    { "proxy-prefix=/a//b", "proxy-prefix: is no path" },
    { "proxy-prefix=/a/../b", "proxy-prefix: is no path" },
    { "proxy-prefix=/Login", "proxy-prefix: is no path" },
    { "redirect-url=/oauth2/callback", NULL },
    { "redirect-url=https://auth.example/oauth2/callback", NULL },
    { "redirect-url=https://auth.example:8443/oauth2/callback", NULL },
    { "redirect-url=http://auth.example/oauth2/callback",
      "redirect-url: is neither" },
    { "redirect-url=https://auth.example/other", "redirect-url: has another" },
    { "redirect-url=https://auth.example:x/oauth2/callback",
      "redirect-url: is no URL" },
    { "redirect-url=https:///oauth2/callback", "redirect-url: has no host" },
    { "redirect-url=", "redirect-url: is no URL" },
    { "proxy-prefix=/x|redirect-url=/oauth2/callback",
      "redirect-url: has another" },
    { "whitelist-domain=a.example,.b.example,*.c.example:8443,d.example:*",
      NULL },
    { "whitelist-domain=https://a.example", "whitelist-domain: is not of" },
    { "whitelist-domain=a.example/x", "whitelist-domain: is not of" },
    { "whitelist-domain=*", "whitelist-domain: is not of" },
    { "whitelist-domain=a..example", "whitelist-domain: is not of" },
    { "whitelist-domain=a.example.", "whitelist-domain: is not of" },
    { "whitelist-domain=a.*.example", "whitelist-domain: is not of" },
    { "whitelist-domain=a.example:0", "whitelist-domain: is not of" },
    { "whitelist-domain=a.example:65536", "whitelist-domain: is not of" },
    { "whitelist-domain=a.example:", "whitelist-domain: is not of" },
    { "whitelist-domain=:80", "whitelist-domain: is not of" },
    { "whitelist-domain=", "whitelist-domain: is empty" },
    { "response-mode=form_post", NULL },
    { "response-mode=fragment", "response-mode: is neither" },
    { "skip-provider-button=true", NULL },
    { "skip-auth-route=GET=^/public(/.*)?\nPOST=/hook", NULL },
    { "skip-auth-route=GET!=^/admin", "skip-auth-route: is negated" },
    { "skip-auth-route=get=/x", "skip-auth-route: has a method" },
    { "skip-auth-route=GET=(", "skip-auth-route: is not a regular" },
    { "skip-auth-route=GET=", "skip-auth-route: has no pattern" },
    { "skip-auth-preflight=true", NULL },
    { "api-route=^/api,/rest", NULL },
    { "api-route=/a(", "api-route: is not a regular expression" },
    { "api-route=(*UTF)/a", "api-route: is not a regular expression" },
    { "api-route=", "api-route: is empty" },
    { "force-json-errors=true", NULL },
    { "login-in-frames=true", NULL },
    { "end-session=false", NULL },
    { "post-logout-redirect-url=https://a.example/bye", NULL },
    { "post-logout-redirect-url=javascript:alert(1)",
      "post-logout-redirect-url: is no URL" },

    { "pass-user-headers=false", NULL },
    { "pass-user-headers=no", "pass-user-headers: is neither" },
    { "pass-all-groups=true", NULL },
    { "pass-basic-auth=false", NULL },
    { "pass-basic-auth=true", "pass-basic-auth: can only be \"false\"" },
    { "set-basic-auth=true", "set-basic-auth: can only be \"false\"" },
    { "basic-auth-password=x", "basic-auth-password: is not taken" },

    { "skip-jwt-bearer-tokens=true", NULL },
    { TEST_EXTRA "https://a.example=aud", NULL },
    { TEST_EXTRA "https://a.example=x,https://b.example/t=y", NULL },
    { "extra-jwt-issuers=https://a.example=aud",
      "extra-jwt-issuers: is for tokens that only skip-jwt" },
    { TEST_EXTRA "", "extra-jwt-issuers: is empty" },
    { TEST_EXTRA "https://a.example", "extra-jwt-issuers: is not of" },
    { TEST_EXTRA "https://a.example=", "extra-jwt-issuers: is not of" },
    { TEST_EXTRA "=aud", "extra-jwt-issuers: is not of" },
    { TEST_EXTRA "https://a.example=x=y", "extra-jwt-issuers: is not of" },
    { TEST_EXTRA "http://a.example=aud",
      "extra-jwt-issuers: has an issuer that" },
    { TEST_EXTRA "https://a.example?x=aud",
      "extra-jwt-issuers: has an issuer that" },
    { TEST_EXTRA "a.example=aud", "extra-jwt-issuers: has an issuer that" },
    { TEST_EXTRA "https://a=x,https://b=x,https://c=x,https://d=x,https://e=x,"
      "https://f=x,https://g=x,https://h=x", NULL },
    { TEST_EXTRA "https://a=x,https://b=x,https://c=x,https://d=x,https://e=x,"
      "https://f=x,https://g=x,https://h=x,https://i=x",
      "extra-jwt-issuers: has more than 8" },
    { "allowed-namespaces=a,b", NULL },

    /* said twice */

    { "proxy_prefix=/login", NULL },
    { "proxy-prefix=/a|proxy_prefix=/b", "proxy-prefix: is given twice" },
    { "skip-auth-route=/a|skip_auth-route=/b",
      "skip-auth-route: is given twice" },

    /* what there is instead */

    { "client-secret-file=/x", "client-secret-file: names a file: the value "
      "itself goes into \"client-secret\"" },
    { "cookie_secret_file=/x", "cookie-secret-file: names a file" },
    { "provider-ca-file=/x", "provider-ca-file: names a file" },
    { "authenticated-emails-file=/x",
      "authenticated-emails-file: names a file" },
    { "login-url=https://x", "login-url: is not taken" },
    { "redeem-url=https://x", "redeem-url: is not taken" },
    { "oidc-jwks-url=https://x", "oidc-jwks-url: is not taken" },
    { "backend-logout-url=https://x", "backend-logout-url: is not taken" },
    { "htpasswd-file=/x", "htpasswd-file: is not supported here" },
    { "trusted-ip=10.0.0.0/8", "trusted-ip: is not supported here" },
    { "skip-auth-regex=^/x", "skip-auth-regex: is called skip-auth-route" },
    { "upstream=http://x", "upstream: is not for a provider" },
    { "upstreams=http://x", "upstreams: is not for a provider" },
    { "http-address=:4180", "http-address: is not for a provider" },
    { "acr-values=x", "acr-values: is not supported" },
    { "approval-prompt=force", "approval-prompt: is not of OpenID" },
    { "allowed-role=x", "allowed-role: is not supported" },
    { "encode-state=true", "encode-state: is fixed" },
    { "cookie-csrf-expire=5m", "cookie-csrf-expire: is fixed" },
    { "banner=x", "banner: is not supported" },

    /* what nobody knows */

    { "alowed-group=devs", "alowed-group: is not known; is \"allowed-group\" "
      "meant?" },
    { "alowed_group=devs", "alowed-group: is not known; is \"allowed-group\" "
      "meant?" },
    { "Allowed-Group=devs", "Allowed-Group: is not known" },
    { "upstreamx=x", "upstreamx: is not known" },
    { "whatever-else=x", "whatever-else: is not known" },
    { NULL, NULL }
};


/* All that is given. */

static const struct {
    const char  *options;
    const char  *told;
} test_wholes[] = {
    { "", "provider: is missing" },
    { TEST_BASE, "provider: is missing" },
    { TEST_BASE "provider=oidc", "provider: has no issuer" },
    { TEST_BASE "oidc-issuer-url=http://op.example",
      "provider: has an issuer" },
    { TEST_BASE "oidc-issuer-url=http://127.0.0.1:1|"
      "allow-insecure-loopback=true", NULL },
    { TEST_BASE "oidc-issuer-url=http://op.example|"
      "allow-insecure-loopback=true", "provider: has an issuer" },
    { TEST_SECRET "|oidc-issuer-url=https://a.example",
      "provider: has no client id" },
    { "client-id=a|oidc-issuer-url=https://a.example",
      "cookie-secret: is missing" },
    { TEST_SECRET "|client-id=a|oidc-issuer-url=https://a.example", NULL },
    { TEST_SECRET "|client-id=a|oidc-issuer-url=https://a.example|"
      "client-secret=1\n2\n", NULL },
    { TEST_SECRET "|client-id=a|oidc-issuer-url=https://a.example|"
      "client-secret=1\n2\n3", "client-secret: has more lines" },
    { TEST_SECRET "|client-id=a|oidc-issuer-url=https://a.example|"
      "client-secret=\n", "client-secret: is empty" },
    { "cookie-secret=" TEST_FOUR "|client-id=a|"
      "oidc-issuer-url=https://a.example", NULL },
    { "cookie-secret=short|client-id=a|oidc-issuer-url=https://a.example",
      "cookie-secret: " },
    { "cookie-secret=1\n2\n3\n4\n5|client-id=a|"
      "oidc-issuer-url=https://a.example", "cookie-secret: has more lines" },

    /* anybody can have an account there */

    { TEST_BASE "provider=github", "email-domain: is missing" },
    { TEST_BASE "provider=google", "email-domain: is missing" },
    { TEST_BASE "provider=gitlab", "email-domain: is missing" },
    { TEST_BASE "provider=github|email-domain=*", NULL },
    { TEST_BASE "provider=github|github-org=corp", NULL },
    { TEST_BASE "provider=github|allowed-group=corp", NULL },
    { TEST_BASE "provider=google|google-hosted-domain=corp.example", NULL },
    { TEST_BASE "provider=google|google-hosted-domain=corp.example|"
      "skip-jwt-bearer-tokens=true",
      "skip-jwt-bearer-tokens: does not go with" },
    { TEST_BASE "provider=gitlab|gitlab-project=a/b", NULL },
    { TEST_BASE "provider=github|oidc-issuer-url=https://github.corp.example",
      NULL },
    { NULL, NULL }
};


static void
test_one(const char *name, const char *text, const char *told)
{
    int     rc;
    char    line[80];
    size_t  i;

    rc = test_read(text);

    for (i = 0; i + 1 < sizeof(line) && name[i]; i++) {
        line[i] = (unsigned char) name[i] < ' ' ? ' ' : name[i];
    }

    line[i] = '\0';

    if (told == NULL) {
        tap_ok(rc == TORII_OK && test.faults == 0, "taken: \"%s\"%s%s", line,
               test.faults ? ", but " : "", test.told);
        return;
    }

    tap_ok(rc == TORII_ERROR && strncmp(test.told, told, strlen(told)) == 0
           && strstr(test.told, "s3cr3t") == NULL,
           "refused: \"%s\", \"%s\"", line, test.told);
}


static void
test_tables(void)
{
    char      text[4096];
    unsigned  i;

    for (i = 0; test_options[i].options; i++) {
        (void) snprintf(text, sizeof(text), "%s%s", TEST_OIDC,
                        test_options[i].options);
        test_one(test_options[i].options, text, test_options[i].told);
    }

    for (i = 0; test_wholes[i].options; i++) {
        test_one(test_wholes[i].options, test_wholes[i].options,
                 test_wholes[i].told);
    }
}


static void
test_defaults(void)
{
    oauth2_settings_t  *s;

    s = &test.settings;

    (void) test_read(TEST_OIDC);

    tap_ok(torii_str_starts(s->cookie.name, "__Host-torii-")
           && s->cookie.secure && strcmp(s->cookie.same_site, "Lax") == 0,
           "a cookie is __Host-, Secure and Lax");
    tap_ok(s->life.absolute == 12 * 3600 && s->keep == OAUTH2_KEEP_REFRESH
           && s->max_stale == 15 * 60, "twelve hours, a refresh token is kept");
    tap_ok(s->headers == (OAUTH2_PASS_USER|OAUTH2_PASS_XAUTH
                          |OAUTH2_STRIP_HEADERS), "headers of a user");
    tap_ok(!s->all_groups && !s->bearer && !s->preflight && !s->button
           && s->end_session && !s->policy.unverified && s->policy.either,
           "flags are off");
    tap_ok(torii_str_eqs(s->prefix, "/oauth2") && s->redirect_uri.len == 0,
           "each host has its callback");
}


static void
test_meaning(void)
{
    oauth2_settings_t  *s;

    s = &test.settings;

    (void) test_read(TEST_OIDC "cookie-expire=1h30m10s|cookie-refresh=0");
    tap_ok(s->life.absolute == 5410 && s->keep == 0,
           "durations are sums; without a refresh no token is kept");

    (void) test_read(TEST_OIDC "session-cookie-minimal=true");
    tap_ok(s->keep == 0, "a minimal cookie has no token");

    (void) test_read(TEST_OIDC "pass-access-token=true|"
                     "set-authorization-header=true");
    tap_ok(s->keep == (OAUTH2_KEEP_REFRESH|OAUTH2_KEEP_ACCESS|OAUTH2_KEEP_ID),
           "tokens that are passed on are kept");

    (void) test_read(TEST_OIDC "pass-all-groups=true");
    tap_ok(s->all_groups && s->provider.wants_groups,
           "all groups are kept, and asked for");

    (void) test_read(TEST_OIDC "email-domain=");
    tap_ok(s->policy.domains.given && s->policy.domains.n == 0,
           "an empty list lets nobody in");

    (void) test_read(TEST_OIDC "redirect-url=https://Auth.Example:8443"
                     "/oauth2/callback");
    tap_ok(torii_str_eqs(s->callback_host, "auth.example"),
           "the host of the callback, without port");

    (void) test_read(TEST_OIDC "cookie-domain=example.net,.corp.example.net");
    tap_ok(torii_str_eqs(s->cookie.name, "torii-")
           || torii_str_starts(s->cookie.name, "torii-"),
           "a cookie of a domain is not __Host-");
    tap_ok(torii_str_eqs(oauth2_settings_domain(s,
                             torii_str("a.corp.example.net")),
                         "corp.example.net"), "the longest domain");
    tap_ok(oauth2_settings_domain(s, torii_str("evilexample.net")).len == 0,
           "on the boundary of a label");

    (void) test_read(TEST_OIDC "skip-auth-route=GET=/a\n\nPOST,PUT=/b\n"
                     "|api-route=/x,/y");
    tap_ok(s->nskip == 2 && s->skip[1].nmethods == 2 && s->napi == 2,
           "lines are rules");

    (void) test_read(TEST_OIDC TEST_EXTRA "https://a=x, https://b=y\n"
                     "https://a=z");
    tap_ok(s->nissuers == 2 && torii_str_eqs(s->issuers[0].issuer, "https://a")
           && s->issuers[0].naudiences == 2
           && torii_str_eqs(s->issuers[0].audiences[0], "x")
           && torii_str_eqs(s->issuers[0].audiences[1], "z")
           && s->issuers[1].naudiences == 1
           && torii_str_eqs(s->issuers[1].audiences[0], "y"),
           "an issuer has all its audiences, and no other's");
}


/* A list of as many as there may be, and one more. */

static void
test_many(void)
{
    int          i, rc[2];
    char        *value;
    size_t       n;
    torii_str_t  name;

    value = malloc(8192);

    for (i = 0; i < 2; i++) {
        oauth2_setting_t  in;

        for (n = 0; n < 256 + (size_t) i; n++) {
            value[2 * n] = 'a';
            value[2 * n + 1] = ',';
        }

        name = torii_str("oidc-extra-claims");
        in.name = name;
        in.value.data = (unsigned char *) value;
        in.value.len = 2 * n;

        test.faults = 0;
        test.told[0] = '\0';
        (void) oauth2_settings_read(test.arena, torii_str("ns/corp"), &in, 1,
                                    &test.settings, test_told, &test);

        rc[i] = strncmp(test.told, "oidc-extra-claims: has too many", 31) == 0;
    }

    tap_ok(!rc[0] && rc[1], "256 items are taken, 257 are not");

    free(value);
}


int
main(void)
{
    test_tables();
    test_defaults();
    test_meaning();
    test_many();

    torii_arena_destroy(test.arena);

    return tap_done();
}
