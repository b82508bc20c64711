
/*
 * Issuers of logins, asked by the helper: the discovery document and then the
 * set of keys, again when their time is over, and after a failure later and
 * later.  Only both together, and only sound ones, replace what there is.
 */

#include "ngx_torii_discovery_ask.h"
#include "ngx_torii_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>


static void ngx_torii_discovery_loaded(void *ctx, torii_str_t name,
    torii_str_t data);
static void ngx_torii_discovery_kept(ngx_torii_discovery_t *d,
    torii_str_t name, const torii_node_t *doc, torii_str_t discovery,
    torii_str_t keys, int64_t fetched);
static ngx_torii_discovery_one_t *ngx_torii_discovery_get(
    ngx_torii_discovery_t *d, torii_str_t name, torii_str_t further);
static void ngx_torii_discovery_provider(ngx_torii_discovery_t *d,
    const ingress_table_t *t, const ingress_table_provider_t *record);
static ngx_torii_discovery_one_t *ngx_torii_discovery_look(
    ngx_torii_discovery_t *d, const ingress_table_t *t,
    const ingress_table_provider_t *record, torii_str_t further);
static ngx_torii_discovery_one_t *ngx_torii_discovery_one(
    ngx_torii_discovery_t *d, const ingress_table_t *t,
    const ingress_table_provider_t *record, torii_str_t further);
static void ngx_torii_discovery_settings(ngx_torii_discovery_one_t *one,
    const ingress_table_t *t, const ingress_table_provider_t *record);
static void ngx_torii_discovery_ca(ngx_torii_discovery_one_t *one);
static void ngx_torii_discovery_held(ngx_torii_discovery_one_t *one,
    const ingress_table_t *t, const ingress_table_provider_t *record);
static void ngx_torii_discovery_issuers(ngx_torii_discovery_one_t *one,
    const ingress_table_t *t, const ingress_table_provider_t *record);
static void ngx_torii_discovery_free(ngx_torii_discovery_one_t *one);
static ingress_finding_t *ngx_torii_discovery_finding(
    ngx_torii_discovery_t *d, ngx_torii_discovery_one_t *one);


ngx_torii_discovery_t *
ngx_torii_discovery_create(ngx_torii_helper_t *h)
{
    u_char                 *p;
    ngx_torii_discovery_t  *d;

    d = ngx_pcalloc(h->pool, sizeof(ngx_torii_discovery_t));
    p = ngx_pnalloc(h->pool, h->tmcf->private_dir.len + sizeof("/oauth2"));

    if (d == NULL || p == NULL) {
        return NULL;
    }

    d->helper = h;
    d->log = h->log;
    d->dir.data = p;
    d->dir.len = ngx_sprintf(p, "%V/oauth2", &h->tmcf->private_dir) - p;
    d->dir.data[d->dir.len] = '\0';

    ngx_queue_init(&d->all);

    d->curl = ngx_torii_curl_create(h->pool, h->log);
    if (d->curl == NULL) {
        return NULL;
    }

    ngx_torii_file_each(&d->dir, ngx_torii_discovery_loaded, d, h->log);

    return d;
}


/* {"issuer": …, "fetched": …, "discovery": …, "keys": …}, of "ns/name.json",
   and of "ns/name@….json" for a further issuer */

static void
ngx_torii_discovery_loaded(void *ctx, torii_str_t name, torii_str_t data)
{
    ngx_torii_discovery_t *d = ctx;

    int64_t         fetched;
    torii_str_t     discovery, keys;
    torii_node_t   *doc;
    torii_arena_t  *arena;

    if (name.len <= sizeof(".json") - 1
        || ngx_memcmp(name.data + name.len - (sizeof(".json") - 1), ".json",
                      sizeof(".json") - 1)
           != 0)
    {
        return;
    }

    name.len -= sizeof(".json") - 1;

    arena = torii_arena_create(16384);
    doc = oauth2_claims(arena, data, 4 * OAUTH2_BODY_MAX);

    if (doc
        && oauth2_claim_str(doc, "discovery", OAUTH2_BODY_MAX, &discovery)
           == TORII_OK
        && oauth2_claim_str(doc, "keys", OAUTH2_BODY_MAX, &keys) == TORII_OK
        && oauth2_claim_time(doc, "fetched", &fetched) == TORII_OK)
    {
        ngx_torii_discovery_kept(d, name, doc, discovery, keys, fetched);

    } else {
        ngx_log_error(NGX_LOG_WARN, d->log, 0,
                      "torii: what was kept of login provider \"%*s\" cannot "
                      "be read, and is asked for anew", name.len, name.data);
    }

    torii_arena_destroy(arena);
}


