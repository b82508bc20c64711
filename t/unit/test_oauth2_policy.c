
/*
 * Who may enter and what needs no login: e-mail addresses, lists, paths, kinds
 * of clients.
 */

#include "oauth2_header.h"
#include "oauth2_kind.h"
#include "oauth2_path.h"
#include "oauth2_policy.h"
#include "tap.h"


static torii_arena_t  *test_arena;


static const struct {
    const char  *email;
    const char  *domain;
    int          in;
} test_emails[] = {
    { "a@corp.example", "corp.example", 1 },
    { "a@CORP.example", "corp.Example", 1 },
    { "a@x.corp.example", "corp.example", 0 },
    { "a@x.corp.example", ".corp.example", 1 },
    { "a@x.y.corp.example", "*.corp.example", 1 },
    { "a@corp.example", ".corp.example", 1 },
    { "a@evilcorp.example", ".corp.example", 0 },
    { "a@evilcorp.example", "corp.example", 0 },
    { "a@corp.example.evil.example", "corp.example", 0 },
    { "a@corp.example.evil.example", ".corp.example", 0 },
    { "a@evil.example@corp.example", "corp.example", 0 },
    { "a@evil.example@corp.example", "*", 0 },
    { "\"a@evil.example\"@corp.example", "corp.example", 0 },
    { "@corp.example", "corp.example", 0 },
    { "a@", "corp.example", 0 },
    { "a", "*", 0 },
    { "", "*", 0 },
    { "a@any.example", "*", 1 },
    { "a@any.example", "", 0 },
    { "a@any.example", ".", 0 },
    { "a@any.example", "*.", 0 },
    { "a b@corp.example", "corp.example", 0 },
    { "a\n@corp.example", "corp.example", 0 },
    { "a,b@corp.example", "corp.example", 0 },
    { "a@.corp.example", ".corp.example", 0 },
    { NULL, NULL, 0 }
};


static const struct {
    const char     *query;
    const char     *email;             /* "!" in front: not verified */
    const char     *group;
    oauth2_fail_e   fail;
} test_policies[] = {
    { "", "a@x.example", "g", OAUTH2_OK },
    { "", "", "g", OAUTH2_OK },
    { "allowed_groups=g", "", "g", OAUTH2_OK },
    { "allowed_groups=f,g", "", "g", OAUTH2_OK },
    { "allowed_groups=f&allowed_groups=g", "", "g", OAUTH2_OK },
    { "allowed_groups=G", "", "g", OAUTH2_DENIED_GROUP },
    { "allowed_groups=gg", "", "g", OAUTH2_DENIED_GROUP },
    { "allowed_groups=", "", "g", OAUTH2_DENIED_GROUP },
    { "allowed_groups=,", "", "g", OAUTH2_DENIED_GROUP },
    { "allowed_groups=g", "", "", OAUTH2_DENIED_GROUP },
    { "allowed_groups=my%20team", "", "my team", OAUTH2_OK },
    { "allowed_emails=a@x.example", "a@x.example", "", OAUTH2_OK },
    { "allowed_emails=A@X.example", "a@x.example", "", OAUTH2_OK },
    { "allowed_emails=b@x.example", "a@x.example", "", OAUTH2_DENIED_EMAIL },
    { "allowed_emails=", "a@x.example", "", OAUTH2_DENIED_EMAIL },
    { "allowed_emails=a@x.example", "!a@x.example", "",
      OAUTH2_EMAIL_UNVERIFIED },
    { "allowed_emails=a@x.example", "", "", OAUTH2_EMAIL_MISSING },
    { "allowed_email_domains=x.example", "a@x.example", "", OAUTH2_OK },
    { "allowed_email_domains=x.example", "a@y.example", "",
      OAUTH2_DENIED_EMAIL },
    { "allowed_email_domains=*", "", "", OAUTH2_OK },
    { "allowed_email_domains=", "a@x.example", "", OAUTH2_DENIED_EMAIL },
    { "allowed_email_domains=x.example&allowed_emails=b@y.example",
      "a@x.example", "", OAUTH2_DENIED_EMAIL },
    { "allowed_email_domains=x.example&allowed_emails=a@x.example",
      "a@x.example", "", OAUTH2_OK },
    { "allowed_email_domains=*&allowed_emails=b@x.example", "a@x.example", "",
      OAUTH2_DENIED_EMAIL },
    { "allowed_email_domains=x.example&allowed_groups=f", "a@x.example", "g",
      OAUTH2_DENIED_GROUP },
    { "allowed_email_domains=x.example&allowed_groups=g", "a@y.example", "g",
      OAUTH2_DENIED_EMAIL },
    { NULL, NULL, NULL, OAUTH2_OK }
};

