
/*
 * Logins in the table: what many Ingresses share, and what changes when objects
 * come and go.
 */

#include "tap.h"
#include "login_world.h"


/* Records are shared, and a provider is asked for what all routes want. */

static void
test_shared(void)
{
    world_t                          w;
    uint64_t                         hash;
    torii_str_t                      list;
    const ingress_ref_t             *group;
    const ingress_entry_t           *entry;
    const ingress_table_provider_t  *p;

    login_world(&w);

    world_add(&w,
              PROVIDER("d/z") PROVIDER("d/sso")
              "data b 2\ndata a 1\ndata allowed-namespaces x\n"
              PROVIDER("d/unused")
              "ingress d/one 1\nnote torii/oauth2 sso\n"
              "note torii/oauth2-allowed-groups b,a\n"
              "rule a.example Prefix / web:80\n"
              "rule a.example Prefix /two web:80\n"
              "ingress d/two 1\nnote torii/oauth2-allowed-groups b,a\n"
              "note torii/oauth2 sso\nrule b.example Prefix / web:80\n"
              "ingress d/three 1\nnote torii/oauth2 sso\n"
              "note torii/oauth2-allowed-groups c\n"
              "note torii/oauth2-write-groups a,d\n"
              "rule c.example Exact / web:80\n"
              "ingress d/four 1\nnote torii/oauth2 z\n"
              "rule d.example Exact /x web:80\n");
    world_compile(&w);

    tap_ok(ingress_table_n(&w.t, LOGINS) == 3,
           "the same login is one record: %u",
           ingress_table_n(&w.t, LOGINS));
    tap_ok(ingress_table_n(&w.t, POLICIES) == 4,
           "the same policy is one record: %u",
           ingress_table_n(&w.t, POLICIES));
    tap_ok(ingress_table_n(&w.t, PROVIDERS) == 2,
           "who is not used is not there: %u",
           ingress_table_n(&w.t, PROVIDERS));

    p = w.t.providers;

    tap_ok(strcmp(login_str(&w, p[0].name), "d/sso") == 0
           && strcmp(login_str(&w, p[1].name), "d/z") == 0,
           "providers are sorted");

    list = ingress_table_str(&w.t, p[0].groups);
    group = (const void *) list.data;

    tap_ok(list.len == 4 * sizeof(ingress_ref_t)
           && strcmp(login_str(&w, group[0]), "a") == 0
           && strcmp(login_str(&w, group[3]), "d") == 0
           && p[1].groups.len == 0, "groups of all routes, each once, sorted");

    tap_ok(p[0].routes == 5 && p[1].routes == 2,
           "routes are counted, with \"/\" that nobody wrote: %u and %u",
           p[0].routes, p[1].routes);

    list = ingress_table_str(&w.t, p[0].settings);
    entry = (const void *) list.data;

    tap_ok(list.len == 3 * sizeof(ingress_entry_t)
           && strcmp(login_str(&w, entry[0].name), "a") == 0
           && strcmp(login_str(&w, entry[1].value), "2") == 0
           && strcmp(login_str(&w, entry[2].name), "client-id") == 0,
           "settings are sorted, without what is ours");

    hash = p[0].hash;

    world_add(&w, "ingress d/five 1\nnote torii/oauth2 sso\n"
              "note torii/oauth2-allowed-groups new\n"
              "rule e.example Prefix / web:80\n");
    world_compile(&w);

    tap_ok(w.t.providers[0].hash == hash, "a route more is not a setting");

    world_add(&w, PROVIDER("d/sso") "data b 3\ndata a 1\n");
    world_compile(&w);

    tap_ok(w.t.providers[0].hash != hash, "but a value is");

    hash = w.t.providers[0].hash;

    tap_ok(ingress_store_told(w.store, torii_str("d/sso"), torii_str("{}"),
                              torii_str("{k}"), 7)
           && world_compile(&w) == TORII_OK
           && strcmp(login_str(&w, w.t.providers[0].discovery), "{}") == 0
           && strcmp(login_str(&w, w.t.providers[0].keys), "{k}") == 0
           && w.t.providers[0].fetched == 7
           && w.t.providers[0].hash == hash
           && w.t.providers[1].keys.len == 0,
           "what an issuer told of itself is beside its settings");

    world_end(&w);
}


/* A Secret comes and goes. */

