
/*
 * Providers of logins in one process: the settings of a table's record, its
 * endpoints and its keys, read once for as long as the record stays the same,
 * over as many tables as that is.
 */

#include "ngx_http_torii_login.h"

#include <openssl/err.h>
#include <openssl/pem.h>


typedef struct {
    ngx_http_torii_provider_t  *provider;
} ngx_http_torii_provider_slot_t;


static ngx_int_t ngx_http_torii_provider_room(ngx_torii_table_t *table);
static void ngx_http_torii_provider_forget(void *data);
static uint64_t ngx_http_torii_provider_hash(const ingress_table_t *t,
    const ingress_table_provider_t *record);
static ngx_http_torii_provider_t *ngx_http_torii_provider_find(
    uint64_t hash);
static ngx_http_torii_provider_t *ngx_http_torii_provider_create(
    const ingress_table_t *t, const ingress_table_provider_t *record,
    ngx_log_t *log);
static ngx_int_t ngx_http_torii_provider_read(ngx_http_torii_provider_t *p,
    const ingress_table_t *t, const ingress_table_provider_t *record,
    ngx_log_t *log);
static ngx_int_t ngx_http_torii_provider_settings(
    ngx_http_torii_provider_t *p, const ingress_table_t *t,
    const ingress_table_provider_t *record, ngx_log_t *log);
static void ngx_http_torii_provider_error(void *data, torii_str_t name,
    const char *text);
static ngx_int_t ngx_http_torii_provider_ring(ngx_http_torii_provider_t *p,
    ngx_log_t *log);
static void ngx_http_torii_provider_projection(ngx_http_torii_provider_t *p,
    const ingress_table_t *t, const ingress_table_provider_t *record);
static void ngx_http_torii_provider_endpoints(ngx_http_torii_provider_t *p,
    torii_str_t discovery, ngx_log_t *log);
static void ngx_http_torii_provider_keys(ngx_http_torii_provider_t *p,
    torii_str_t jwks, uint64_t fetched, ngx_log_t *log);
static ngx_int_t ngx_http_torii_provider_ca(ngx_http_torii_provider_t *p,
    ngx_log_t *log);
static void ngx_http_torii_provider_retire(ngx_event_t *ev);


typedef struct {
    ngx_log_t                  *log;
    torii_str_t                 id;
} ngx_http_torii_provider_told_t;


/* Of this process: they outlive tables. */
static ngx_queue_t  ngx_http_torii_providers;


ngx_http_torii_provider_t *
ngx_http_torii_provider(ngx_torii_table_t *table, uint32_t index,
    ngx_log_t *log)
{
    uint64_t                         hash;
    ngx_http_torii_provider_t       *p;
    const ingress_table_provider_t  *record;
    ngx_http_torii_provider_slot_t  *slot;

    if (index >= ingress_table_n(&table->table, PROVIDERS)) {
        return NULL;
    }

    if (table->logins == NULL
        && ngx_http_torii_provider_room(table) != NGX_OK)
    {
        return NULL;
    }

    slot = (ngx_http_torii_provider_slot_t *) table->logins + index;

    if (slot->provider == NULL) {
        record = &table->table.providers[index];
        hash = ngx_http_torii_provider_hash(&table->table, record);

        p = ngx_http_torii_provider_find(hash);

        if (p == NULL) {
            p = ngx_http_torii_provider_create(&table->table, record, log);
            if (p == NULL) {
                return NULL;
            }

            p->hash = hash;
        }

        ngx_http_torii_provider_hold(p);
        slot->provider = p;
    }

    return slot->provider->usable ? slot->provider : NULL;
}