static const char  *test_queries_bad[] = {
    "allowed_group=g", "Allowed_Groups=g", "allowed_groups=%zz", "x", "=",
    "allowed_groups=a%00b", "allowed_groups=a%0ab", NULL
};


/* On nginx's side the path is decoded and normalised. */

static const struct {
    const char  *raw;
    const char  *path;
    int          agrees;
} test_paths[] = {
    { "/public", "/public", 1 },
    { "/public/", "/public/", 1 },
    { "/", "/", 1 },
    { "/public/caf%C3%A9", "/public/caf\xc3\xa9", 1 },
    { "/%70ublic/x", "/public/x", 1 },
    { "/public/a:b@c", "/public/a:b@c", 1 },
    { "/public/.well-known", "/public/.well-known", 1 },
    { "/public/a%2bb", "/public/a+b", 1 },
    { "", "", 0 },
    { "public", "public", 0 },
    { "/public/../admin", "/admin", 0 },
    { "/public/%2e%2e/admin", "/admin", 0 },
    { "/public/..%2fadmin", "/admin", 0 },
    { "/public//../admin", "/admin", 0 },
    { "//admin", "/admin", 0 },
    { "/public;/../admin", "/admin", 0 },
    { "/admin/%2e%2e/public", "/public", 0 },
    { "/admin/../public", "/public", 0 },
    { "/public#/../admin", "/public", 0 },
    { "/public%23/../admin", "/admin", 0 },
    { "/public%23", "/public#", 0 },
    { "/public/..;/admin", "/public/..;/admin", 0 },
    { "/public/..\\admin", "/public/..\\admin", 0 },
    { "/public/..%5cadmin", "/public/..\\admin", 0 },
    { "/public/%252e%252e/admin", "/public/%2e%2e/admin", 0 },
    { "/public%2fx", "/public/x", 0 },
    { "/public/%c0%ae%c0%ae/admin", "/public/\xc0\xae\xc0\xae/admin", 0 },
    { "/public/..%c0%af", "/public/..\xc0\xaf", 0 },
    { "/public/%e9", "/public/\xe9", 0 },
    { "/public/\xc3\xa9", "/public/\xc3\xa9", 0 },
    { "/public/x%0d%0aX:1", "/public/x\r\nX:1", 0 },
    { "/public/%00", "/public/", 0 },
    { "/public/%20", "/public/ ", 0 },
    { "/public/%7f", "/public/\x7f", 0 },
    { "/public/%zz", "/public/%zz", 0 },
    { "/public/%2", "/public/%2", 0 },
    { "/public/%", "/public/%", 0 },
    { "/public/%3f/admin", "/public/?/admin", 0 },
    { "/public/%3b", "/public/;", 0 },
    { "/public/.", "/public/", 0 },
    { "/public/..", "/", 0 },
    { "/PUBLIC/x", "/public/x", 0 },
    { "/public", "/admin", 0 },
    { NULL, NULL, 0 }
};