static void
ngx_torii_discovery_kept(ngx_torii_discovery_t *d, torii_str_t name,
    const torii_node_t *doc, torii_str_t discovery, torii_str_t keys,
    int64_t fetched)
{
    u_char       *at;
    torii_str_t   issuer;

    at = ngx_strlchr(name.data, name.data + name.len, '@');

    if (at == NULL) {
        (void) ingress_store_told(d->helper->store, name, discovery, keys,
                                  (uint64_t) fetched);
        return;
    }

    name.len = at - name.data;

    if (oauth2_claim_str(doc, "issuer", OAUTH2_URL_MAX, &issuer) == TORII_OK
        && issuer.len)
    {
        (void) ingress_store_told_issuer(d->helper->store, name, issuer, keys);
    }
}


void
ngx_torii_discovery_compiled(ngx_torii_discovery_t *d)
{
    uint32_t                        i;
    ngx_queue_t                    *q, *next;
    ingress_table_t                 t;
    const ingress_section_t        *s;
    ngx_torii_discovery_one_t      *one;

    ngx_memzero(&t, sizeof(ingress_table_t));

    /* our own bytes: they are sound */

    t.map = d->helper->out.data;
    t.size = d->helper->out.len;
    t.header = (const ingress_table_header_t *) t.map;

    s = t.header->sections;
    t.providers = (const ingress_table_provider_t *)
                      (t.map + s[INGRESS_SECTION_PROVIDERS].off);
    t.pool = t.map + s[INGRESS_SECTION_POOL].off;

    for (q = ngx_queue_head(&d->all);
         q != ngx_queue_sentinel(&d->all);
         q = ngx_queue_next(q))
    {
        one = ngx_queue_data(q, ngx_torii_discovery_one_t, queue);
        one->seen = 0;
    }

    for (i = 0; i < s[INGRESS_SECTION_PROVIDERS].n; i++) {
        ngx_torii_discovery_provider(d, &t, &t.providers[i]);
    }

    for (q = ngx_queue_head(&d->all); q != ngx_queue_sentinel(&d->all);
         q = next)
    {
        next = ngx_queue_next(q);
        one = ngx_queue_data(q, ngx_torii_discovery_one_t, queue);

        if (!one->seen && one->transfer == NULL) {
            ngx_torii_discovery_free(one);
        }
    }

    if (d->again) {
        d->again = 0;
        ngx_torii_pipeline_changed(d->helper, ngx_torii_publish_us());
        ngx_torii_pipeline_publish(d->helper);
    }

    /* at once, without waiting for the next second */

    ngx_torii_discovery_beat(d);
}


static ngx_torii_discovery_one_t *
ngx_torii_discovery_get(ngx_torii_discovery_t *d, torii_str_t name,
    torii_str_t further)
{
    ngx_queue_t                *q;
    ngx_torii_discovery_one_t  *one;

    for (q = ngx_queue_head(&d->all);
         q != ngx_queue_sentinel(&d->all);
         q = ngx_queue_next(q))
    {
        one = ngx_queue_data(q, ngx_torii_discovery_one_t, queue);

        if (torii_str_eq(one->name, name)
            && torii_str_eq(one->further, further))
        {
            return one;
        }
    }

    return NULL;
}


static void
ngx_torii_discovery_provider(ngx_torii_discovery_t *d,
    const ingress_table_t *t, const ingress_table_provider_t *record)
{
    uint32_t                    i;
    ngx_torii_discovery_one_t  *one;

    one = ngx_torii_discovery_look(d, t, record, torii_str(""));

    if (one->stale || !one->sound) {
        return;
    }

    for (i = 0; i < one->settings.nissuers; i++) {
        (void) ngx_torii_discovery_look(d, t, record,
                                        one->settings.issuers[i].issuer);
    }
}


static ngx_torii_discovery_one_t *
ngx_torii_discovery_look(ngx_torii_discovery_t *d, const ingress_table_t *t,
    const ingress_table_provider_t *record, torii_str_t further)
{
    ngx_torii_discovery_one_t  *one;

    one = ngx_torii_discovery_get(d, ingress_table_str(t, record->name),
                                  further);

    if (one && (one->hash != record->hash || one->stale)) {

        if (one->transfer) {

            one->seen = 1;
            one->stale = 1;
            return one;
        }

        ngx_torii_discovery_free(one);
        one = NULL;
    }

    if (one == NULL) {
        one = ngx_torii_discovery_one(d, t, record, further);
    }

    one->seen = 1;

    return one;
}


