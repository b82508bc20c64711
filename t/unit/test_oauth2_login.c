
/*
 * A login in the browser, from the redirect to the callback and to the logout;
 * and the description of a provider that it needs.
 */

#include <openssl/err.h>

#include "oauth2_form.h"
#include "oauth2_login.h"
#include "oauth2_logout.h"
#include "tap.h"


#define TEST_NOW   1795000000
#define TEST_NAME  "__Host-torii"
#define TEST_CB    "https://app.example/oauth2/callback"


typedef struct {
    uint32_t      n;
    torii_str_t   lines[40];
} test_lines_t;


static torii_arena_t      *test_arena;
static oauth2_ring_t      *test_ring;
static oauth2_provider_t   test_p;
static oauth2_cookie_t     test_cookie;
static oauth2_login_t      test_login;


static void
test_add(void *data, torii_str_t line)
{
    test_lines_t  *lines;

    lines = data;
    lines->lines[lines->n++] = torii_arena_str(test_arena, line);
}


static torii_str_t
test_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


static void
test_setup(void)
{
    const char   *error;
    torii_str_t   secret;

    secret = torii_str("a secret of the test, which is long enough");
    test_ring = oauth2_ring_create(&secret, 1, &error);

    test_p.type = oauth2_provider_type(torii_str("oidc"));
    test_p.id = torii_str("corp");
    test_p.issuer = torii_str("https://id.example");
    test_p.client_id = torii_str("gw");
    oauth2_provider_init(test_arena, &test_p);
    test_p.endpoints.authorization = torii_str("https://id.example/auth?a=b");
    test_p.endpoints.end_session = torii_str("https://id.example/end");

    test_cookie.name = torii_str(TEST_NAME);
    test_cookie.path = torii_str("/");
    test_cookie.domain = torii_str("");
    test_cookie.same_site = "Strict";
    test_cookie.secure = 1;

    test_login.ring = test_ring;
    test_login.provider = &test_p;
    test_login.cookie = &test_cookie;
    test_login.host = torii_str("app.example");
    test_login.redirect_uri = torii_str(TEST_CB);
}


/* A parameter of a URL. */

static torii_str_t
test_param(torii_str_t url, const char *name)
{
    torii_str_t     base, value;
    oauth2_form_t  *form;

    form = torii_arena_alloc(test_arena, sizeof(oauth2_form_t));

    (void) torii_str_next(&url, "?", &base);
    (void) oauth2_form_read(test_arena, url, form);
    (void) oauth2_form_get(form, name, &value);

    return value;
}


typedef struct {
    torii_str_t   location;
    torii_str_t   state;
    torii_str_t   cookie;              /* "NAME=VALUE" */
    test_lines_t  lines;
} test_start_t;


static void
test_start(const char *rd, torii_str_t line, int64_t now, test_start_t *s)
{
    torii_buf_t  b;
    torii_str_t  rest;

    memset(&b, 0, sizeof(torii_buf_t));
    s->lines.n = 0;

    if (oauth2_login_start(&test_login, torii_str(rd), line, 0, now, &b,
                           test_add, &s->lines) != TORII_OK)
    {
        torii_buf_free(&b);
        return;
    }

    s->location = torii_arena_str(test_arena, test_str(&b));
    s->state = test_param(s->location, "state");

    rest = s->lines.lines[s->lines.n - 1];
    (void) torii_str_next(&rest, ";", &s->cookie);

    torii_buf_free(&b);
}