static ngx_int_t
ngx_http_torii_provider_room(ngx_torii_table_t *table)
{
    ngx_uint_t           n;
    ngx_pool_cleanup_t  *cln;

    n = ingress_table_n(&table->table, PROVIDERS);

    cln = ngx_pool_cleanup_add(table->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    table->logins = ngx_pcalloc(table->pool, (n + 1)
                                    * sizeof(ngx_http_torii_provider_slot_t));
    if (table->logins == NULL) {
        return NGX_ERROR;
    }

    table->nlogins = n;

    cln->handler = ngx_http_torii_provider_forget;
    cln->data = table;

    return NGX_OK;
}


/* The table's file is closed by now. */

static void
ngx_http_torii_provider_forget(void *data)
{
    ngx_torii_table_t *table = data;

    ngx_http_torii_provider_slot_t  *slot, *last;

    slot = table->logins;
    last = slot + table->nlogins;

    for ( /* void */ ; slot < last; slot++) {
        if (slot->provider) {
            ngx_http_torii_provider_leave(slot->provider);
        }
    }
}


static uint64_t
ngx_http_torii_provider_hash(const ingress_table_t *t,
    const ingress_table_provider_t *record)
{
    uint32_t              i, n;
    uint64_t              hash;
    torii_str_t           s;
    const ingress_ref_t  *groups;

    s = ingress_table_str(t, record->name);
    hash = torii_hash(s.data, s.len, record->hash);

    s = ingress_table_str(t, record->discovery);
    hash = torii_hash(s.data, s.len, hash);

    s = ingress_table_str(t, record->keys);
    hash = torii_hash(s.data, s.len, hash);

    hash = ngx_http_torii_login_issuers_hash(t, record, hash);

    s = ingress_table_str(t, record->groups);
    groups = (const ingress_ref_t *) s.data;
    n = s.len / sizeof(ingress_ref_t);

    for (i = 0; i < n; i++) {
        s = ingress_table_str(t, groups[i]);
        hash = torii_hash(s.data, s.len, hash);
    }

    return hash;
}


static ngx_http_torii_provider_t *
ngx_http_torii_provider_find(uint64_t hash)
{
    ngx_queue_t                *q;
    ngx_http_torii_provider_t  *p;

    if (ngx_http_torii_providers.next == NULL) {
        ngx_queue_init(&ngx_http_torii_providers);
    }

    for (q = ngx_queue_head(&ngx_http_torii_providers);
         q != ngx_queue_sentinel(&ngx_http_torii_providers);
         q = ngx_queue_next(q))
    {
        p = ngx_queue_data(q, ngx_http_torii_provider_t, queue);

        if (p->hash == hash) {
            return p;
        }
    }

    return NULL;
}


static ngx_http_torii_provider_t *
ngx_http_torii_provider_create(const ingress_table_t *t,
    const ingress_table_provider_t *record, ngx_log_t *log)
{
    ngx_http_torii_provider_t  *p;

    p = ngx_calloc(sizeof(ngx_http_torii_provider_t), log);
    if (p == NULL) {
        return NULL;
    }

    p->dummy.fd = (ngx_socket_t) -1;
    p->dummy.data = p;
    ngx_queue_init(&p->waiting);

    p->arena = torii_arena_create(4096);
    p->id = torii_arena_str(p->arena, ingress_table_str(t, record->name));

    p->usable = (ngx_http_torii_provider_read(p, t, record, log) == NGX_OK);

    ngx_queue_insert_head(&ngx_http_torii_providers, &p->queue);

    return p;
}


static ngx_int_t
ngx_http_torii_provider_read(ngx_http_torii_provider_t *p,
    const ingress_table_t *t, const ingress_table_provider_t *record,
    ngx_log_t *log)
{
    if (ngx_http_torii_provider_settings(p, t, record, log) != NGX_OK
        || ngx_http_torii_provider_ring(p, log) != NGX_OK
        || ngx_http_torii_provider_ca(p, log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (p->settings.redis.len) {
        p->redis = ngx_torii_redis_get(p->settings.redis,
                                       p->settings.redis_ca);

        if (p->redis == NULL) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "torii: login provider \"%*s\" cannot be used: "
                          "\"redis-ca\" holds no certificate", p->id.len,
                          p->id.data);
            return NGX_ERROR;
        }
    }

    ngx_http_torii_provider_projection(p, t, record);

    p->keys = oauth2_keys_create();

    if (p->settings.provider.type->oidc) {
        ngx_http_torii_provider_endpoints(p,
                            ingress_table_str(t, record->discovery), log);
    }

    /* keys of an issuer that is another one now are of no use */

    if (p->settings.provider.type->oidc && p->settings.provider.ready) {
        ngx_http_torii_provider_keys(p, ingress_table_str(t, record->keys),
                                     record->fetched, log);
    }

    ngx_http_torii_login_issuers(p, t, record, log);

    return NGX_OK;
}


static ngx_int_t
ngx_http_torii_provider_settings(ngx_http_torii_provider_t *p,
    const ingress_table_t *t, const ingress_table_provider_t *record,
    ngx_log_t *log)
{
    uint32_t                         i, n;
    torii_str_t                      list;
    oauth2_setting_t                *in;
    const ingress_entry_t           *entry;
    ngx_http_torii_provider_told_t   told;

    list = ingress_table_str(t, record->settings);
    entry = (const ingress_entry_t *) list.data;
    n = list.len / sizeof(ingress_entry_t);

    in = torii_arena_alloc(p->arena, (n + 1) * sizeof(oauth2_setting_t));

    for (i = 0; i < n; i++) {
        in[i].name = torii_arena_str(p->arena,
                                     ingress_table_str(t, entry[i].name));
        in[i].value = torii_arena_str(p->arena,
                                      ingress_table_str(t, entry[i].value));
    }

    p->in = in;
    p->nin = n;

    told.log = log;
    told.id = p->id;

    return oauth2_settings_read(p->arena, p->id, in, n, &p->settings,
                                ngx_http_torii_provider_error, &told)
           == TORII_OK ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_torii_provider_error(void *data, torii_str_t name, const char *text)
{
    ngx_http_torii_provider_told_t *told = data;

    ngx_log_error(NGX_LOG_ERR, told->log, 0,
                  "torii: login provider \"%*s\" cannot be used: \"%*s\" %s",
                  told->id.len, told->id.data, name.len, name.data, text);
}


static ngx_int_t
ngx_http_torii_provider_ring(ngx_http_torii_provider_t *p, ngx_log_t *log)
{
    const char  *error;

    p->ring = oauth2_ring_create(p->settings.secrets, p->settings.nsecrets,
                                 &error);
    if (p->ring) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "torii: login provider \"%*s\" cannot be used: "
                  "\"cookie-secret\" %s", p->id.len, p->id.data, error);

    return NGX_ERROR;
}


/* What any route asks for, and the provider's own rule. */

static void
ngx_http_torii_provider_projection(ngx_http_torii_provider_t *p,
    const ingress_table_t *t, const ingress_table_provider_t *record)
{
    uint32_t              i, n, more;
    torii_str_t           list, *groups;
    oauth2_list_t        *own;
    const ingress_ref_t  *ref;

    list = ingress_table_str(t, record->groups);
    ref = (const ingress_ref_t *) list.data;
    n = list.len / sizeof(ingress_ref_t);

    own = &p->settings.policy.groups;
    more = own->given ? own->n : 0;

    groups = torii_arena_alloc(p->arena, (n + more + 1) * sizeof(torii_str_t));

    for (i = 0; i < n; i++) {
        groups[i] = torii_arena_str(p->arena, ingress_table_str(t, ref[i]));
    }

    for (i = 0; i < more; i++) {
        groups[n + i] = own->items[i];
    }

    p->projection.groups = groups;
    p->projection.ngroups = n + more;
    p->projection.all_groups = p->settings.all_groups;
    p->projection.claims = p->settings.claims;
    p->projection.nclaims = p->settings.nclaims;

    p->projection_hash = oauth2_projection_hash(&p->projection, p->id);

    if (n + more) {
        p->settings.provider.wants_groups = 1;
    }
}


static void
ngx_http_torii_provider_endpoints(ngx_http_torii_provider_t *p,
    torii_str_t discovery, ngx_log_t *log)
{
    const char         *error;
    oauth2_provider_t  *provider;

    provider = &p->settings.provider;

    if (discovery.len == 0) {
        return;
    }

    if (oauth2_discovery_read(p->arena,
                              torii_arena_str(p->arena, discovery),
                              provider->issuer, provider->algs,
                              provider->loopback, &provider->endpoints, &error)
        != TORII_OK)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "torii: what the issuer of login provider \"%*s\" says "
                      "of itself %s", p->id.len, p->id.data, error);
        return;
    }

    provider->ready = 1;
}


