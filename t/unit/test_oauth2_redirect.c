
/*
 * Targets of redirects: what is followed, and the attacks that are not.
 */

#include "oauth2_redirect.h"
#include "tap.h"


#define test_item(s)  { sizeof(s) - 1, (unsigned char *) s }


/* A request to https://app.example.com, with these hosts allowed. */

static const torii_str_t  test_listed[] = {
    test_item("app.example.com"),
    test_item(".corp.example.net"),
    test_item("ops.example.com:8443"),
    test_item("dev.example.com:*")
};

static const torii_str_t  test_allow[] = {
    test_item("/"),
    test_item("/applications"),
    test_item("/applications?view=tree"),
    test_item("/applications/my%2Fapp"),
    test_item("/c/oidc/login?redirect_url=%2Fharbor%2Fprojects"),
    test_item("/a?next=https://app.example.com//x"),
    test_item("/a?u=//evil.com"),
    test_item("/#/about"),
    test_item("/a#//evil.com"),
    test_item("/~user/.hidden"),
    test_item("/a.b/..c/d.."),
    test_item("/a;v=1/b"),
    test_item("/caf%C3%A9"),
    test_item("/a|b{c}"),
    test_item("/oauth2x/ok"),
    test_item("https://app.example.com"),
    test_item("https://app.example.com/"),
    test_item("https://APP.example.com/x"),
    test_item("HTTPS://app.example.com/x"),
    test_item("https://app.example.com:443/x"),
    test_item("https://app.example.com?x=1"),
    test_item("https://app.example.com#f"),
    test_item("https://corp.example.net/x"),
    test_item("https://a.b.corp.example.net/x?y=//z"),
    test_item("https://ops.example.com:8443/x"),
    test_item("https://dev.example.com:31337/x"),
    test_item("https://dev.example.com/x")
};