static void
test_redirect(void)
{
    test_start_t        s;
    torii_buf_t         b;
    torii_str_t         line;
    unsigned char       md[32];
    oauth2_callback_t   cb;

    test_start("/x?y=1", torii_str(""), TEST_NOW, &s);
    line = s.lines.lines[0];

    tap_ok(torii_str_starts(s.location, "https://id.example/auth?a=b&client_id="
                            "gw&response_type=code&redirect_uri=https%3A%2F%2F"
                            "app.example%2Foauth2%2Fcallback&scope=openid%20em"
                            "ail%20profile&state="), "the authorization "
           "request");
    tap_ok(s.state.len == 43 && test_param(s.location, "nonce").len == 43
           && !torii_str_eq(s.state, test_param(s.location, "nonce"))
           && torii_str_eqs(test_param(s.location, "code_challenge_method"),
                            "S256"), "state, nonce and PKCE");

    tap_ok(s.lines.n == 1 && torii_str_starts(line, TEST_NAME ".s.")
           && memcmp(line.data + sizeof(TEST_NAME ".s.") - 1, s.state.data, 8)
              == 0
           && strstr((char *) line.data, "; Path=/; Max-Age=600; Secure; "
                     "HttpOnly; SameSite=Lax"), "the state's cookie");

    tap_ok(oauth2_login_callback(test_arena, &test_login,
                                 torii_arena_printf(test_arena,
                                 "code=a%%2Bb&state=%.*s",
                                 torii_str_arg(s.state)), s.cookie, TEST_NOW,
                                 &cb) == OAUTH2_OK
           && torii_str_eqs(cb.code, "a+b") && torii_str_eqs(cb.rd, "/x?y=1")
           && torii_str_eqs(test_param(s.location, "nonce"), cb.nonce)
           && cb.known, "the callback of it");

    memset(&b, 0, sizeof(torii_buf_t));
    EVP_Digest(cb.verifier, strlen(cb.verifier), md, NULL, EVP_sha256(), NULL);
    torii_base64url_add(&b, md, 32);
    tap_ok(strlen(cb.verifier) == 43
           && torii_str_eq(test_str(&b),
                           test_param(s.location, "code_challenge")),
           "RFC 7636 4.2: the challenge is the verifier's digest");
    torii_buf_free(&b);

    s.lines.n = 0;
    oauth2_login_clear(&test_login, &cb, test_add, &s.lines);
    tap_ok(s.lines.n == 1
           && memcmp(s.lines.lines[0].data, line.data,
                     sizeof(TEST_NAME ".s.12345678=") - 1) == 0
           && strstr((char *) s.lines.lines[0].data, "=; Path=/; Max-Age=0; "
                     "Secure"), "its cookie is cleared");

    test_login.form_post = 1;
    test_start("/", torii_str(""), TEST_NOW, &s);
    tap_ok(strstr((char *) s.lines.lines[0].data, "; SameSite=None")
           && torii_str_eqs(test_param(s.location, "response_mode"),
                            "form_post"), "form_post");
    test_login.form_post = 0;
}


/* In params "S" is the state; in cookie "C" is the state's. */

static const struct {
    const char     *params;
    const char     *cookie;
    int             age;
    oauth2_fail_e   fail;
} test_callbacks[] = {
    { "code=c&state=S", "C", 0, OAUTH2_OK },
    { "code=c&state=S", "a=b; C; c=d", 599, OAUTH2_OK },
    { "code=c&state=S", "C", 600, OAUTH2_STATE_EXPIRED },
    { "code=c&state=S", "", 0, OAUTH2_STATE },
    { "code=c&state=S", TEST_NAME "=x", 0, OAUTH2_STATE },
    { "code=c", "C", 0, OAUTH2_STATE },
    { "state=S", "C", 0, OAUTH2_CALLBACK_CODE },
    { "code=&state=S", "C", 0, OAUTH2_CALLBACK_CODE },
    { "code=a%0ab&state=S", "C", 0, OAUTH2_CALLBACK_CODE },
    { "code=c&state=Sx", "C", 0, OAUTH2_STATE },
    { "code=c&state=", "C", 0, OAUTH2_STATE },
    { "code=c&state=S&state=S", "C", 0, OAUTH2_PARAMETER },
    { "code=c&code=d&state=S", "C", 0, OAUTH2_PARAMETER },
    { "code=c&state=S&iss=https%3A%2F%2Fid.example&iss=x", "C", 0,
      OAUTH2_PARAMETER },
    { "code=c&state=S&iss=https%3A%2F%2Fid.example", "C", 0, OAUTH2_OK },
    { "code=c&state=S&iss=https%3A%2F%2Fid.example%2F", "C", 0,
      OAUTH2_CALLBACK_ISS },
    { "code=c&state=S&iss=", "C", 0, OAUTH2_CALLBACK_ISS },
    { "error=access_denied&state=S", "C", 0, OAUTH2_CALLBACK_ERROR },
    { "error=access_denied&code=c&state=S", "C", 0, OAUTH2_CALLBACK_ERROR },
    { "error=access_denied", "C", 0, OAUTH2_STATE },
    { "error=<script>&state=S", "C", 0, OAUTH2_CALLBACK_ERROR },
    { "error=access_denied&state=S&iss=https%3A%2F%2Fevil.example", "C", 0,
      OAUTH2_CALLBACK_ISS },
    { "code=%zz&state=S", "C", 0, OAUTH2_PARAMETER },
    { "code=%00&state=S", "C", 0, OAUTH2_PARAMETER },
    { "", "C", 0, OAUTH2_STATE },
    { "a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y&z&1&2&3&4&5&6&7&"
      "code=c&state=S", "C", 0, OAUTH2_PARAMETER },
    { NULL, NULL, 0, OAUTH2_OK }
};