/* Another worker may have newer ones than the table. */

static void
ngx_http_torii_provider_keys(ngx_http_torii_provider_t *p, torii_str_t jwks,
    uint64_t fetched, ngx_log_t *log)
{
    const char  *error;

    ngx_torii_login_id("keys", p->settings.provider.issuer,
                       p->settings.provider.client_id, p->keys_id);

    if (jwks.len
        && oauth2_keys_set(p->keys, jwks, torii_str(""), ngx_time(), &error)
           != TORII_OK)
    {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "torii: the keys of login provider \"%*s\" cannot be "
                      "used: %s", p->id.len, p->id.data, error);
    }

    p->keys_version = fetched * 1000;

    (void) ngx_torii_login_keys_newer(p);
}


static ngx_int_t
ngx_http_torii_provider_ca(ngx_http_torii_provider_t *p, ngx_log_t *log)
{
    BIO       *bio;
    X509      *cert;
    unsigned   n;

    if (p->settings.ca.len == 0) {
        return NGX_OK;
    }

    n = 0;
    bio = BIO_new_mem_buf(p->settings.ca.data, (int) p->settings.ca.len);
    p->tls.store = X509_STORE_new();

    while (bio && p->tls.store) {
        cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (cert == NULL) {
            break;
        }

        n += X509_STORE_add_cert(p->tls.store, cert) == 1;
        X509_free(cert);
    }

    BIO_free(bio);
    ERR_clear_error();

    if (n) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "torii: login provider \"%*s\" cannot be used: "
                  "\"provider-ca\" holds no certificate", p->id.len,
                  p->id.data);

    return NGX_ERROR;
}


