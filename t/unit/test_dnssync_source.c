
/*
 * From objects to endpoints: hosts, annotations under three prefixes, targets,
 * what is kept and what is told of.
 */

#include "dnssync_source.h"
#include "tap.h"


#define ALPHA  "external-dns.alpha.kubernetes.io/"
#define GA     "external-dns.kubernetes.io/"
#define OWN    "torii/dns-"


typedef struct {
    const char  *what;
    const char  *annotations[4][2];
    const char  *endpoints;    /* "HOST TYPE TARGETS; ..." */
    const char  *findings;     /* their words */
} test_case_t;


static const test_case_t  test_cases[] = {
    { "hosts of rules", { { NULL, NULL } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "" },
    { "more hosts", { { ALPHA "hostname", "B.a.test., c.a.test ,, d.a.test" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1; "
      "b.a.test A 192.0.2.1; b.a.test AAAA 2001:db8::1; "
      "c.a.test A 192.0.2.1; c.a.test AAAA 2001:db8::1; "
      "d.a.test A 192.0.2.1; d.a.test AAAA 2001:db8::1", "" },
    { "those only", { { GA "hostname", "b.a.test" },
      { GA "ingress-hostname-source", "Annotation-Only" } },
      "b.a.test A 192.0.2.1; b.a.test AAAA 2001:db8::1", "" },
    { "not those", { { GA "hostname", "b.a.test" },
      { GA "ingress-hostname-source", "defined-hosts-only" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "" },
    { "a word that is not known keeps all there is (trap 20)",
      { { GA "ingress-hostname-source", "annotations-only" },
        { GA "hostname", "b.a.test" } },
      "- * -; app.a.test * -; b.a.test * -", "annotation" },
    { "targets", { { ALPHA "target", "192.0.2.9, 2001:DB8::9" } },
      "app.a.test A 192.0.2.9 said; app.a.test AAAA 2001:db8::9 said", "" },
    { "an alias", { { ALPHA "target", "LB.Example.COM." } },
      "app.a.test CNAME lb.example.com said", "" },
    { "a target that is none keeps all there is",
      { { ALPHA "target", "192.0.2.9,no host" },
        { ALPHA "ttl", "60" } },
      "app.a.test A 192.0.2.9 ttl=60 said; app.a.test CNAME nohost ttl=60 "
      "said", "" },
    { "another", { { ALPHA "target", "192.0.2.9,b\xc3\xbc.test" } },
      "- * - said; app.a.test * - said", "target" },
    { "no target at all", { { ALPHA "target", " , " } },
      "- * - said; app.a.test * - said", "annotation" },
    { "a TTL", { { ALPHA "ttl", "1m30s" } },
      "app.a.test A 192.0.2.1 ttl=90; app.a.test AAAA 2001:db8::1 ttl=90",
      "" },
    { "none", { { ALPHA "ttl", "soon" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "annotation" },
    { "another controller", { { ALPHA "controller", "dns-other" } }, "", "" },
    { "this one", { { ALPHA "controller", "dns-controller" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "" },
    { "prefixes that disagree: the newer one", { { GA "ttl", "60" },
      { ALPHA "ttl", "90" } },
      "app.a.test A 192.0.2.1 ttl=60; app.a.test AAAA 2001:db8::1 ttl=60",
      "annotation" },
    { "ours before both", { { ALPHA "ttl", "90" }, { OWN "ttl", "30" },
      { GA "ttl", "30" } },
      "app.a.test A 192.0.2.1 ttl=30; app.a.test AAAA 2001:db8::1 ttl=30",
      "annotation" },
    { "options, and what pins a zone", { { GA "aws-weight", "10" },
      { GA "set-identifier", "eu" }, { GA "alias", "true" },
      { GA "aws-hosted-zone-id", "Z1" } },
      "app.a.test A 192.0.2.1 set=eu zone=Z1 aws/weight=10 "
      "aws/hosted-zone-id=Z1 alias=true; app.a.test AAAA 2001:db8::1 set=eu "
      "zone=Z1 aws/weight=10 aws/hosted-zone-id=Z1 alias=true", "" },
    { "an option twice", { { ALPHA "azure-tags", "a=b" },
      { GA "azure-tags", "a=b" } }, "app.a.test A 192.0.2.1 azure/tags=a=b; "
      "app.a.test AAAA 2001:db8::1 azure/tags=a=b", "" },
    { "an annotation that is not known", { { GA "hostnames", "x" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "annotation" },
    { "one that is none of ours", { { "a/hostname", "x" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "" },
    { "a control character", { { GA "hostname", "b.a.test\ncc" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "annotation" },
    { "names that are none", { { GA "hostname", "b\xc3\xbc.test,a..b,\\052.x" }
      }, "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1",
      "name name name" },
    { "what the gateway does not serve keeps what it has",
      { { GA "hostname", "unserved.a.test" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1; "
      "unserved.a.test * -", "not-served" },
    { "PTR", { { GA "record-type", "ptr" } },
      "app.a.test A 192.0.2.1; app.a.test AAAA 2001:db8::1", "type" },
    { "an access that is no view's", { { GA "access", "private" } }, "", "" },
    { "one that is none", { { GA "access", "secret" } },
      "- * -; app.a.test * -", "annotation" }
};


static int
test_served(void *data, torii_str_t host)
{
    return !torii_str_starts(host, "unserved");
}


static const char *
test_text(const dnssync_endpoints_t *list, torii_buf_t *b)
{
    uint32_t                   i, k;
    const char                *type;
    const dnssync_endpoint_t  *e;

    b->len = 0;

    for (i = 0; i < list->n; i++) {
        e = &list->endpoints[i];
        type = dnssync_type_word(e->type);

        torii_buf_printf(b, "%s%.*s %s ", i ? "; " : "",
                         torii_str_arg(e->name.len ? e->name
                                                   : torii_str("-")),
                         type ? type : "*");

        for (k = 0; k < e->n; k++) {
            torii_buf_printf(b, "%s%.*s", k ? "," : "",
                             torii_str_arg(e->targets[k]));
        }

        torii_buf_adds(b, e->n ? "" : "-");

        if (e->set.len) {
            torii_buf_printf(b, " set=%.*s", torii_str_arg(e->set));
        }

        if (e->zone.len) {
            torii_buf_printf(b, " zone=%.*s", torii_str_arg(e->zone));
        }

        if (e->ttl) {
            torii_buf_printf(b, " ttl=%u", e->ttl);
        }

        for (k = 0; k < e->noptions; k++) {
            torii_buf_printf(b, " %.*s=%.*s",
                             torii_str_arg(e->options[k].name),
                             torii_str_arg(e->options[k].value));
        }

        torii_buf_adds(b, e->said ? " said" : "");
    }

    torii_buf_add(b, "", 1);

    return (const char *) b->data;
}


static const char *
test_words(const dnssync_plan_t *plan, torii_buf_t *b)
{
    uint32_t  i;

    b->len = 0;

    for (i = 0; i < plan->nfindings; i++) {
        torii_buf_printf(b, "%s%s", i ? " " : "",
                         dnssync_why_word(plan->findings[i].why));
    }

    torii_buf_add(b, "", 1);

    return (const char *) b->data;
}


static void
test_run(const char *what, const dnssync_source_conf_t *conf,
    const dnssync_object_t *object, const char *endpoints,
    const char *findings)
{
    int                  ok;
    torii_buf_t          b = { NULL, 0, 0 };
    dnssync_plan_t       plan;
    dnssync_endpoints_t  list;

    memset(&plan, 0, sizeof(dnssync_plan_t));
    memset(&list, 0, sizeof(dnssync_endpoints_t));

    plan.arena = torii_arena_create(4096);

    dnssync_endpoints(&list, &plan, conf, object);

    ok = strcmp(test_text(&list, &b), endpoints) == 0;

    if (!tap_ok(ok && strcmp(test_words(&plan, &b), findings) == 0, "%s",
                what))
    {
        printf("# %s\n", test_text(&list, &b));
        printf("# %s\n", test_words(&plan, &b));
    }

    torii_buf_free(&b);
    torii_arena_destroy(plan.arena);
}


static const torii_str_t  test_addresses[] = {
    torii_string("192.0.2.1"), torii_string("2001:DB8::1")
};

static const torii_str_t  test_hosts[] = { torii_string("App.a.test") };
static const torii_str_t  test_tls[] = { torii_string("tls.a.test") };


static void
test_annotations(void)
{
    size_t                  i;
    dnssync_view_t          view;
    dnssync_option_t        annotations[4];
    dnssync_object_t        object;
    const test_case_t      *t;
    dnssync_source_conf_t   conf;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        t = &test_cases[i];

        memset(&view, 0, sizeof(dnssync_view_t));
        memset(&conf, 0, sizeof(dnssync_source_conf_t));
        memset(&object, 0, sizeof(dnssync_object_t));

        view.addresses = test_addresses;
        view.n = 2;

        conf.views = &view;
        conf.nviews = 1;
        conf.served = test_served;

        object.resource = torii_str("ingress/d/app");
        object.hosts = test_hosts;
        object.n = 1;
        object.tls = test_tls;
        object.ntls = 1;
        object.annotations = annotations;

        while (object.nannotations < 4
               && t->annotations[object.nannotations][0] != NULL)
        {
            annotations[object.nannotations].name =
                torii_str(t->annotations[object.nannotations][0]);
            annotations[object.nannotations].value =
                torii_str(t->annotations[object.nannotations][1]);
            object.nannotations++;
        }

        test_run(t->what, &conf, &object, t->endpoints, t->findings);
    }
}


static void
test_views(void)
{
    dnssync_view_t          views[2];
    dnssync_object_t        object;
    dnssync_option_t        annotation;
    dnssync_source_conf_t   conf;

    memset(views, 0, sizeof(views));
    memset(&conf, 0, sizeof(dnssync_source_conf_t));
    memset(&object, 0, sizeof(dnssync_object_t));

    views[0].name = torii_str("public");
    views[0].addresses = test_addresses;
    views[0].n = 1;
    views[0].keep = DNSSYNC_HAS_AAAA;
    views[1].name = torii_str("private");

    conf.views = views;
    conf.nviews = 2;

    object.resource = torii_str("ingress/d/app");
    object.hosts = test_hosts;
    object.n = 1;
    object.tls = test_tls;
    object.ntls = 1;

    test_run("a family and a view without addresses keep what they have",
             &conf, &object, "app.a.test A 192.0.2.1; app.a.test AAAA -; "
             "app.a.test * -", "no-targets");

    annotation.name = torii_str(GA "access");
    annotation.value = torii_str("public");
    object.annotations = &annotation;
    object.nannotations = 1;
    conf.tls_hosts = 1;

    test_run("one view, and hosts of TLS as asked for", &conf, &object,
             "app.a.test A 192.0.2.1; app.a.test AAAA -; "
             "tls.a.test A 192.0.2.1; tls.a.test AAAA -", "");
}


static void
test_ttls(void)
{
    int       ok;
    size_t    i;
    uint32_t  ttl;

    static const struct {
        const char  *text;
        int          ok;
        uint32_t     ttl;
    } cases[] = {
        { "0", 1, 0 }, { "300", 1, 300 }, { "2147483647", 1, 2147483647 },
        { "2147483648", 0, 0 }, { "-1", 0, 0 }, { "1m30s", 1, 90 },
        { "1h", 1, 3600 }, { "1.5h", 1, 5400 }, { "90.9s", 1, 90 },
        { "1500ms", 1, 1 }, { "1h1m1s", 1, 3661 }, { "999999h", 0, 0 },
        { "1d", 0, 0 }, { "m", 0, 0 }, { "", 0, 0 }, { "1m ", 0, 0 },
        { "1.", 0, 0 }, { "99999999999s", 0, 0 }, { "596523h14m7s", 1,
        2147483647 }, { "596523h14m8s", 0, 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ttl = 0;
        ok = dnssync_ttl_read(torii_str(cases[i].text), &ttl) == TORII_OK;

        tap_ok(ok == cases[i].ok && (!ok || ttl == cases[i].ttl),
               "ttl \"%s\"", cases[i].text);
    }
}


int
main(void)
{
    test_annotations();
    test_views();
    test_ttls();

    return tap_done();
}