static torii_str_t
test_fill(const char *text, char mark, torii_str_t with)
{
    torii_buf_t  b;
    torii_str_t  s;

    memset(&b, 0, sizeof(torii_buf_t));

    for ( ; *text; text++) {
        if (*text == mark && (text[1] == '\0' || strchr("&x;", text[1]))) {
            torii_buf_add_str(&b, with);
        } else {
            torii_buf_add(&b, text, 1);
        }
    }

    torii_buf_add(&b, "", 1);
    b.len--;

    s = torii_arena_str(test_arena, test_str(&b));
    torii_buf_free(&b);

    return s;
}


static void
test_callback(void)
{
    unsigned            i;
    torii_str_t         params, cookie;
    test_start_t        s, t;
    oauth2_fail_e       fail;
    oauth2_callback_t   cb;

    test_start("/x", torii_str(""), TEST_NOW, &s);

    for (i = 0; test_callbacks[i].params; i++) {
        params = test_fill(test_callbacks[i].params, 'S', s.state);
        cookie = test_fill(test_callbacks[i].cookie, 'C', s.cookie);

        fail = oauth2_login_callback(test_arena, &test_login, params, cookie,
                                     TEST_NOW + test_callbacks[i].age, &cb);

        tap_ok(fail == test_callbacks[i].fail
               && (fail == OAUTH2_OK || cb.code.len == 0)
               && (fail == OAUTH2_CALLBACK_ERROR) == (cb.error.len != 0),
               "callback \"%.50s\": %s", test_callbacks[i].params,
               oauth2_fail_name(fail));
    }

    (void) oauth2_login_callback(test_arena, &test_login,
                                 test_fill("error=%3Cb%3E&state=S", 'S',
                                           s.state), s.cookie, TEST_NOW, &cb);
    tap_ok(torii_str_eqs(cb.error, "other"),
           "an error that is not registered is not shown");

    /* the state of one login, the cookie of another */

    test_start("/y", torii_str(""), TEST_NOW, &t);
    params = test_fill("code=c&state=S", 'S', s.state);

    tap_ok(oauth2_login_callback(test_arena, &test_login, params, t.cookie,
                                 TEST_NOW, &cb) == OAUTH2_STATE,
           "another login's cookie");

    cookie = torii_arena_str(test_arena, t.cookie);
    memcpy(cookie.data + sizeof(TEST_NAME ".s.") - 1, s.state.data, 8);
    tap_ok(oauth2_login_callback(test_arena, &test_login, params, cookie,
                                 TEST_NOW, &cb) == OAUTH2_STATE,
           "under the name of this one's");

    cookie = torii_arena_printf(test_arena, "%.*s; %.*s",
                                torii_str_arg(t.cookie),
                                torii_str_arg(s.cookie));
    tap_ok(oauth2_login_callback(test_arena, &test_login, params, cookie,
                                 TEST_NOW, &cb) == OAUTH2_OK
           && torii_str_eqs(cb.rd, "/x"), "two tabs, each its own");

    test_login.host = torii_str("other.example");
    tap_ok(oauth2_login_callback(test_arena, &test_login, params, s.cookie,
                                 TEST_NOW, &cb) == OAUTH2_STATE,
           "on another host");
    test_login.host = torii_str("app.example");

    test_p.id = torii_str("evil");
    tap_ok(oauth2_login_callback(test_arena, &test_login, params, s.cookie,
                                 TEST_NOW, &cb) == OAUTH2_STATE,
           "at another provider's callback");
    test_p.id = torii_str("corp");

    test_p.endpoints.iss_parameter = 1;
    tap_ok(oauth2_login_callback(test_arena, &test_login, params, s.cookie,
                                 TEST_NOW, &cb) == OAUTH2_CALLBACK_ISS
           && cb.known, "without iss, where it was announced");
    test_p.endpoints.iss_parameter = 0;
}


/* The sixth tab ends the first one's login, and junk goes at once. */