static const struct {
    const char  *rule;
    const char  *method;
    const char  *path;
    int          match;                /* -1: the rule is refused */
} test_skips[] = {
    { "/public", "GET", "/public", 1 },
    { "/public", "POST", "/public", 1 },
    { "/public", "GET", "/public/x", 0 },
    { "/public", "GET", "/x/public", 0 },
    { "/public/.*", "GET", "/public/x/y", 1 },
    { "^/public$", "GET", "/public", 1 },
    { "/a|/b", "GET", "/b", 1 },
    { "/a|/b", "GET", "/b/admin", 0 },
    { "GET=/public", "GET", "/public", 1 },
    { "GET=/public", "HEAD", "/public", 0 },
    { "GET=/public", "get", "/public", 0 },
    { "GET,HEAD=/public", "HEAD", "/public", 1 },
    { "GET=^/a=b", "GET", "/a=b", 1 },
    { "/a=b", "POST", "/a=b", 1 },
    { "/a?b", "GET", "/b", 1 },
    { "(/a|/b)/c", "GET", "/b/c", 1 },
    { "!=/admin", "GET", "/public", -1 },
    { "GET!=/admin", "GET", "/public", -1 },
    { "get=/public", "GET", "/public", -1 },
    { "=/public", "GET", "/public", -1 },
    { "GET=", "GET", "/public", -1 },
    { "", "GET", "/public", -1 },
    { "/a)|(?:.*", "GET", "/admin", -1 },
    { "(?x)/a #", "GET", "/a", -1 },
    { "/a\\Q", "GET", "/a", -1 },
    { "/(", "GET", "/(", -1 },
    { "(/a+)+$", "GET", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 0 },
    { NULL, NULL, NULL, 0 }
};


static const struct {
    const char     *method;
    const char     *accept;
    const char     *type;
    const char     *upgrade;
    const char     *with;
    const char     *mode;
    const char     *dest;
    oauth2_kind_e   kind;
} test_kinds[] = {
    { "GET", "text/html,application/xhtml+xml,*/*;q=0.8", "", "", "",
      "navigate", "document", OAUTH2_KIND_PAGE },
    { "HEAD", "text/html", "", "", "", "", "", OAUTH2_KIND_PAGE },
    { "GET", "TEXT/HTML;level=1", "", "", "", "", "", OAUTH2_KIND_PAGE },
    { "POST", "text/html", "application/x-www-form-urlencoded", "", "",
      "navigate", "document", OAUTH2_KIND_FORM },
    { "GET", "*/*", "", "", "", "", "", OAUTH2_KIND_API },
    { "GET", "", "", "", "", "", "", OAUTH2_KIND_API },
    { "GET", "application/json", "", "", "", "", "", OAUTH2_KIND_API },
    { "GET", "text/html;q=0", "", "", "", "", "", OAUTH2_KIND_API },
    { "GET", "text/html5", "", "", "", "", "", OAUTH2_KIND_API },
    { "GET", "text/html", "", "", "XMLHttpRequest", "", "", OAUTH2_KIND_API },
    { "GET", "text/html", "", "", "", "cors", "empty", OAUTH2_KIND_API },
    { "GET", "text/html", "", "", "", "navigate", "iframe", OAUTH2_KIND_API },
    { "GET", "image/avif,*/*", "", "", "", "no-cors", "image",
      OAUTH2_KIND_API },
    { "GET", "text/event-stream", "", "", "", "cors", "empty",
      OAUTH2_KIND_EVENTS },
    { "GET", "text/html", "", "websocket", "", "websocket", "websocket",
      OAUTH2_KIND_SOCKET },
    { "POST", "", "application/grpc", "", "", "", "", OAUTH2_KIND_GRPC },
    { "POST", "", "application/grpc+proto", "", "", "", "",
      OAUTH2_KIND_GRPC },
    { "POST", "", "application/grpc-web+proto", "", "", "cors", "empty",
      OAUTH2_KIND_GRPC_WEB },
    { NULL, NULL, NULL, NULL, NULL, NULL, NULL, OAUTH2_KIND_API }
};


static void
test_email(void)
{
    unsigned  i;

    for (i = 0; test_emails[i].email; i++) {
        tap_ok(oauth2_email_in(torii_str(test_emails[i].email),
                               torii_str(test_emails[i].domain))
               == test_emails[i].in, "e-mail %d %s \"%s\"", i,
               test_emails[i].in ? "is in" : "is not in",
               test_emails[i].domain);
    }
}


