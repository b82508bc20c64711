
/*
 * Logins: what annotations and the ConfigMap say, as far as that does not
 * depend on other objects.
 */

#include "tap.h"
#include "login_make.h"
#include "setting_make.h"


/*
 * annotations of an Ingress for a.example; the login as text, NULL: none; a
 * reason of a finding, "-": there is none, NULL: any
 */

typedef struct {
    const char  *config;
    const char  *annotations;
    uint32_t     deny;
    const char  *finding;
    const char  *login;
} test_case_t;

#define DEFAULTS  "method=GET param=rd"
#define OWN       "https://$host/oauth2/auth"
#define OWN_IS    "own=1 url=https://{host}/oauth2/auth " DEFAULTS


static const test_case_t  test_cases[] = {

    { "", "", 0, "-", NULL },

    /* auth-url: its form */

    { "", "auth-url=http://auth.svc:4180/check", 0, "-",
      "own=0 url=http://auth.svc:4180/check " DEFAULTS " api" },
    { "", "auth-url= https://a.example/ ", 0, "-",
      "own=0 url=https://a.example/ " DEFAULTS " api" },
    { "", "auth-url=ftp://a.example/", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=a.example/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=//a.example/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=$scheme://a.example/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http:///auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a..b/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://u@a.example/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/ auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/\"", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/#x", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/\\", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/\nx", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=", 1, "InvalidAnnotation", NULL },

    /* variables */

    { "", "auth-url=http://a.example$request_uri", 1, "InvalidAnnotation",
      NULL },
    { "", "auth-url=http://a.example/x$request_uri", 0, "-",
      "own=0 url=http://a.example/x{request_uri} " DEFAULTS " api" },
    { "", "auth-url=http://a.example/?m=${request_method}&c=$cookie_sid", 0,
      "-", "own=0 url=http://a.example/?m={request_method}&c={cookie_sid} "
      DEFAULTS " api" },
    { "", "auth-url=http://a.example/$http_X_A", 0, "-",
      "own=0 url=http://a.example/{http_x_a} " DEFAULTS " api" },
    { "", "auth-url=http://a.example/$uri", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/$http_", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/$", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/${host", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example/$document_root", 1, "InvalidAnnotation",
      NULL },
    { "", "auth-url=http://$host/auth", 0, "-",
      "own=0 url=http://{host}/auth " DEFAULTS " api" },

    /* what a client sends is no place to ask */

    { "", "auth-url=http://$http_host/auth", 0, "-",
      "own=0 url=http://{host}/auth " DEFAULTS " api" },
    { "", "auth-url=http://a.$best_http_host:81/$http_host", 0, "-",
      "own=0 url=http://a.{host}:81/{http_host} " DEFAULTS " api" },
    { "", "auth-url=http://$arg_x/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://$http_x_auth/auth", 1, "InvalidAnnotation", NULL },
    { "", "auth-url=http://a.example$arg_x/auth", 1, "InvalidAnnotation",
      NULL },
    { "", "auth-url=http://$remote_addr/auth", 1, "InvalidAnnotation", NULL },

    /* ours to answer, or not */

    { "", "auth-url=" OWN, 0, "-", OWN_IS " api" },
    { "", "auth-url=http://${http_host}/x/oauth2/auth", 0, "-",
      "own=1 url=http://{host}/x/oauth2/auth " DEFAULTS " api" },
    { "", "auth-url=https://AUTH.example/oauth2/auth", 0, "-",
      "own=2:auth.example url=https://AUTH.example/oauth2/auth " DEFAULTS
      " api" },
    { "", "auth-url=https://auth.example:443/oauth2/auth", 0, "-",
      "own=2:auth.example url=https://auth.example:443/oauth2/auth " DEFAULTS
      " api" },
    { "", "auth-url=http://proxy.ns.svc:4180/oauth2/auth", 0, "-",
      "own=3 url=http://proxy.ns.svc:4180/oauth2/auth " DEFAULTS " api" },
    { "", "auth-url=https://a.$host/oauth2/auth", 0, "-",
      "own=3 url=https://a.{host}/oauth2/auth " DEFAULTS " api" },
    { "", "auth-url=https://$host/oauth2/auth/", 0, "-",
      "own=0 url=https://{host}/oauth2/auth/ " DEFAULTS " api" },
    { "", "auth-url=https://$host/oauth2/$arg_x/oauth2/auth", 0, "-",
      "own=0 url=https://{host}/oauth2/{arg_x}/oauth2/auth " DEFAULTS
      " api" },
    { "", "auth-url=https://$host/?x=/oauth2/auth", 0, "-",
      "own=0 url=https://{host}/?x=/oauth2/auth " DEFAULTS " api" },

    /* the query of those that may be ours */

    { "", "auth-url=" OWN "?allowed_groups=a,b%20c,a", 0, "-",
      "own=1 url=https://{host}/oauth2/auth?allowed_groups=a,b%20c,a "
      DEFAULTS " groups=a,b c api" },
    { "", "auth-url=" OWN "?allowed_groups=a&allowed_groups=b"
      "&allowed_emails=x@y.z&allowed_email_domains=.y.z", 0, "-",
      "own=1 url=https://{host}/oauth2/auth?allowed_groups=a&allowed_groups=b"
      "&allowed_emails=x@y.z&allowed_email_domains=.y.z " DEFAULTS
      " emails=x@y.z domains=.y.z groups=a,b api" },
    { "", "auth-url=" OWN "?allowed_groups=", 0, "-",
      "own=1 url=https://{host}/oauth2/auth?allowed_groups= " DEFAULTS
      " groups= api" },
    { "", "auth-url=" OWN "?allowed_groups", 0, "-",
      "own=1 url=https://{host}/oauth2/auth?allowed_groups " DEFAULTS
      " groups= api" },
    { "", "auth-url=" OWN "?allowed_group=a", 0, "-",
      "own=1! url=https://{host}/oauth2/auth?allowed_group=a " DEFAULTS
      " api" },
    { "", "auth-url=" OWN "?allowed_groups=$arg_g", 0, "-",
      "own=1! url=https://{host}/oauth2/auth?allowed_groups={arg_g} "
      DEFAULTS " api" },
    { "", "auth-url=" OWN "?allowed_groups=%zz", 0, "-",
      "own=1! url=https://{host}/oauth2/auth?allowed_groups=%zz " DEFAULTS
      " api" },
    { "", "auth-url=" OWN "?allowed_groups=a%0ab", 0, "-",
      "own=1! url=https://{host}/oauth2/auth?allowed_groups=a%0ab " DEFAULTS
      " api" },

    /* signin, and how the way back is named */

    { "", "auth-url=" OWN "|auth-signin=https://$host/oauth2/start"
      "?rd=$escaped_request_uri", 0, "-",
      "own=1 url=https://{host}/oauth2/auth method=GET "
      "signin=https://{host}/oauth2/start?rd={escaped_request_uri} param=rd" },
    { "", "auth-url=" OWN "|auth-signin=/oauth2/start", 0, "-",
      "own=1 url=https://{host}/oauth2/auth method=GET signin=/oauth2/start "
      "param=rd" },
    { "", "auth-url=" OWN "|auth-signin=$scheme://$http_host/in"
      "|auth-signin-redirect-param=back", 0, "-",
      "own=1 url=https://{host}/oauth2/auth method=GET "
      "signin={scheme}://{host}/in param=back" },
    { "", "auth-url=" OWN "|auth-signin=//evil.example", 0,
      "InvalidAnnotation", OWN_IS " api" },
    { "", "auth-url=" OWN "|auth-signin=https://$arg_x/", 0,
      "InvalidAnnotation", OWN_IS " api" },
    { "", "auth-url=" OWN "|auth-signin-redirect-param=a&b", 0,
      "InvalidAnnotation", OWN_IS " api" },

    /* headers for the backend */

    { "", "auth-url=" OWN "|auth-response-headers=X-A, Authorization,x_b,",
      0, "-", OWN_IS " headers=X-A,Authorization,x_b api" },
    { "", "auth-url=" OWN "|auth-response-headers=,", 0, "-",
      OWN_IS " headers= api" },
    { "", "auth-url=" OWN "|auth-response-headers=X A", 1,
      "InvalidAnnotation", OWN_IS " api" },
    { "", "auth-url=" OWN "|auth-response-headers=Content-length", 1,
      "InvalidAnnotation", OWN_IS " api" },
    { "", "auth-url=" OWN "|auth-response-headers=X-A,Transfer-Encoding", 1,
      "InvalidAnnotation", OWN_IS " api" },

    /* how another server is asked */

    { "", "auth-url=http://a.b/|auth-method=POST", 0, "-",
      "own=0 url=http://a.b/ method=POST param=rd api scheme" },
    { "", "auth-url=http://a.b/|auth-method=post", 1, "InvalidAnnotation",
      "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-request-redirect=http://x/$request_uri",
      0, "-", "own=0 url=http://a.b/ method=GET "
      "redirect=http://x/{request_uri} param=rd api" },
    { "", "auth-url=http://a.b/|auth-request-redirect=a b", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-always-set-cookie=true", 0, "-",
      "own=0 url=http://a.b/ " DEFAULTS " api set-cookie" },
    { "", "auth-url=http://a.b/|auth-always-set-cookie=maybe", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-keepalive=8", 0, "-",
      "own=0 url=http://a.b/ method=GET keepalive=8 param=rd api" },
    { "", "auth-url=http://a.b/|auth-keepalive=8|auth-keepalive-timeout=0", 0,
      "-", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-keepalive=8|auth-keepalive-requests=-1",
      0, "-", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-keepalive=8|auth-keepalive-requests=9"
      "|auth-keepalive-share-vars=true", 0, "-",
      "own=0 url=http://a.b/ method=GET keepalive=8 param=rd api" },
    { "", "auth-url=http://a.b/|auth-keepalive=-1", 0, "InvalidAnnotation",
      "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-proxy-set-headers=extra", 0, "-",
      "own=0 cm=default/extra url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-proxy-set-headers=other/extra", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "allow-cross-namespace-resources=true",
      "auth-url=http://a.b/|auth-proxy-set-headers=other/extra", 0,
      "-", "own=0 cm=other/extra url=http://a.b/ " DEFAULTS " api" },

    /* a key has what tells clients apart, always */

    { "", "auth-url=http://a.b/|auth-cache-key=$cookie_sid$http_x", 0, "-",
      "own=0 url=http://a.b/ method=GET key={cookie_sid}{http_x} "
      "keep=200:300 keep=202:300 keep=401:300 param=rd api" },
    { "", "auth-url=http://a.b/|auth-cache-key=$remote_user$http_authorization"
      "|auth-cache-duration=200 10s, any 1m", 0, "-",
      "own=0 url=http://a.b/ method=GET "
      "key={remote_user}{http_authorization} keep=200:10 keep=0:60 param=rd "
      "api" },
    { "", "auth-url=http://a.b/|auth-cache-key=all|auth-cache-duration=2h", 0,
      "LoginCacheKey", "own=0 url=http://a.b/ method=GET "
      "key=all{http_cookie}{http_authorization} keep=200:7200 param=rd api" },
    { "", "auth-url=http://a.b/|auth-cache-key=$remote_user", 0,
      "LoginCacheKey", "own=0 url=http://a.b/ method=GET "
      "key={remote_user}{http_cookie}{http_authorization} keep=200:300 "
      "keep=202:300 keep=401:300 param=rd api" },
    { "", "auth-url=http://a.b/|auth-cache-key=a b", 0, "InvalidAnnotation",
      "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-cache-duration=1m", 0, "-",
      "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-cache-duration=200 x", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-cache-duration=20 5m", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-cache-duration=200 5q", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },

    /* snippets: two things, and nothing else */

    { "", "auth-url=http://a.b/|auth-snippet=proxy_set_header X-A \"b $host\";"
      "\n  proxy_read_timeout 5s; proxy_connect_timeout 500ms;\n", 0, "-",
      "own=0 url=http://a.b/ method=GET set=X-A:b {host} timeout=5000 "
      "param=rd api" },
    { "", "auth-url=http://a.b/|auth-snippet=proxy_set_header X-A '';;", 0,
      "-", "own=0 url=http://a.b/ method=GET set=X-A: param=rd api" },
    { "", "auth-url=http://a.b/|auth-snippet=return 200;", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=proxy_set_header X-A b", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=proxy_set_header X-A b c;", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=proxy_set_header X-A \"b;", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=proxy_set_header X-A $uri;", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=proxy_set_header Upgrade x;", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=if ($host) { return 200; }", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=proxy_read_timeout 20m;", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },
    { "", "auth-url=http://a.b/|auth-snippet=# a comment\n", 1,
      "InvalidAnnotation", "own=0 url=http://a.b/ " DEFAULTS " api" },

    /* parts of a login that is not there */

    { "", "auth-signin=https://a.example/", 1, "InvalidAnnotation", NULL },
    { "", "auth-response-headers=X-A", 1, "InvalidAnnotation", NULL },
    { "", "auth-proxy-set-headers=x", 1, "InvalidAnnotation", NULL },
    { "", "auth-snippet=proxy_set_header a b;", 1, "InvalidAnnotation", NULL },
    { "", "auth-method=GET", 0, "NoEffect", NULL },
    { "", "auth-cache-key=$http_cookie", 0, "NoEffect", NULL },
    { "", "auth-signin=", 0, "EmptyAnnotation", NULL },
    { "", "torii/oauth2-allowed-groups=a", 1, "InvalidAnnotation", NULL },
    { "", "torii/oauth2-optional=true", 1, "InvalidAnnotation", NULL },

    /* Torii's own */

    { "", "torii/oauth2=sso", 0, "-", "own=0 by=default/sso " DEFAULTS },
    { "", "torii/oauth2=edge/sso", 0, "-", "own=0 by=edge/sso " DEFAULTS },
    { "", "torii/oauth2=", 1, "InvalidAnnotation", NULL },
    { "", "torii/oauth2=a/b/c", 1, "InvalidAnnotation", NULL },
    { "", "torii/oauth2=a b", 1, "InvalidAnnotation", NULL },
    { "", "torii/oauth2=/b", 1, "InvalidAnnotation", NULL },
    { "", "torii/oauth2=sso|torii/oauth2-allowed-groups=a, b,\na"
      "|torii/oauth2-allowed-emails=x@y.z"
      "|torii/oauth2-allowed-email-domains=y.z,*.q"
      "|torii/oauth2-skip-auth-routes=^/a$ GET,POST=^/b\n^/c"
      "|torii/oauth2-write-groups=ops|torii/oauth2-api=true"
      "|torii/oauth2-optional=true", 0, "-",
      "own=0 by=default/sso " DEFAULTS " emails=x@y.z domains=y.z,*.q "
      "groups=a,b skip=^/a$,GET,POST=^/b,^/c write=ops api optional" },
    { "", "torii/oauth2=sso|torii/oauth2-allowed-groups=a b\n\nc", 0, "-",
      "own=0 by=default/sso " DEFAULTS " groups=a b,c" },
    { "", "torii/oauth2=sso|torii/oauth2-allowed-groups=a\tb", 1,
      "InvalidAnnotation", "own=0 by=default/sso " DEFAULTS },
    { "", "torii/oauth2=sso|torii/oauth2-allowed-groups=,", 1,
      "InvalidAnnotation", "own=0 by=default/sso " DEFAULTS },
    { "", "torii/oauth2=sso|torii/oauth2-allowed-groups=", 1,
      "InvalidAnnotation", "own=0 by=default/sso " DEFAULTS },
    { "", "torii/oauth2=sso|torii/oauth2-optional=perhaps", 1,
      "InvalidAnnotation", "own=0 by=default/sso " DEFAULTS },
    { "", "torii/oauth2=sso|torii/oauth2-api=false", 0, "-",
      "own=0 by=default/sso " DEFAULTS },

    { "", "torii/oauth2-allowed-group=a", 1, "UnknownAnnotation", NULL },
    { "", "torii/oauth2-whatever=a", 1, "UnknownAnnotation", NULL },
    { "", "torii/oath2=sso", 1, "UnknownAnnotation", NULL },
    { "", "torii/something=a", 0, "UnknownAnnotation", NULL },

    /* both */

    { "", "torii/oauth2=sso|auth-url=" OWN, 0, "-",
      "own=1 by=default/sso url=https://{host}/oauth2/auth " DEFAULTS
      " api" },
    { "", "torii/oauth2=sso|auth-url=http://p.svc:4180/oauth2/auth"
      "|auth-signin=/oauth2/start", 0, "-",
      "own=3 by=default/sso url=http://p.svc:4180/oauth2/auth method=GET "
      "signin=/oauth2/start param=rd" },
    { "", "torii/oauth2=sso|auth-url=http://other.example/auth", 1,
      "InvalidAnnotation", "own=0 by=default/sso url=http://other.example/auth "
      DEFAULTS " api" },
    { "", "torii/oauth2=sso|torii/oauth2-allowed-groups=a"
      "|auth-url=" OWN "?allowed_groups=b", 1, "InvalidAnnotation",
      "own=1 by=default/sso url=https://{host}/oauth2/auth?allowed_groups=b "
      DEFAULTS " groups=a api" },
    { "", "torii/oauth2=sso|torii/oauth2-allowed-groups=a"
      "|auth-url=" OWN "?allowed_emails=x@y.z", 0, "-",
      "own=1 by=default/sso url=https://{host}/oauth2/auth?allowed_emails="
      "x@y.z " DEFAULTS " emails=x@y.z groups=a api" },

    /* the ConfigMap's */

    { "global-auth-url=http://a.b/", "", 0, "-",
      "own=0 url=http://a.b/ " DEFAULTS " api global" },
    { "global-auth-url=http://a.b/", "enable-global-auth=false", 0, "-",
      NULL },
    { "global-auth-url=http://a.b/", "enable-global-auth=nope", 0,
      "InvalidAnnotation",
      "own=0 url=http://a.b/ " DEFAULTS " api global" },
    { "global-auth-url=http://a.b/", "auth-url=http://c.d/", 0, "-",
      "own=0 url=http://c.d/ " DEFAULTS " api" },
    { "global-auth-url=http://a.b/", "torii/oauth2=sso", 0, "-",
      "own=0 by=default/sso " DEFAULTS },
    { "global-auth-url=http://a.b/", "auth-signin=http://c.d/", 0, "NoEffect",
      "own=0 url=http://a.b/ " DEFAULTS " api global" },
    { "global-auth-url=" OWN "?allowed_groups=a"
      "|global-auth-signin=/oauth2/start|global-auth-response-headers=X-A",
      "torii/oauth2-allowed-emails=x@y.z", 0, "-",
      "own=1 url=https://{host}/oauth2/auth?allowed_groups=a method=GET "
      "signin=/oauth2/start param=rd headers=X-A emails=x@y.z groups=a "
      "global" },
    { "global-auth-url=" OWN "?allowed_groups=a",
      "torii/oauth2-allowed-groups=b", 1, "InvalidAnnotation",
      "own=1 url=https://{host}/oauth2/auth?allowed_groups=a " DEFAULTS
      " groups=a api global" },
    { "global-auth-url=http://a.b/|global-auth-method=POST"
      "|global-auth-signin-redirect-param=back|global-auth-cache-key="
      "$http_cookie|global-auth-cache-duration=1m"
      "|global-auth-request-redirect=/x|global-auth-always-set-cookie=true"
      "|global-auth-snippet=proxy_set_header X-A b;", "", 0, "-",
      "own=0 url=http://a.b/ method=POST redirect=/x key={http_cookie} "
      "keep=200:60 set=X-A:b param=back api set-cookie scheme global" },
    { "global-auth-url=nonsense", "", 2, "-", NULL },
    { "global-auth-url=http://a.b/|global-auth-snippet=x", "", 2, "-",
      "own=0 url=http://a.b/ " DEFAULTS " api global" },

    /* passwords */

    { "", "auth-type=basic|auth-secret=users|auth-realm=Who are you", 0, "-",
      "users=default/users file realm=Who are you" },
    { "", "auth-type=basic|auth-secret=users|auth-secret-type=auth-map", 0,
      "-", "users=default/users map" },
    { "", "auth-type=basic|auth-secret=users|auth-secret-type=map", 1,
      "InvalidAnnotation", "users=default/users file" },
    { "", "auth-type=digest|auth-secret=users", 1, "InvalidAnnotation",
      NULL },
    { "", "auth-type=none|auth-secret=users", 1, "InvalidAnnotation", NULL },
    { "", "auth-type=basic", 1, "InvalidAnnotation", NULL },
    { "", "auth-type=", 1, "InvalidAnnotation", NULL },
    { "", "auth-secret=users", 1, "InvalidAnnotation", NULL },
    { "", "auth-secret=other/users|auth-type=basic", 1, "InvalidAnnotation",
      NULL },
    { "", "auth-type=basic|auth-secret=users|auth-realm=\"x\"", 1,
      "InvalidAnnotation", "users=default/users file" },
    { "", "auth-realm=x", 0, "NoEffect", NULL },

    /* any needs two */

    { "", "satisfy=any", 0, "-", NULL },
    { "", "satisfy=any|auth-type=basic|auth-secret=u", 0, "-",
      "users=default/u file" },
    { "", "satisfy=any|auth-type=basic|auth-secret=u"
      "|allowlist-source-range=10.0.0.0/8", 0, "-",
      "users=default/u file any" },
    { "", "satisfy=any|auth-type=basic|auth-secret=u"
      "|denylist-source-range=10.0.0.0/8", 0, "-", "users=default/u file" },
    { "", "satisfy=any|torii/oauth2=sso|auth-type=basic|auth-secret=u", 0,
      "-", "own=0 by=default/sso " DEFAULTS " users=default/u file any" },
    { "", "satisfy=all|torii/oauth2=sso|auth-type=basic|auth-secret=u", 0,
      "-", "own=0 by=default/sso " DEFAULTS " users=default/u file" },
    { "", "satisfy=some|torii/oauth2=sso|auth-type=basic|auth-secret=u", 0,
      "InvalidAnnotation",
      "own=0 by=default/sso " DEFAULTS " users=default/u file" },
};


static void
test_path(torii_buf_t *out, const char *name, const ingress_annotations_t *a,
    ingress_ref_t namespace, ingress_ref_t object)
{
    if (object.len) {
        torii_buf_printf(out, " %s=%.*s/%.*s", name,
                         torii_str_arg(ingress_pool_str(&a->pool, namespace)),
                         torii_str_arg(ingress_pool_str(&a->pool, object)));
    }
}


/* All that was understood, as text with a NUL. */

static const char *
test_text(torii_buf_t *out, const ingress_annotations_t *a)
{
    torii_buf_t                     record;
    const ingress_login_setting_t  *login;

    login = &a->login;
    out->len = 0;
    memset(&record, 0, sizeof(record));

    if (login->asked) {
        torii_buf_printf(out, " own=%u", login->own);

        if (login->own == INGRESS_LOGIN_HOST) {
            torii_buf_printf(out, ":%.*s",
                             torii_str_arg(ingress_pool_str(&a->pool,
                                                            login->host)));
        }

        torii_buf_adds(out, login->query.len ? "!" : "");
        test_path(out, "by", a, login->provider_namespace, login->provider);
        test_path(out, "cm", a, login->headers_namespace, login->headers);

        login_text(&record, &login->record, a->pool.data);
        torii_buf_adds(out, " ");
        torii_buf_add(out, record.data, record.len);
        torii_buf_free(&record);
    }

    test_path(out, "users", a, a->users_namespace, a->users_secret);

    if (a->users_secret.len) {
        torii_buf_adds(out, a->users_map ? " map" : " file");
    }

    if (a->policy.realm.len) {
        torii_buf_printf(out, " realm=%.*s",
                         torii_str_arg(ingress_pool_str(&a->pool,
                                                        a->policy.realm)));
    }

    if (a->policy.satisfy_any) {
        torii_buf_adds(out, " any");
    }

    torii_buf_add(out, "", 1);

    return (const char *) out->data + (out->len > 1);
}


static void
test_one(const test_case_t *t)
{
    int                     ok;
    char                    line[100], other[100];
    const char             *text;
    torii_buf_t             out;
    ingress_rule_t          rule;
    ingress_config_t       *config;
    setting_object_t        cm, ing;
    ingress_annotations_t   a;

    memset(&out, 0, sizeof(out));
    memset(&rule, 0, sizeof(rule));

    setting_object_make(&cm, t->config, "");
    cm.object.kind = INGRESS_KIND_CONFIGMAP;
    cm.object.u.configmap.data = cm.object.annotations;
    cm.object.annotations.n = 0;

    config = ingress_config_parse(&cm.object, &cm.findings);

    rule.host = torii_str("a.example");

    setting_object_make(&ing, t->annotations, INGRESS_ANNOTATION_PREFIX);
    ing.object.u.ingress.rules = &rule;
    ing.object.u.ingress.nrules = 1;

    ingress_annotations_parse(&a, &ing.object, config, &ing.findings);

    text = test_text(&out, &a);

    ok = a.policy.deny == t->deny
         && strcmp(text, t->login ? t->login : "") == 0;

    if (t->finding) {
        ok = ok && (strcmp(t->finding, "-") == 0
                    ? ing.findings.first == NULL
                    : setting_found(&ing, t->finding));
    }

    tap_ok(ok, "{%s} {%s}", setting_line(t->config, line),
           setting_line(t->annotations, other));

    if (!ok) {
        printf("# deny %u, %s\n# %s\n", a.policy.deny,
               ing.findings.first ? ing.findings.first->reason : "-", text);
    }

    ingress_annotations_free(&a);
    ingress_config_free(config);
    setting_object_free(&cm);
    setting_object_free(&ing);
    torii_buf_free(&out);
}


/* Whose host is a variable, and who answers for every host. */

static void
test_any_host(void)
{
    size_t                   i;
    ingress_rule_t           rule;
    ingress_config_t        *config;
    setting_object_t         ing;
    ingress_annotations_t    a;

    static const struct {
        const char          *annotations;
        const char          *host;     /* NULL: there is no rule */
        unsigned             any;
    } cases[] = {
        { "auth-url=http://$host/", "a.example", 0 },
        { "auth-url=http://$host/", "*.example", 0 },
        { "auth-url=http://$host/", "", 1 },
        { "auth-url=http://$host/", NULL, 1 },
        { "auth-url=http://$host/|server-alias=~x", "a.example", 1 },
        { "auth-url=http://$host/|server-alias=b.example", "a.example", 0 },
        { "auth-url=http://a.b/$host", "", 0 }
    };

    config = ingress_config_parse(NULL, NULL);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&rule, 0, sizeof(rule));

        setting_object_make(&ing, cases[i].annotations,
                            INGRESS_ANNOTATION_PREFIX);

        if (cases[i].host) {
            rule.host = torii_str(cases[i].host);
            ing.object.u.ingress.rules = &rule;
            ing.object.u.ingress.nrules = 1;
        }

        ingress_annotations_parse(&a, &ing.object, config, &ing.findings);

        tap_ok(a.login.any_host == cases[i].any,
               "%s of host \"%s\": a client %s choose who is asked",
               cases[i].annotations, cases[i].host ? cases[i].host : "-",
               cases[i].any ? "could" : "cannot");

        ingress_annotations_free(&a);
        setting_object_free(&ing);
    }

    ingress_config_free(config);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        test_one(&test_cases[i]);
    }

    test_any_host();

    return tap_done();
}