static void
test_tabs(void)
{
    unsigned      i;
    torii_str_t   line, first, clear, rest;
    test_start_t  s;

    line = torii_str("");
    first = torii_str("");

    for (i = 0; i < 5; i++) {
        test_start("/", line, TEST_NOW + i, &s);

        if (i == 0) {
            first = s.cookie;
        }

        if (s.lines.n != 1) {
            break;
        }

        line = torii_arena_printf(test_arena, "%.*s%s%.*s",
                                  torii_str_arg(s.cookie), line.len ? "; " : "",
                                  torii_str_arg(line));
    }

    tap_ok(i == 5, "five logins at the same time");

    test_start("/", line, TEST_NOW + 10, &s);
    rest = s.lines.lines[0];
    (void) torii_str_next(&rest, "=", &clear);

    tap_ok(s.lines.n == 2 && clear.len == sizeof(TEST_NAME ".s.12345678") - 1
           && memcmp(clear.data, first.data, clear.len) == 0,
           "the sixth clears the oldest");

    test_start("/", line, TEST_NOW + 601, &s);
    tap_ok(s.lines.n == 3, "those that are too old are cleared");

    line = torii_str("a=b; " TEST_NAME ".s.12345678=junk; " TEST_NAME ".s.=x");
    test_start("/", line, TEST_NOW, &s);
    tap_ok(s.lines.n == 3, "and what does not open");
}


static const struct {
    const char       *method;
    const char       *origin;
    const char       *referer;
    const char       *site;
    oauth2_logout_e   rc;
} test_leavers[] = {
    { "POST", "https://app.example", "", "", OAUTH2_LOGOUT_DO },
    { "POST", "https://APP.example", "", "", OAUTH2_LOGOUT_DO },
    { "POST", "https://evil.example", "", "", OAUTH2_LOGOUT_REFUSE },
    { "POST", "https://app.example.evil.example", "", "",
      OAUTH2_LOGOUT_REFUSE },
    { "POST", "http://app.example", "", "", OAUTH2_LOGOUT_REFUSE },
    { "POST", "null", "", "", OAUTH2_LOGOUT_REFUSE },
    { "POST", "", "https://app.example/", "same-origin",
      OAUTH2_LOGOUT_REFUSE },
    { "GET", "", "", "same-origin", OAUTH2_LOGOUT_DO },
    { "GET", "", "", "none", OAUTH2_LOGOUT_DO },
    { "GET", "", "", "same-site", OAUTH2_LOGOUT_ASK },
    { "GET", "", "https://app.example/", "cross-site", OAUTH2_LOGOUT_ASK },
    { "GET", "", "https://app.example/x", "", OAUTH2_LOGOUT_DO },
    { "GET", "", "https://app.example.evil.example/", "", OAUTH2_LOGOUT_ASK },
    { "GET", "", "", "", OAUTH2_LOGOUT_ASK },
    { "PUT", "https://app.example", "", "", OAUTH2_LOGOUT_REFUSE },
    { NULL, NULL, NULL, NULL, OAUTH2_LOGOUT_DO }
};


static void
test_logout(void)
{
    unsigned           i;
    torii_buf_t        b;
    oauth2_leaver_t    leaver;
    oauth2_request_t   req;

    for (i = 0; test_leavers[i].method; i++) {
        leaver.method = torii_str(test_leavers[i].method);
        leaver.origin = torii_str(test_leavers[i].origin);
        leaver.referer = torii_str(test_leavers[i].referer);
        leaver.fetch_site = torii_str(test_leavers[i].site);
        leaver.self = torii_str("https://app.example");

        tap_ok(oauth2_logout_check(&leaver) == test_leavers[i].rc,
               "logout by %s %d", test_leavers[i].method, i);
    }

    memset(&b, 0, sizeof(torii_buf_t));
    tap_ok(oauth2_logout_url(&test_p, torii_str("i.d.t"),
                             torii_str("https://app.example/"), &b) == TORII_OK
           && torii_str_eqs(test_str(&b), "https://id.example/end?id_token_hin"
                            "t=i.d.t&client_id=gw&post_logout_redirect_uri=htt"
                            "ps%3A%2F%2Fapp.example%2F"),
           "the provider's logout");

    b.len = 0;
    tap_ok(oauth2_logout_revoke(test_arena, &test_p, torii_str("rt"), &b, &req)
           == TORII_DECLINED, "no revocation where there is none");

    test_p.endpoints.revocation = torii_str("https://id.example/revoke");
    tap_ok(oauth2_logout_revoke(test_arena, &test_p, torii_str("r t"), &b,
                                &req) == TORII_OK
           && torii_str_eqs(req.body, "token=r%20t&token_type_hint=refresh_tok"
                            "en&client_id=gw"), "RFC 7009: a revocation");

    test_p.endpoints.end_session = torii_str("");
    tap_ok(oauth2_logout_url(&test_p, torii_str(""), torii_str(""), &b)
           == TORII_DECLINED, "nor a logout");

    torii_buf_free(&b);
}