static const torii_str_t  test_deny[] = {
    test_item(""),
    test_item("\011"),
    test_item("//"),
    test_item("//evil.com"),
    test_item("///evil.com"),
    test_item("////evil.com/%2e%2e"),
    test_item("/\\evil.com"),
    test_item("\\evil.com"),
    test_item("\\/evil.com"),
    test_item("/ /evil.com"),
    test_item("/\011/evil.com"),
    test_item("/\012/evil.com"),
    test_item("/\015/evil.com"),
    test_item("/\013/evil.com"),
    test_item("/\014\\evil.com"),
    test_item("/\011\011/\011/evil.com"),
    test_item("/%2f%2fevil.com"),
    test_item("/%2F/evil.com"),
    test_item("/%5cevil.com"),
    test_item("/%5C%5Cevil.com"),
    test_item("/%09/evil.com"),
    test_item("/%0d%0aLocation:%20//evil.com"),
    test_item("/./\\evil.com"),
    test_item("/.//evil.com"),
    test_item("/..//evil.com"),
    test_item("/a/../../evil"),
    test_item("/%2e%2e//evil.com"),
    test_item("/a/%2E%2e/b"),
    test_item("/a//b"),
    test_item("/x\\y"),
    test_item("/\000/evil"),
    test_item("/\303\251"),
    test_item("/%zz"),
    test_item("/oauth2/sign_out"),
    test_item("/oauth2/start?rd=/x"),
    test_item("/OAuth2/callback"),
    test_item("/%6fauth2/start"),
    test_item("evil.com"),
    test_item("evil.com/app.example.com"),
    test_item("app.example.com/x"),
    test_item(".evil.com"),
    test_item("./x"),
    test_item("../x"),
    test_item("?x=1"),
    test_item("#x"),
    test_item("javascript:alert(1)"),
    test_item("JaVaScRiPt:alert(1)"),
    test_item("java\011script:alert(1)"),
    test_item("data:text/html,x"),
    test_item("vbscript:x"),
    test_item("file:///etc/passwd"),
    test_item("ftp://app.example.com/"),
    test_item("blob:https://app.example.com/1"),
    test_item("http:evil.com"),
    test_item("https:evil.com"),
    test_item("https:/evil.com"),
    test_item("https:\\\\evil.com"),
    test_item("https:///evil.com"),
    test_item("https:////app.example.com/"),
    test_item("https://\\evil.com"),
    test_item("http://app.example.com/x"),
    test_item("http://evil.com"),
    test_item("https://evil.com"),
    test_item("https://evil.com/?rd=app.example.com"),
    test_item("https://evil.com#app.example.com"),
    test_item("https://evil.com?.corp.example.net"),
    test_item("https://evil.com\\.corp.example.net"),
    test_item("https://evil.com%2f.corp.example.net/"),
    test_item("https://evil.com%00.corp.example.net/"),
    test_item("https://evil.com\011.corp.example.net"),
    test_item("https://evil.com;.corp.example.net/"),
    test_item("https://evil.com,.corp.example.net/"),
    test_item("https://evilcorp.example.net/"),
    test_item("https://corp.example.net.evil.com/"),
    test_item("https://app.example.com.evil.com/"),
    test_item("https://xapp.example.com/"),
    test_item("https://sub.app.example.com/"),
    test_item("https://app.example.com./x"),
    test_item("https://app.example.com@evil.com/"),
    test_item("https://app.example.com:443@evil.com/"),
    test_item("https://app.example.com%40evil.com/"),
    test_item("https://user:pw@app.example.com/"),
    test_item("https://@app.example.com/"),
    test_item("https://evil.com\\@app.example.com/"),
    test_item("https://evil.com/@app.example.com/"),
    test_item("https://app.example.com:8080/"),
    test_item("https://app.example.com:/x"),
    test_item("https://app.example.com:0/"),
    test_item("https://app.example.com:99999/"),
    test_item("https://app.example.com:443:80/"),
    test_item("https://app.example.com:80abc/"),
    test_item("https://ops.example.com/"),
    test_item("https://ops.example.com:8444/"),
    test_item("https://dev.example.com:*/"),
    test_item("https://.corp.example.net/"),
    test_item("https://..corp.example.net/"),
    test_item("https://*.corp.example.net/"),
    test_item("https://a_b.corp.example.net/"),
    test_item("https://[::1]/"),
    test_item("https://[::1].corp.example.net/"),
    test_item("https://127.0.0.1/"),
    test_item("https://2130706433/"),
    test_item("https://0x7f.1/"),
    test_item("https://app.example\343\200\202com/"),
    test_item("https://\357\275\201pp.example.com/"),
    test_item("https://app.example.com/../x"),
    test_item("https://app.example.com//evil.com"),
    test_item("https://app.example.com/\\evil.com"),
    test_item("https://app.example.com/oauth2/sign_out"),
    test_item(" https://app.example.com/"),
    test_item("https://app.example.com/ x"),
    test_item("https://app.example.com/\015\012Set-Cookie:a=b")
};


/* What is written differs from what came. */

static const struct {
    const char  *rd;
    const char  *to;
} test_rewritten[] = {
    { "https://APP.example.com/x", "https://app.example.com/x" },
    { "HTTPS://app.example.com/x", "https://app.example.com/x" },
    { "https://app.example.com:443/x", "https://app.example.com/x" },
    { "https://app.example.com", "https://app.example.com/" },
    { "https://app.example.com?x=1", "https://app.example.com/?x=1" },
    { "https://app.example.com#f", "https://app.example.com/#f" },
    { "https://ops.example.com:8443/x", "https://ops.example.com:8443/x" },
    { "/a?next=https://app.example.com//x",
      "/a?next=https://app.example.com//x" },
    { NULL, NULL }
};


static void
test_conf(oauth2_redirect_t *conf)
{
    memset(conf, 0, sizeof(oauth2_redirect_t));

    conf->host = torii_str("app.example.com");
    conf->prefix = torii_str("/oauth2");
    conf->allowed = test_listed;
    conf->nallowed = sizeof(test_listed) / sizeof(test_listed[0]);
}