static void
test_change(void)
{
    size_t       i;
    world_t      w;
    torii_buf_t  out, before;

    static const struct {
        const char  *text;      /* NULL: the Secret goes */
        const char  *found;
    } steps[] = {
        { NULL, "deny 4" },
        { PROVIDER("d/sso"), "native d/sso param=rd" },
        { "secret d/sso Opaque\n data x y\n", "deny 4" },
        { PROVIDER("d/sso"), "native d/sso param=rd" },
        { NULL, "deny 4" },
        { PROVIDER("d/sso"), "native d/sso param=rd" },
    };

    memset(&out, 0, sizeof(out));
    memset(&before, 0, sizeof(before));

    login_world(&w);
    world_add(&w, NAMED("sso"));

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {

        if (steps[i].text) {
            world_add(&w, steps[i].text);

        } else {
            (void) ingress_store_remove(w.store, INGRESS_KIND_SECRET,
                                        torii_str("d"), torii_str("sso"),
                                        torii_str(""));
        }

        world_compile(&w);

        tap_ok(strcmp(login_found(&out, &w, "a.example", "/"),
                      steps[i].found) == 0, "step %zu: %s", i,
               steps[i].found);
    }

    torii_buf_add(&before, w.out.data, w.out.len);
    world_compile(&w);

    tap_ok(before.len == w.out.len
           && memcmp(before.data, w.out.data, before.len) == 0,
           "the same objects are the same bytes");

    torii_buf_free(&before);
    torii_buf_free(&out);
    world_end(&w);
}


/* In a folder all objects are of one author; in a cluster they are not. */

static void
test_files(void)
{
    world_t      w;
    torii_buf_t  out;

    memset(&out, 0, sizeof(out));

    login_world(&w);
    w.options.cluster_namespace.len = 0;
    w.options.config.len = 0;

    world_add(&w, PROVIDER("login/sso") "data allowed-namespaces d\n"
              WEB(OWN_URL SIGNIN));
    world_compile(&w);

    tap_ok(strcmp(login_found(&out, &w, "a.example", "/"), ASKED) == 0,
           "what others say of themselves chooses nobody in a cluster");

    w.options.loopback = 1;
    world_compile(&w);

    tap_ok(strcmp(login_found(&out, &w, "a.example", "/"),
                  "native login/sso " OWN) == 0,
           "the only one that may be used: %s", (char *) out.data);

    world_add(&w, PROVIDER("login/shut"));
    world_compile(&w);

    tap_ok(strcmp(login_found(&out, &w, "a.example", "/"),
                  "native login/sso " OWN) == 0,
           "another that may not be used makes no difference");

    world_add(&w, PROVIDER("login/more") "data allowed-namespaces d\n");
    world_compile(&w);

    tap_ok(strcmp(login_found(&out, &w, "a.example", "/"), ASKED) == 0
           && login_reason(&w, "LoginProvider"), "of two it is neither");

    torii_buf_free(&out);
    world_end(&w);
}


static void
test_want(void *data, ingress_kind_e kind, torii_str_t namespace,
    torii_str_t name)
{
    torii_buf_printf(data, "%s %.*s/%.*s;", ingress_kind_name(kind),
                     torii_str_arg(namespace), torii_str_arg(name));
}


static void
test_wanted(void)
{
    world_t      w;
    torii_buf_t  out;

    memset(&out, 0, sizeof(out));

    login_world(&w);

    world_add(&w, "config edge/torii\ndata torii-oauth2 edge/sso\n"
              "ingress d/web 1\nnote torii/oauth2 other/sso\n"
              "note auth-secret users\nnote auth-proxy-set-headers x/y\n"
              "rule a.example Prefix / web:80\n"
              "ingress e/web 1\nnote auth-proxy-set-headers e/y\n"
              "rule b.example Prefix / web:80\n");
    world_compile(&w);

    ingress_store_wanted(w.store, &w.options, test_want, &out);
    torii_buf_add(&out, "", 1);

    tap_ok(strcmp((char *) out.data, "ConfigMap edge/torii;Secret edge/sso;"
                  "ConfigMap e/y;Secret d/users;Secret other/sso;") == 0,
           "objects that logins refer to are wanted: %s", (char *) out.data);

    torii_buf_free(&out);
    world_end(&w);
}


int
main(void)
{
    test_shared();
    test_change();
    test_files();
    test_wanted();

    return tap_done();
}