#define GOOD                                                                  \
    "\"authorization_endpoint\":\"https://id.example/auth\","                 \
    "\"token_endpoint\":\"https://id.example/token\","                        \
    "\"jwks_uri\":\"https://id.example/jwks\""

#define ISSUER  "\"issuer\":\"https://id.example\","

static const struct {
    const char  *doc;
    int          rc;
} test_documents[] = {
    { "{" ISSUER GOOD "}", TORII_OK },
    { "{" ISSUER GOOD ",\"userinfo_endpoint\":null}", TORII_OK },
    { "{" ISSUER GOOD ",\"response_types_supported\":[\"code\"],"
      "\"code_challenge_methods_supported\":[\"plain\",\"S256\"]}", TORII_OK },
    { "{" GOOD "}", TORII_ERROR },
    { "{\"issuer\":\"https://id.example/\"," GOOD "}", TORII_ERROR },
    { "{\"issuer\":\"https://evil.example\"," GOOD "}", TORII_ERROR },
    { "{" ISSUER ISSUER GOOD "}", TORII_ERROR },
    { "{" ISSUER "\"token_endpoint\":\"https://id.example/token\"}",
      TORII_ERROR },
    { "{" ISSUER GOOD ",\"userinfo_endpoint\":\"http://id.example/u\"}",
      TORII_ERROR },
    { "{" ISSUER GOOD ",\"userinfo_endpoint\":1}", TORII_ERROR },
    { "{" ISSUER GOOD ",\"end_session_endpoint\":\"javascript:alert(1)\"}",
      TORII_ERROR },
    { "{" ISSUER GOOD ",\"revocation_endpoint\":\"https://a@b.example\"}",
      TORII_ERROR },
    { "{" ISSUER GOOD ",\"response_types_supported\":[\"id_token\"]}",
      TORII_ERROR },
    { "{" ISSUER GOOD ",\"code_challenge_methods_supported\":[\"plain\"]}",
      TORII_ERROR },
    { "{" ISSUER GOOD ",\"id_token_signing_alg_values_supported\":[\"HS256\","
      "\"none\"]}", TORII_ERROR },
    { "{" ISSUER GOOD ",\"id_token_signing_alg_values_supported\":\"RS256\"}",
      TORII_ERROR },
    { "{" ISSUER GOOD ",\"token_endpoint_auth_methods_supported\":["
      "\"private_key_jwt\"]}", TORII_ERROR },
    { "[]", TORII_ERROR },
    { "<html>", TORII_ERROR },
    { "", TORII_ERROR },
    { NULL, 0 }
};

static const struct {
    const char  *url;
    int          loopback;
    int          ok;
} test_urls[] = {
    { "https://id.example", 0, 1 },
    { "https://id.example:8443/a?b=c", 0, 1 },
    { "https://[2001:db8::1]:8443/a", 0, 1 },
    { "http://id.example", 0, 0 },
    { "http://id.example", 1, 0 },
    { "http://127.0.0.1:9400/a", 0, 0 },
    { "http://127.0.0.1:9400/a", 1, 1 },
    { "http://127.1.2.3", 1, 1 },
    { "http://[::1]:9400", 1, 1 },
    { "http://localhost:9400", 1, 0 },
    { "http://127.0.0.1.evil.example", 1, 0 },
    { "http://127.1", 1, 0 },
    { "http://127.0.0.256", 1, 0 },
    { "http://10.0.0.1", 1, 0 },
    { "https://", 0, 0 },
    { "https:///a", 0, 0 },
    { "https://:443/", 0, 0 },
    { "https://a:0/", 0, 0 },
    { "https://a:65536/", 0, 0 },
    { "https://a:/", 0, 0 },
    { "https://a:b/", 0, 0 },
    { "https://u@a/", 0, 0 },
    { "https://a/#f", 0, 0 },
    { "https://a/\\b", 0, 0 },
    { "https://a/ b", 0, 0 },
    { "https://a\n", 0, 0 },
    { "https://[::1/", 0, 0 },
    { "https://[::1]x/", 0, 0 },
    { "ftp://a/", 0, 0 },
    { "", 0, 0 },
    { NULL, 0, 0 }
};


