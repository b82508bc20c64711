
/*
 * Logins in the table: who is asked who may enter, which objects say so, and
 * what denies.
 */

#include "tap.h"
#include "login_world.h"


/*
 * what is found for host and path: "deny N", "-" nobody is asked, else
 * "[native NS/NAME | external] LOGIN [users NS/NAME a,b]"; a reason, "-": no
 * finding of a login
 */

typedef struct {
    const char  *name;
    const char  *objects;
    const char  *uri;
    const char  *found;
    const char  *finding;
} test_case_t;

static const test_case_t  test_cases[] = {

    { "nobody", WEB(""), "/", "-", "-" },

    /* a provider that is named */

    { "of the namespace", PROVIDER("d/sso") NAMED("sso"),
      "/", "native d/sso param=rd", "-" },
    { "of the namespace, in words", PROVIDER("d/sso") NAMED("d/sso"),
      "/", "native d/sso param=rd", "-" },
    { "that is not there", NAMED("sso"), "/", "deny 4", "Login" },
    { "of another type",
      "secret d/sso Opaque\ndata client-id x\n" NAMED("sso"),
      "/", "deny 4", "Login" },
    { "of another namespace", PROVIDER("other/sso") NAMED("other/sso"),
      "/", "deny 4", "Login" },
    { "of another namespace, which lists this one",
      PROVIDER("other/sso") "data allowed-namespaces x, d\n"
      NAMED("other/sso"),
      "/", "native other/sso param=rd", "-" },
    { "of another namespace, which lists all",
      PROVIDER("other/sso") "data allowed-namespaces *\n"
      NAMED("other/sso"),
      "/", "native other/sso param=rd", "-" },
    { "of another namespace, which lists others",
      PROVIDER("other/sso") "data allowed-namespaces dd\n"
      NAMED("other/sso"),
      "/", "deny 4", "Login" },
    { "of the gateway's namespace", PROVIDER("edge/sso") NAMED("edge/sso"),
      "/", "native edge/sso param=rd", "-" },
    { "of the gateway's namespace, which lists others",
      PROVIDER("edge/sso") "data allowed-namespaces x\n" NAMED("edge/sso"),
      "/", "deny 4", "Login" },
    { "of another namespace, where the ConfigMap allows that",
      "config edge/torii\ndata allow-cross-namespace-resources true\n"
      PROVIDER("other/sso") NAMED("other/sso"),
      "/", "native other/sso param=rd", "-" },
    { "its own lists do not shut out its own namespace",
      PROVIDER("d/sso") "data allowed-namespaces x\n" NAMED("sso"),
      "/", "native d/sso param=rd", "-" },

    /* an auth-url that OAuth2 Proxy answered */

    { "the only one of the namespace",
      PROVIDER("d/sso") PROVIDER("edge/sso") WEB(OWN_URL SIGNIN),
      "/", "native d/sso " OWN, "-" },
    { "the only one of the gateway's namespace",
      PROVIDER("edge/sso") WEB(OWN_URL SIGNIN),
      "/", "native edge/sso " OWN, "-" },
    { "that of the ConfigMap",
      "config edge/torii\ndata torii-oauth2 other/sso\n"
      PROVIDER("other/sso") PROVIDER("edge/a") PROVIDER("edge/b")
      WEB(OWN_URL SIGNIN),
      "/", "native other/sso " OWN, "-" },
    { "that of the ConfigMap, which is not there: not another one",
      "config edge/torii\ndata torii-oauth2 other/sso\n"
      PROVIDER("edge/a") WEB(OWN_URL SIGNIN),
      "/", ASKED, "LoginProvider" },
    { "none: OAuth2 Proxy is still asked", WEB(OWN_URL SIGNIN),
      "/", ASKED, "-" },
    { "none of another namespace, whatever it says of itself",
      PROVIDER("other/sso") "data allowed-namespaces *\n"
      WEB(OWN_URL SIGNIN),
      "/", ASKED, "-" },
    { "none that lists others",
      PROVIDER("edge/sso") "data allowed-namespaces x\n"
      WEB(OWN_URL SIGNIN),
      "/", ASKED, "-" },
    { "several of the namespace",
      PROVIDER("d/a") PROVIDER("d/b") PROVIDER("edge/sso")
      WEB(OWN_URL SIGNIN),
      "/", ASKED, "LoginProvider" },
    { "several of the namespace, one of them named",
      PROVIDER("d/a") PROVIDER("d/b")
      WEB(OWN_URL SIGNIN "note torii/oauth2 b\n"),
      "/", "native d/b " OWN, "-" },
    { "without a way to log in: programs",
      PROVIDER("d/sso") WEB(OWN_URL),
      "/", "native d/sso param=rd api", "-" },

    /* of another host */

    { "that is ours",
      PROVIDER("d/sso")
      "ingress d/auth 1\nrule auth.example Prefix /oauth2 proxy:80\n"
      WEB("note auth-url https://auth.example/oauth2/auth\n" SIGNIN),
      "/", "native d/sso " OWN, NULL },
    { "that is ours by a wildcard",
      PROVIDER("d/sso")
      "ingress d/auth 1\nrule *.example Prefix /oauth2 proxy:80\n"
      WEB("note auth-url https://auth.example/oauth2/auth\n" SIGNIN),
      "/", "native d/sso " OWN, NULL },
    { "that is not ours",
      PROVIDER("d/sso")
      WEB("note auth-url https://auth.example/oauth2/auth\n" SIGNIN),
      "/", "external url=https://auth.example/oauth2/auth method=GET " OWN,
      "-" },
    { "a Service of old",
      PROVIDER("d/sso")
      WEB("note auth-url http://proxy.d.svc:4180/oauth2/auth\n" SIGNIN),
      "/", "external url=http://proxy.d.svc:4180/oauth2/auth method=GET " OWN,
      "-" },
    { "a Service of old, but a provider is named",
      PROVIDER("d/sso")
      WEB("note auth-url http://proxy.d.svc:4180/oauth2/auth\n" SIGNIN
          "note torii/oauth2 sso\n"),
      "/", "native d/sso " OWN, "-" },

    /* who may enter */

    { "lists of the query",
      PROVIDER("d/sso")
      WEB("note auth-url https://$host/oauth2/auth?allowed_groups=a,b\n"
          SIGNIN),
      "/", "native d/sso " OWN " groups=a,b", "-" },
    { "a query that we do not know",
      PROVIDER("d/sso")
      WEB("note auth-url https://$host/oauth2/auth?allowed_roles=a\n"
          SIGNIN),
      "/", "deny 1", "Login" },
    { "a query that another server may know",
      WEB("note auth-url https://$host/oauth2/auth?allowed_roles=a\n"
          SIGNIN),
      "/", "external url=https://{host}/oauth2/auth?allowed_roles=a "
      "method=GET " OWN, "-" },
    { "lists that another server does not know",
      WEB(OWN_URL SIGNIN "note torii/oauth2-allowed-groups a\n"),
      "/", "deny 1", "Login" },
    { "what opens, and another server is asked",
      WEB(OWN_URL SIGNIN "note torii/oauth2-optional true\n"),
      "/", "deny 1", "Login" },
    { "a client would choose who is asked",
      "ingress d/web 1\n" OWN_URL SIGNIN "rule - Prefix / web:80\n",
      "/", "deny 1", "Login" },
    { "a client cannot, if nobody is asked",
      PROVIDER("d/sso")
      "ingress d/web 1\n" OWN_URL SIGNIN "rule - Prefix / web:80\n",
      "/", "native d/sso " OWN, "LoginWithoutTLS" },

    { "another server of this machine",
      WEB("note auth-url http://127.0.0.1:9180/api\n"), "/", "deny 1",
      "Login" },
    { "another server of this machine, in other words",
      WEB("note auth-url http://127.1/\n"), "/", "deny 1", "Login" },
    { "another server of this machine, as a number",
      WEB("note auth-url http://0x7f000001/\n"), "/", "deny 1", "Login" },
    { "another server of this machine, by name",
      WEB("note auth-url http://a.LOCALHOST./\n"), "/", "deny 1", "Login" },
    { "another server of this machine, IPv6",
      WEB("note auth-url http://[::ffff:127.0.0.1]:80/\n"), "/", "deny 1",
      "Login" },
    { "another server of this link",
      WEB("note auth-url http://169.254.169.254/\n"), "/", "deny 1", "Login" },
    { "another server by its address",
      WEB("note auth-url http://10.0.0.1/\n" SIGNIN), "/",
      "external url=http://10.0.0.1/ method=GET " OWN, "-" },

    /* paths that need none */

    { "challenges", PROVIDER("d/sso")
      WEB("note torii/oauth2 sso\n"
          "rule a.example Prefix /.well-known/acme-challenge web:80\n"),
      "/.well-known/acme-challenge/x", "-", "-" },
    { "those of the ConfigMap alone", PROVIDER("d/sso")
      "config edge/torii\ndata no-auth-locations /open\n"
      WEB("note torii/oauth2 sso\n"
          "rule a.example Prefix /.well-known/acme-challenge web:80\n"),
      "/.well-known/acme-challenge/x", "native d/sso param=rd", "-" },
    { "by what an Ingress' path begins with", PROVIDER("d/sso")
      "config edge/torii\ndata no-auth-locations /open\n"
      WEB("note torii/oauth2 sso\nrule a.example Prefix /opened web:80\n"),
      "/opened/x", "-", "-" },
    { "not by what a request's does", PROVIDER("d/sso")
      "config edge/torii\ndata no-auth-locations /open\n"
      NAMED("sso"), "/open/x", "native d/sso param=rd", "-" },
    { "but what is wrong denies there, too", PROVIDER("d/sso")
      WEB("note torii/oauth2 sso\nnote auth-method x\n"
          "rule a.example Prefix /.well-known/acme-challenge web:80\n"),
      "/.well-known/acme-challenge/x", "deny 1", "-" },
    { "nor are passwords asked for there",
      "secret d/users Opaque\ndata auth a:$apr1$x\n"
      WEB("note auth-type basic\nnote auth-secret users\n"
          "rule a.example Prefix /.well-known/acme-challenge web:80\n"),
      "/.well-known/acme-challenge/x", "-", "-" },

    /* headers for the server that is asked */

    { "of a ConfigMap",
      "config d/extra\ndata X-B b$host\ndata X-A a\n"
      WEB(OWN_URL SIGNIN "note auth-proxy-set-headers extra\n"
          "note auth-snippet proxy_set_header X-C c;\n"),
      "/", "external url=https://{host}/oauth2/auth method=GET set=X-C:c "
      "set=X-B:b{host} set=X-A:a " OWN, "-" },
    { "of a ConfigMap that is not there",
      WEB(OWN_URL SIGNIN "note auth-proxy-set-headers extra\n"),
      "/", "deny 4", "Login" },
    { "one that may not be set",
      "config d/extra\ndata Content-Length 1\n"
      WEB(OWN_URL SIGNIN "note auth-proxy-set-headers extra\n"),
      "/", "deny 4", "Login" },
    { "one with a variable that has no value",
      "config d/extra\ndata X-A $uri\n"
      WEB(OWN_URL SIGNIN "note auth-proxy-set-headers extra\n"),
      "/", "deny 4", "Login" },
    { "one with a line break",
      "config d/extra\ndata X-A a\\nb\n"
      WEB(OWN_URL SIGNIN "note auth-proxy-set-headers extra\n"),
      "/", "deny 4", "Login" },
    { "one of a ConfigMap, where nobody is asked",
      PROVIDER("d/sso")
      WEB(OWN_URL SIGNIN "note auth-proxy-set-headers extra\n"),
      "/", "native d/sso " OWN, "-" },

    /* passwords */

    { "of a file",
      "secret d/users Opaque\n"
      "data auth b:{SHA}x\\n\\n# c:$1$x\\na:$apr1$x:more\\r\\nb:$1$second\\n\n"
      WEB("note auth-type basic\nnote auth-secret users\n"),
      "/", "users d/users a=$apr1$x,b={SHA}x", "-" },
    { "of a map",
      "secret d/users Opaque\ndata b $2y$x\ndata a abcdefghijk./\n"
      WEB("note auth-type basic\nnote auth-secret users\n"
          "note auth-secret-type auth-map\n"),
      "/", "users d/users a=abcdefghijk./,b=$2y$x", "-" },
    { "in clear let nobody in",
      "secret d/users Opaque\n"
      "data auth a:{PLAIN}x\\nb:secret\\nc\\n:$1$x\\nd:$1$x\n"
      WEB("note auth-type basic\nnote auth-secret users\n"),
      "/", "users d/users d=$1$x", "LoginUsers" },
    { "none at all",
      "secret d/users Opaque\ndata auth nonsense\n"
      WEB("note auth-type basic\nnote auth-secret users\n"),
      "/", "users d/users ", "LoginUsers" },
    { "of a Secret that is not there",
      WEB("note auth-type basic\nnote auth-secret users\n"),
      "/", "deny 4", "Login" },
    { "of a Secret without the key",
      "secret d/users Opaque\ndata a $1$x\n"
      WEB("note auth-type basic\nnote auth-secret users\n"),
      "/", "deny 4", "Login" },
    { "and a login", PROVIDER("d/sso")
      "secret d/users Opaque\ndata auth a:$apr1$x\n"
      WEB("note auth-type basic\nnote auth-secret users\n"
          "note torii/oauth2 sso\n"),
      "/", "native d/sso param=rd users d/users a=$apr1$x", "-" },
    { "and a login that is not there",
      "secret d/users Opaque\ndata auth a:$apr1$x\n"
      WEB("note auth-type basic\nnote auth-secret users\nnote satisfy any\n"
          "note torii/oauth2 sso\n"),
      "/", "deny 4", "Login" },

    /* for all */

    { "the ConfigMap's login",
      "config edge/torii\ndata global-auth-url https://$host/oauth2/auth\n"
      "data global-auth-signin /oauth2/start\n"
      PROVIDER("edge/sso") WEB(""),
      "/", "native edge/sso " OWN " global", "-" },
    { "the ConfigMap's login, by the gateway's provider first",
      "config edge/torii\ndata global-auth-url https://$host/oauth2/auth\n"
      "data global-auth-signin /oauth2/start\n"
      PROVIDER("edge/sso") PROVIDER("d/sso") WEB(""),
      "/", "native edge/sso " OWN " global", "-" },
    { "the ConfigMap's login, by one's own",
      "config edge/torii\ndata global-auth-url https://$host/oauth2/auth\n"
      "data global-auth-signin /oauth2/start\n"
      PROVIDER("d/sso") WEB(""),
      "/", "native d/sso " OWN " global", "-" },
    { "the ConfigMap's login, of another server",
      "config edge/torii\ndata global-auth-url http://a.b/\n" WEB(""),
      "/", "external url=http://a.b/ method=GET param=rd api global", "-" },
    { "not for the Ingress that says so",
      "config edge/torii\ndata global-auth-url http://a.b/\n"
      WEB("note enable-global-auth false\n"), "/", "-", "-" },

    /* what will not work as it seems */

    { "no TLS", PROVIDER("d/sso")
      "ingress d/web 1\nnote torii/oauth2 sso\n"
      "rule a.example Prefix / web:80\n",
      "/", "native d/sso param=rd", "LoginWithoutTLS" },
    { "no TLS, on purpose", PROVIDER("d/sso") "data cookie-secure false\n"
      "ingress d/web 1\nnote torii/oauth2 sso\n"
      "rule a.example Prefix / web:80\n",
      "/", "native d/sso param=rd", "-" },
    { "no TLS here, but in front",
      "config edge/torii\ndata use-forwarded-headers true\n"
      PROVIDER("d/sso")
      "ingress d/web 1\nnote torii/oauth2 sso\n"
      "rule a.example Prefix / web:80\n",
      "/", "native d/sso param=rd", "-" },
    { "OAuth2 Proxy's own path", PROVIDER("d/sso") NAMED("sso")
      "ingress d/proxy 1\nrule a.example Prefix /oauth2 proxy:80\n",
      "/", "native d/sso param=rd", "LoginPathUnused" },
    { "not its own path", PROVIDER("d/sso") NAMED("sso")
      "ingress d/proxy 1\nrule a.example Prefix /oauth2x proxy:80\n",
      "/", "native d/sso param=rd", "-" },
    { "another prefix", PROVIDER("d/sso") "data proxy-prefix /login\n"
      NAMED("sso")
      "ingress d/proxy 1\nrule a.example Exact /login/start proxy:80\n",
      "/", "native d/sso param=rd", "LoginPathUnused" },
};


static void
test_one(const test_case_t *t)
{
    int           ok;
    world_t       w;
    const char   *found;
    torii_buf_t   out;

    memset(&out, 0, sizeof(out));

    login_world(&w);
    world_add(&w, t->objects);

    ok = (world_compile(&w) == TORII_OK);

    found = ok ? login_found(&out, &w, "a.example", t->uri) : w.error;
    ok = strcmp(found, t->found) == 0;

    if (t->finding) {
        ok = ok && login_reason(&w, t->finding)
                   == (strcmp(t->finding, "-") != 0);
    }

    tap_ok(ok, "%s: %s", t->name, t->found);

    if (!ok) {
        printf("# %s\n", found);
        world_print(&w);
    }

    torii_buf_free(&out);
    world_end(&w);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        test_one(&test_cases[i]);
    }

    return tap_done();
}