static void
test_policy(void)
{
    unsigned          i;
    const char       *email;
    const char      **bad;
    oauth2_policy_t   policy;

    static oauth2_session_t  s;

    for (i = 0; test_policies[i].query; i++) {
        email = test_policies[i].email;

        s.verified = email[0] != '!';
        s.email = torii_str(email + !s.verified);
        s.ngroups = 1;
        s.groups[0] = torii_str(test_policies[i].group);

        tap_ok(oauth2_policy_query(test_arena,
                                   torii_str(test_policies[i].query), &policy)
               == NULL
               && oauth2_policy_check(&policy, &s) == test_policies[i].fail,
               "policy \"%s\", %s, %s: %s", test_policies[i].query, email,
               test_policies[i].group,
               oauth2_fail_name(oauth2_policy_check(&policy, &s)));
    }

    for (bad = test_queries_bad; *bad; bad++) {
        tap_ok(oauth2_policy_query(test_arena, torii_str(*bad), &policy)
               != NULL, "query \"%s\" is refused", *bad);
    }

    memset(&policy, 0, sizeof(oauth2_policy_t));
    policy.either = 1;
    oauth2_policy_add(test_arena, &policy.emails, torii_str("a@x.example"));
    oauth2_policy_add(test_arena, &policy.domains, torii_str("y.example"));

    s.verified = 1;
    s.email = torii_str("a@x.example");
    tap_ok(oauth2_policy_check(&policy, &s) == OAUTH2_OK, "either: an address");
    s.email = torii_str("b@y.example");
    tap_ok(oauth2_policy_check(&policy, &s) == OAUTH2_OK, "either: a domain");
    s.email = torii_str("b@x.example");
    tap_ok(oauth2_policy_check(&policy, &s) == OAUTH2_DENIED_EMAIL,
           "either: neither");
}


static void
test_path(void)
{
    unsigned  i;

    for (i = 0; test_paths[i].raw; i++) {
        tap_ok(oauth2_path_agrees(torii_str(test_paths[i].raw),
                                  torii_str(test_paths[i].path))
               == test_paths[i].agrees, "path \"%s\" is %splain",
               test_paths[i].raw, test_paths[i].agrees ? "" : "not ");
    }

    tap_ok(oauth2_path_refused(torii_str("/a#b"))
           && oauth2_path_refused(torii_str("/a\\b"))
           && !oauth2_path_refused(torii_str("/a%23b?c")),
           "\"#\" and \"\\\" in a request line are refused");
}


static void
test_skip(void)
{
    int                   match;
    unsigned              i;
    torii_str_t           path;
    oauth2_skip_t         rule;
    torii_regex_cache_t  *cache;

    cache = torii_regex_cache_create(32);

    for (i = 0; test_skips[i].rule; i++) {
        path = torii_str(test_skips[i].path);

        if (oauth2_skip_read(test_arena, torii_str(test_skips[i].rule), &rule)
            != NULL)
        {
            match = -1;

        } else {
            torii_regex_begin(cache);
            match = oauth2_skip_match(&rule, 1, cache,
                                      torii_str(test_skips[i].method), path,
                                      path);
        }

        tap_ok(match == test_skips[i].match, "skip \"%s\" %s %s: %d",
               test_skips[i].rule, test_skips[i].method, test_skips[i].path,
               match);
    }

    memset(&rule, 0, sizeof(oauth2_skip_t));
    rule.type = OAUTH2_SKIP_PREFIX;
    rule.path = torii_str("/public");

    tap_ok(oauth2_skip_match(&rule, 1, cache, torii_str("GET"),
                             torii_str("/public/x"), torii_str("/public/x"))
           && oauth2_skip_match(&rule, 1, cache, torii_str("GET"),
                                torii_str("/public"), torii_str("/public"))
           && !oauth2_skip_match(&rule, 1, cache, torii_str("GET"),
                                 torii_str("/publicity"),
                                 torii_str("/publicity")),
           "a prefix ends at a segment");

    tap_ok(!oauth2_skip_match(&rule, 1, cache, torii_str("GET"),
                              torii_str("/public/../admin"),
                              torii_str("/public/x")),
           "a path that is not plain matches nothing");

    tap_ok(oauth2_skip_preflight(torii_str("OPTIONS"), torii_str("https://a"),
                                 torii_str("GET"))
           && !oauth2_skip_preflight(torii_str("OPTIONS"), torii_str(""),
                                     torii_str("GET"))
           && !oauth2_skip_preflight(torii_str("GET"), torii_str("https://a"),
                                     torii_str("GET")),
           "a preflight has both of its headers");

    torii_regex_cache_destroy(cache);
}