static void
test_discovery(void)
{
    int                  rc;
    unsigned             i;
    const char          *error;
    torii_buf_t          b;
    oauth2_endpoints_t   e;

    for (i = 0; test_urls[i].url; i++) {
        tap_ok(oauth2_endpoint_ok(torii_str(test_urls[i].url),
                                  test_urls[i].loopback) == test_urls[i].ok,
               "URL %d %s", i, test_urls[i].ok ? "is one" : "is none");
    }

    for (i = 0; test_documents[i].doc; i++) {
        error = NULL;
        rc = oauth2_discovery_read(test_arena, torii_str(test_documents[i].doc),
                                   torii_str("https://id.example"),
                                   TORII_JWA_DEFAULT, 0, &e, &error);

        tap_ok(rc == test_documents[i].rc
               && (rc == TORII_OK) == (error == NULL),
               "discovery %d: %s", i, error ? error : "is used");
    }

    rc = oauth2_discovery_read(test_arena, torii_str("{" ISSUER GOOD ",\"id_tok"
            "en_signing_alg_values_supported\":[\"RS256\",\"ES512\",\"HS256\","
            "\"EdDSA\"],\"token_endpoint_auth_methods_supported\":[\"client_se"
            "cret_post\",\"none\"],\"authorization_response_iss_parameter_supp"
            "orted\":true}"), torii_str("https://id.example"),
            TORII_JWA_DEFAULT, 0, &e, &error);

    tap_ok(rc == TORII_OK && e.algs == (torii_jwa_bit(TORII_JWA_RS256)
                                        |torii_jwa_bit(TORII_JWA_EDDSA))
           && e.auth == (OAUTH2_AUTH_POST|OAUTH2_AUTH_NONE)
           && e.iss_parameter == 1
           && torii_str_eqs(e.jwks, "https://id.example/jwks"),
           "discovery: what is announced and allowed");

    memset(&b, 0, sizeof(torii_buf_t));
    oauth2_discovery_url(torii_str("https://id.example/realms/a/"), &b);
    tap_ok(torii_str_eqs(test_str(&b), "https://id.example/realms/a/.well-know"
                         "n/openid-configuration"), "where the document lies");
    torii_buf_free(&b);

    tap_ok(oauth2_issuer_check(torii_str("https://a/b?c"), 0)
           && !oauth2_issuer_check(torii_str("https://a/b"), 0),
           "an issuer has no query");
}


static void
test_form(void)
{
    torii_buf_t    b;
    torii_str_t    value;
    oauth2_form_t  form;

    static const torii_str_t  nul = { 5, (unsigned char *) "a=b\0c" };

    tap_ok(oauth2_form_read(test_arena, torii_str("a=b+c%2B&&d&e==&%61=f"),
                            &form) == TORII_OK && form.n == 4
           && oauth2_form_get(&form, "a", &value) == TORII_ERROR
           && oauth2_form_get(&form, "d", &value) == TORII_OK && value.len == 0
           && oauth2_form_get(&form, "e", &value) == TORII_OK
           && torii_str_eqs(value, "=")
           && oauth2_form_get(&form, "x", &value) == TORII_DECLINED
           && torii_str_eqs(form.values[0], "b c+"), "a form");

    tap_ok(oauth2_form_read(test_arena, nul, &form) == TORII_ERROR
           && oauth2_form_read(test_arena, torii_str("a=%00"), &form)
              == TORII_ERROR
           && oauth2_form_read(test_arena, torii_str("a=%4"), &form)
              == TORII_ERROR
           && oauth2_form_read(test_arena, torii_str("%g0=a"), &form)
              == TORII_ERROR, "a form with NUL, or a bad \"%%\"");

    memset(&b, 0, sizeof(torii_buf_t));
    torii_buf_adds(&b, "https://a.example/b");
    oauth2_url_add(&b, "c", torii_str("~d/e\xc3\xa9 &"));
    oauth2_url_add(&b, "f", torii_str(""));
    tap_ok(torii_str_eqs(test_str(&b),
                         "https://a.example/b?c=~d%2Fe%C3%A9%20%26&f="),
           "a query");
    torii_buf_free(&b);
}


int
main(void)
{
    test_arena = torii_arena_create(4096);
    test_setup();

    test_redirect();
    test_callback();
    test_tabs();
    test_logout();
    test_discovery();
    test_form();

    tap_ok(ERR_peek_error() == 0, "no error is left behind");

    oauth2_ring_free(test_ring);
    torii_arena_destroy(test_arena);

    return tap_done();
}