static int
test_check(const oauth2_redirect_t *conf, torii_str_t rd, torii_buf_t *to)
{
    to->len = 0;

    return oauth2_redirect_check(conf, rd, to);
}


static void
test_lists(const oauth2_redirect_t *conf)
{
    size_t       i;
    torii_buf_t  to;

    memset(&to, 0, sizeof(torii_buf_t));

    for (i = 0; i < sizeof(test_allow) / sizeof(test_allow[0]); i++) {
        tap_ok(test_check(conf, test_allow[i], &to) == TORII_OK && to.len,
               "allowed: %.*s", torii_str_arg(test_allow[i]));
    }

    for (i = 0; i < sizeof(test_deny) / sizeof(test_deny[0]); i++) {
        tap_ok(test_check(conf, test_deny[i], &to) == TORII_ERROR
               && to.len == 0, "refused: number %zu", i);
    }

    torii_buf_free(&to);
}


static void
test_rewrite(const oauth2_redirect_t *conf)
{
    unsigned     i;
    torii_buf_t  to;
    torii_str_t  s;

    memset(&to, 0, sizeof(torii_buf_t));

    for (i = 0; test_rewritten[i].rd; i++) {
        (void) test_check(conf, torii_str(test_rewritten[i].rd), &to);
        s.data = to.data;
        s.len = to.len;

        tap_ok(torii_str_eqs(s, test_rewritten[i].to), "%s is written as %s",
               test_rewritten[i].rd, test_rewritten[i].to);
    }

    torii_buf_free(&to);
}


static void
test_others(oauth2_redirect_t *conf)
{
    char         text[2100];
    torii_buf_t  to;

    memset(&to, 0, sizeof(torii_buf_t));
    memset(text, 'a', sizeof(text));

    text[0] = '/';
    text[2048] = '\0';
    tap_ok(test_check(conf, torii_str(text), &to) == TORII_OK,
           "2048 bytes are not too many");

    text[2048] = 'a';
    text[2049] = '\0';
    tap_ok(test_check(conf, torii_str(text), &to) == TORII_ERROR,
           "2049 are");

    to.len = 0;
    tap_ok(oauth2_redirect_logout(conf, torii_str("/oauth2/sign_in"), &to)
           == TORII_OK, "a logout may lead to the sign-in page");
    tap_ok(oauth2_redirect_logout(conf, torii_str("/oauth2/sign_in?rd=/x"),
                                  &to)
           == TORII_OK, "with a query");

    to.len = 0;
    tap_ok(oauth2_redirect_logout(conf, torii_str("/oauth2/sign_out"), &to)
           == TORII_ERROR
           && oauth2_redirect_logout(conf, torii_str("/oauth2/sign_in/x"), &to)
              == TORII_ERROR
           && oauth2_redirect_logout(conf, torii_str("//evil.com"), &to)
              == TORII_ERROR && to.len == 0, "and nowhere else");

    conf->port = 8443;
    tap_ok(test_check(conf, torii_str("https://app.example.com:8443/"), &to)
           == TORII_OK, "the request's own port");
    conf->port = 0;

    conf->http = 1;
    tap_ok(test_check(conf, torii_str("http://app.example.com/x"), &to)
           == TORII_OK
           && test_check(conf, torii_str("http://app.example.com:443/x"), &to)
              == TORII_ERROR
           && test_check(conf, torii_str("http://evil.com/x"), &to)
              == TORII_ERROR, "http only if the cookie is not Secure");

    conf->http = 0;
    conf->nallowed = 0;
    tap_ok(test_check(conf, torii_str("https://app.example.com/"), &to)
           == TORII_OK
           && test_check(conf, torii_str("https://a.corp.example.net/"), &to)
              == TORII_ERROR, "without a list: the request's own host");

    torii_buf_free(&to);
}


int
main(void)
{
    oauth2_redirect_t  conf;

    test_conf(&conf);

    test_lists(&conf);
    test_rewrite(&conf);
    test_others(&conf);

    return tap_done();
}