static void
test_kind(void)
{
    unsigned                i;
    oauth2_asker_t          asker;
    const oauth2_denial_t  *denial;

    for (i = 0; test_kinds[i].method; i++) {
        memset(&asker, 0, sizeof(oauth2_asker_t));

        asker.method = torii_str(test_kinds[i].method);
        asker.accept = torii_str(test_kinds[i].accept);
        asker.content_type = torii_str(test_kinds[i].type);
        asker.upgrade = torii_str(test_kinds[i].upgrade);
        asker.requested_with = torii_str(test_kinds[i].with);
        asker.fetch_mode = torii_str(test_kinds[i].mode);
        asker.fetch_dest = torii_str(test_kinds[i].dest);

        tap_ok(oauth2_kind(&asker) == test_kinds[i].kind, "kind %d: %s", i,
               oauth2_kind_name(oauth2_kind(&asker)));
    }

    for (i = 0; i < OAUTH2_KIND_MAX; i++) {
        denial = oauth2_kind_denial((oauth2_kind_e) i, 0);
        tap_ok((denial->status == 302) == (i == OAUTH2_KIND_PAGE),
               "only a page is redirected: %s is told %d",
               oauth2_kind_name((oauth2_kind_e) i), denial->status);

        denial = oauth2_kind_denial((oauth2_kind_e) i, 1);
        tap_ok(denial->status == (denial->grpc_status ? 200 : 403)
               && (denial->grpc_status != NULL) == (i >= OAUTH2_KIND_GRPC),
               "and nobody who is known");
    }
}


static void
test_header(void)
{
    unsigned  i;

    static const struct {
        const char  *name;
        int          ours;
    } cases[] = {
        { "X-Auth-Request-User", 1 },
        { "x_auth_request_user", 1 },
        { "X.Auth.Request.Anything", 1 },
        { "x-auth_request-", 1 },
        { "X-Auth-Request", 0 },
        { "X-Forwarded-User", 1 },
        { "X_Forwarded-Groups", 1 },
        { "X-Forwarded-For", 0 },
        { "X-Forwarded-Users", 0 },
        { "X-Forwarded-Email", 1 },
        { "x-forwarded_preferred.username", 1 },
        { "X-FORWARDED-ACCESS-TOKEN", 1 },
        { "X-Forwarded-User_", 0 },
        { "Remote_User", 1 },
        { "remote-groups", 1 },
        { "Remote-Name", 1 },
        { "REMOTE_EMAIL", 1 },
        { "Remote-Host", 0 },
        { "GAP~Auth", 1 },
        { "Gap-Authority", 0 },
        { "X-Vouch-User", 1 },
        { "x_pomerium_jwt_assertion", 1 },
        { "X-Original-URL", 1 },
        { "x_original-uri", 1 },
        { "X-Original_Method", 1 },
        { "X-WebAuth-User", 1 },
        { "X-Requested-With", 0 },
        { "xx", 0 },
        { "x-\xe1uth-request-user", 0 },
        { "Authorization", 0 },
        { "Cookie", 0 },
        { "", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(oauth2_header_ours(torii_str(cases[i].name)) == cases[i].ours,
               "\"%s\" %s", cases[i].name,
               cases[i].ours ? "is not a client's" : "may pass");
    }

    tap_ok(oauth2_header_same(torii_str("X_Team"), torii_str("x-team"))
           && !oauth2_header_same(torii_str("X-Team2"), torii_str("X-Team"))
           && oauth2_header_value_ok(torii_str("caf\xc3\xa9"))
           && !oauth2_header_value_ok(torii_str("a\r\nb"))
           && !oauth2_header_value_ok(torii_str("")), "names and values");
}


int
main(void)
{
    test_arena = torii_arena_create(4096);

    test_email();
    test_policy();
    test_path();
    test_skip();
    test_kind();
    test_header();

    torii_arena_destroy(test_arena);

    return tap_done();
}