void
ngx_http_torii_provider_hold(ngx_http_torii_provider_t *p)
{
    p->refs++;
}


/* It may be called by a transfer of the provider's own. */

void
ngx_http_torii_provider_leave(ngx_http_torii_provider_t *p)
{
    if (--p->refs) {
        return;
    }

    p->retire.handler = ngx_http_torii_provider_retire;
    p->retire.data = &p->dummy;
    p->retire.log = ngx_cycle->log;

    ngx_post_event(&p->retire, &ngx_posted_events);
}


static void
ngx_http_torii_provider_retire(ngx_event_t *ev)
{
    uint32_t                    i;
    ngx_connection_t           *c;
    ngx_http_torii_provider_t  *p;

    c = ev->data;
    p = c->data;

    /* a new table may have found it in the meantime */

    if (p->refs) {
        return;
    }

    ngx_queue_remove(&p->queue);

    if (p->tls.store) {
        ngx_torii_login_forget(p);
        X509_STORE_free(p->tls.store);
    }

    ngx_torii_redis_leave(p->redis);

    for (i = 0; i < p->nin; i++) {
        ngx_torii_login_cleanse(p->in[i].value);
    }

    oauth2_ring_free(p->ring);
    oauth2_keys_free(p->keys);
    ngx_http_torii_login_issuers_free(p);
    torii_arena_destroy(p->arena);

    ngx_free(p);
}


const ingress_table_login_t *
ngx_http_torii_login_of(ngx_torii_table_t *table,
    const ingress_policy_t *policy)
{
    const ingress_table_login_t  *login;

    if (policy->login == 0) {
        return NULL;
    }

    login = &table->table.logins[policy->login - 1];

    return login->type == INGRESS_LOGIN_NATIVE ? login : NULL;
}