static ngx_torii_discovery_one_t *
ngx_torii_discovery_one(ngx_torii_discovery_t *d, const ingress_table_t *t,
    const ingress_table_provider_t *record, torii_str_t further)
{
    ngx_torii_discovery_one_t  *one;

    one = torii_zalloc(sizeof(ngx_torii_discovery_one_t));

    one->discovery = d;
    one->arena = torii_arena_create(4096);
    one->name = torii_arena_str(one->arena, ingress_table_str(t,
                                                              record->name));
    one->further = torii_arena_str(one->arena, further);
    one->hash = record->hash;
    one->keys = oauth2_keys_create();

    ngx_queue_insert_tail(&d->all, &one->queue);

    ngx_torii_discovery_settings(one, t, record);

    if (one->asks) {
        ngx_torii_discovery_ca(one);
    }

    if (one->sound) {
        ngx_torii_discovery_issuers(one, t, record);
    }

    if (one->asks && one->further.len == 0) {
        ngx_torii_discovery_held(one, t, record);
    }

    return one;
}


static void
ngx_torii_discovery_settings(ngx_torii_discovery_one_t *one,
    const ingress_table_t *t, const ingress_table_provider_t *record)
{
    uint32_t                i, n;
    torii_str_t             list;
    oauth2_setting_t       *in;
    const ingress_entry_t  *entry;

    list = ingress_table_str(t, record->settings);
    entry = (const ingress_entry_t *) list.data;
    n = list.len / sizeof(ingress_entry_t);

    in = torii_arena_alloc(one->arena, (n + 1) * sizeof(oauth2_setting_t));

    for (i = 0; i < n; i++) {
        in[i].name = torii_arena_str(one->arena,
                                     ingress_table_str(t, entry[i].name));
        in[i].value = torii_arena_str(one->arena,
                                      ingress_table_str(t, entry[i].value));
    }

    one->sound = oauth2_settings_read(one->arena, one->name, in, n,
                                      &one->settings, ngx_torii_login_check,
                                      one)
                 == TORII_OK;

    if (one->sound) {
        one->asks = one->further.len || one->settings.provider.type->oidc;
        one->issuer = one->further.len ? one->further
                                       : one->settings.provider.issuer;
    }
}


static void
ngx_torii_discovery_ca(ngx_torii_discovery_one_t *one)
{
    BIO          *bio;
    X509         *cert;
    torii_str_t   ca;

    ca = one->settings.ca;

    if (ca.len == 0) {
        return;
    }

    bio = BIO_new_mem_buf(ca.data, (int) ca.len);
    one->tls.store = X509_STORE_new();

    while (bio && one->tls.store) {
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (cert == NULL) {
            break;
        }

        (void) X509_STORE_add_cert(one->tls.store, cert);
        X509_free(cert);
    }

    BIO_free(bio);
    ERR_clear_error();
}


/* Of another issuer, from before its Secret was changed: not to be used. */

static void
ngx_torii_discovery_held(ngx_torii_discovery_one_t *one,
    const ingress_table_t *t, const ingress_table_provider_t *record)
{
    const char          *error;
    torii_str_t          discovery;
    torii_arena_t       *arena;
    oauth2_endpoints_t   endpoints;

    discovery = ingress_table_str(t, record->discovery);

    if (discovery.len == 0) {
        return;
    }

    arena = torii_arena_create(16384);

    one->known = oauth2_discovery_read(arena,
                                       torii_arena_str(arena, discovery),
                                       one->settings.provider.issuer,
                                       one->settings.provider.algs,
                                       one->settings.provider.loopback,
                                       &endpoints, &error)
                 == TORII_OK;

    torii_arena_destroy(arena);

    if (!one->known
        && ingress_store_told(one->discovery->helper->store, one->name,
                              torii_str(""), torii_str(""), 0))
    {
        ngx_torii_pipeline_changed(one->discovery->helper,
                                   ngx_torii_publish_us());
    }
}


/*
 * What is held of further issuers: one of them finds its keys there, and the
 * provider those that it does not name any more.
 */

static void
ngx_torii_discovery_issuers(ngx_torii_discovery_one_t *one,
    const ingress_table_t *t, const ingress_table_provider_t *record)
{
    uint32_t                i, k, n;
    torii_str_t             list, issuer;
    const ingress_entry_t  *entry;

    list = ingress_table_str(t, record->issuers);
    entry = (const ingress_entry_t *) list.data;
    n = list.len / sizeof(ingress_entry_t);

    for (i = 0; i < n; i++) {
        issuer = ingress_table_str(t, entry[i].name);

        if (one->further.len) {
            one->known |= torii_str_eq(one->further, issuer);
            continue;
        }

        for (k = 0; k < one->settings.nissuers; k++) {
            if (torii_str_eq(one->settings.issuers[k].issuer, issuer)) {
                break;
            }
        }

        if (k == one->settings.nissuers) {
            ngx_torii_discovery_drop(one->discovery, one->name, issuer);
        }
    }
}


static void
ngx_torii_discovery_free(ngx_torii_discovery_one_t *one)
{
    uint32_t  i;

    ngx_queue_remove(&one->queue);

    if (one->wrong.first) {
        one->discovery->again = 1;
    }

    if (one->tls.store) {
        ngx_torii_curl_forget(one->discovery->curl, &one->tls);
        X509_STORE_free(one->tls.store);
    }

    for (i = 0; i < one->settings.nsecrets; i++) {
        OPENSSL_cleanse(one->settings.secrets[i].data,
                        one->settings.secrets[i].len);
    }

    for (i = 0; i < one->settings.provider.nsecrets; i++) {
        OPENSSL_cleanse(one->settings.provider.secrets[i].data,
                        one->settings.provider.secrets[i].len);
    }

    oauth2_keys_free(one->keys);
    torii_buf_free(&one->document);
    torii_buf_free(&one->body);
    torii_buf_free(&one->cache);
    torii_arena_destroy(one->arena);
    free(one);
}


void
ngx_torii_discovery_beat(ngx_torii_discovery_t *d)
{
    ngx_queue_t                *q;
    ngx_torii_discovery_one_t  *one;

    for (q = ngx_queue_head(&d->all);
         q != ngx_queue_sentinel(&d->all);
         q = ngx_queue_next(q))
    {
        one = ngx_queue_data(q, ngx_torii_discovery_one_t, queue);

        if (!one->asks || !one->seen || one->transfer
            || oauth2_keys_tick(one->keys, ngx_time()) != OAUTH2_KEYS_FETCH)
        {
            continue;
        }

        ngx_torii_discovery_ask(one);
    }
}


static ingress_finding_t *
ngx_torii_discovery_finding(ngx_torii_discovery_t *d,
    ngx_torii_discovery_one_t *one)
{
    if (one->further.len) {
        return ingress_finding_add(&d->findings, INGRESS_WARNING,
                                   "IssuerUnreachable",
                                   torii_str("data[extra-jwt-issuers]"),
                                   one->further, "the issuer %s; %s",
                                   one->error,
                                   one->known ? "the keys that it had are used"
                                              : "its tokens are refused until "
                                                "it does");
    }

    return ingress_finding_add(&d->findings,
                               one->known ? INGRESS_WARNING : INGRESS_ERROR,
                               "IssuerUnreachable",
                               torii_str("data[oidc-issuer-url]"),
                               torii_str(""), "the issuer %s; %s", one->error,
                               one->known ? "what it said before is used"
                                          : "nobody can log in until it does");
}


const ingress_finding_t *
ngx_torii_discovery_findings(ngx_torii_discovery_t *d,
    const ingress_finding_t *others)
{
    u_char                     *slash;
    ngx_queue_t                *q;
    ingress_finding_t          *f;
    ngx_torii_discovery_one_t  *one;

    if (d->said) {
        torii_arena_destroy(d->said);
    }

    d->said = torii_arena_create(1024);
    ingress_findings_init(&d->findings, d->said);

    for (q = ngx_queue_head(&d->all);
         q != ngx_queue_sentinel(&d->all);
         q = ngx_queue_next(q))
    {
        one = ngx_queue_data(q, ngx_torii_discovery_one_t, queue);

        if (one->seen) {
            ngx_torii_login_check_tell(one, &d->findings);
        }

        if (one->error == NULL || !one->seen) {
            continue;
        }

        f = ngx_torii_discovery_finding(d, one);

        slash = ngx_strlchr(one->name.data, one->name.data + one->name.len,
                            '/');
        if (slash == NULL) {
            continue;
        }

        f->kind = torii_str("Secret");
        f->namespace.data = one->name.data;
        f->namespace.len = slash - one->name.data;
        f->namespace = torii_arena_str(d->said, f->namespace);
        f->name.data = slash + 1;
        f->name.len = one->name.data + one->name.len - (slash + 1);
        f->name = torii_arena_str(d->said, f->name);
    }

    if (d->findings.first == NULL) {
        return others;
    }

    *d->findings.last = (ingress_finding_t *) others;

    return d->findings.first;
}
