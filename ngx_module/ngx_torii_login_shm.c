
/*
 * What all workers of one nginx have to agree on about logins: states and codes
 * that were used, sessions that are void, refreshes under way, keys that one of
 * them has fetched.  All of it is bounded, lives through reloads, and is gone
 * with nginx itself.
 *
 * Entries lie in red-black trees by their id, which is a hash that nobody can
 * choose, and in queues by age.  What is over goes when room is wanted.
 */

#include "ngx_torii_login_shm.h"


#define NGX_TORII_LOGIN_ZONE         (16 * 1024 * 1024)
#define NGX_TORII_LOGIN_SWEEP        8        /* entries looked at each time */

#define NGX_TORII_LOGIN_ONCE_MAX     32768
#define NGX_TORII_LOGIN_REVOKED_MAX  32768
#define NGX_TORII_LOGIN_FLIGHTS_MAX  4096
#define NGX_TORII_LOGIN_KEYS_MAX     64


static ngx_int_t ngx_torii_login_zone_init(ngx_shm_zone_t *zone, void *data);
static void ngx_torii_login_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static void ngx_torii_login_sweep(ngx_torii_login_shm_t *shm,
    ngx_slab_pool_t *shpool, ngx_uint_t set);
static ngx_uint_t ngx_torii_login_oldest(ngx_torii_login_shm_t *shm,
    ngx_slab_pool_t *shpool, ngx_uint_t set);


static const ngx_uint_t  ngx_torii_login_max[NGX_TORII_LOGIN_SETS] = {
    NGX_TORII_LOGIN_ONCE_MAX,
    NGX_TORII_LOGIN_ONCE_MAX,
    NGX_TORII_LOGIN_REVOKED_MAX,
    NGX_TORII_LOGIN_FLIGHTS_MAX,
    NGX_TORII_LOGIN_KEYS_MAX
};


ngx_int_t
ngx_torii_login_zone(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf)
{
    static ngx_str_t  name = ngx_string("torii_login");

    tmcf->login = ngx_shared_memory_add(cf, &name, NGX_TORII_LOGIN_ZONE,
                                        &ngx_http_torii_module);
    if (tmcf->login == NULL) {
        return NGX_ERROR;
    }

    tmcf->login->init = ngx_torii_login_zone_init;

    return NGX_OK;
}


static ngx_int_t
ngx_torii_login_zone_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_uint_t              i;
    ngx_slab_pool_t        *shpool;
    ngx_torii_login_set_t  *set;
    ngx_torii_login_shm_t  *shm;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    shm = ngx_slab_calloc(shpool, sizeof(ngx_torii_login_shm_t));
    if (shm == NULL) {
        return NGX_ERROR;
    }

    shm->meters = ngx_slab_calloc(shpool, sizeof(ngx_torii_meters_t));
    if (shm->meters == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_TORII_LOGIN_SETS; i++) {
        set = &shm->sets[i];

        ngx_rbtree_init(&set->tree, &set->sentinel, ngx_torii_login_insert);
        ngx_queue_init(&set->queue);
    }

    shm->generation = 1;

    shpool->data = shm;
    shpool->log_nomem = 0;
    zone->data = shm;

    return NGX_OK;
}


ngx_torii_login_shm_t *
ngx_torii_login_shm(ngx_slab_pool_t **shpool)
{
    ngx_http_torii_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_torii_module);

    *shpool = (ngx_slab_pool_t *) tmcf->login->shm.addr;

    return tmcf->login->data;
}


uint64_t
ngx_torii_login_ms(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


void
ngx_torii_login_id(const char *what, torii_str_t a, torii_str_t b,
    u_char id[16])
{
    size_t          i, n;
    u_char          lens[8], md[EVP_MAX_MD_SIZE];
    torii_str_t     parts[2];
    EVP_MD_CTX     *ctx;

    parts[0] = a;
    parts[1] = b;

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        abort();
    }

    EVP_DigestUpdate(ctx, what, ngx_strlen(what) + 1);

    for (i = 0; i < 2; i++) {

        for (n = 0; n < 8; n++) {
            lens[n] = (u_char) ((uint64_t) parts[i].len >> 8 * n);
        }

        EVP_DigestUpdate(ctx, lens, 8);
        EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
    }

    EVP_DigestFinal_ex(ctx, md, NULL);
    EVP_MD_CTX_free(ctx);

    ngx_memcpy(id, md, NGX_TORII_LOGIN_ID);
}


static void
ngx_torii_login_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_int_t                  rc;
    ngx_rbtree_node_t        **p;
    ngx_torii_login_entry_t   *a, *b;

    for ( ;; ) {
        a = (ngx_torii_login_entry_t *) node;
        b = (ngx_torii_login_entry_t *) temp;

        rc = ngx_memcmp(a->id, b->id, NGX_TORII_LOGIN_ID);
        p = rc < 0 ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


ngx_torii_login_entry_t *
ngx_torii_login_find(ngx_torii_login_set_t *set, const u_char id[16])
{
    ngx_int_t                 rc;
    ngx_rbtree_node_t        *node;
    ngx_torii_login_entry_t  *e;

    node = set->tree.root;

    while (node != &set->sentinel) {
        e = (ngx_torii_login_entry_t *) node;

        rc = ngx_memcmp(id, e->id, NGX_TORII_LOGIN_ID);
        if (rc == 0) {
            return e;
        }

        node = rc < 0 ? node->left : node->right;
    }

    return NULL;
}


void
ngx_torii_login_add(ngx_torii_login_set_t *set, ngx_torii_login_entry_t *e,
    const u_char id[16], uint64_t until)
{
    ngx_memcpy(e->id, id, NGX_TORII_LOGIN_ID);

    e->until = until;
    e->node.key = 0;

    ngx_rbtree_insert(&set->tree, &e->node);
    ngx_queue_insert_tail(&set->queue, &e->queue);
    set->n++;
}


void
ngx_torii_login_drop(ngx_torii_login_shm_t *shm, ngx_slab_pool_t *shpool,
    ngx_uint_t set, ngx_torii_login_entry_t *e)
{
    ngx_torii_login_flight_t   *f;
    ngx_torii_login_revoked_t  *revoked;

    ngx_rbtree_delete(&shm->sets[set].tree, &e->node);
    ngx_queue_remove(&e->queue);
    shm->sets[set].n--;

    switch (set) {

    case NGX_TORII_LOGIN_FLIGHT:
        f = (ngx_torii_login_flight_t *) e;

        if (f->result) {
            ngx_slab_free_locked(shpool, f->result);
        }

        break;

    case NGX_TORII_LOGIN_REVOKED:

        /* it cannot be told apart any more from those of its time */

        revoked = (ngx_torii_login_revoked_t *) e;

        if (e->until > ngx_torii_login_ms() && revoked->created > shm->floor) {
            shm->floor = revoked->created;
            shm->generation++;
        }

        break;
    }

    ngx_slab_free_locked(shpool, e);
}


/* A few of the oldest at each turn, those that are over. */

static void
ngx_torii_login_sweep(ngx_torii_login_shm_t *shm, ngx_slab_pool_t *shpool,
    ngx_uint_t set)
{
    uint64_t                  now;
    ngx_uint_t                i;
    ngx_queue_t              *q, *next;
    ngx_torii_login_entry_t  *e;

    now = ngx_torii_login_ms();
    q = ngx_queue_head(&shm->sets[set].queue);

    for (i = 0; i < NGX_TORII_LOGIN_SWEEP; i++) {

        if (q == ngx_queue_sentinel(&shm->sets[set].queue)) {
            return;
        }

        next = ngx_queue_next(q);
        e = ngx_queue_data(q, ngx_torii_login_entry_t, queue);

        if (e->until <= now) {
            ngx_torii_login_drop(shm, shpool, set, e);
        }

        q = next;
    }
}


/*
 * Makes room by the oldest entry, though its time is not over: one that tells
 * of a hand-over code or of a logout token may not go.
 */

static ngx_uint_t
ngx_torii_login_oldest(ngx_torii_login_shm_t *shm, ngx_slab_pool_t *shpool,
    ngx_uint_t set)
{
    ngx_queue_t              *q;
    ngx_torii_login_entry_t  *e;

    q = ngx_queue_head(&shm->sets[set].queue);

    if (q == ngx_queue_sentinel(&shm->sets[set].queue)) {
        return 0;
    }

    e = ngx_queue_data(q, ngx_torii_login_entry_t, queue);

    if (set == NGX_TORII_LOGIN_ONCE_TOKEN && e->until > ngx_torii_login_ms()) {
        return 0;
    }

    ngx_torii_login_drop(shm, shpool, set, e);

    return 1;
}


void *
ngx_torii_login_alloc(ngx_torii_login_shm_t *shm, ngx_slab_pool_t *shpool,
    ngx_uint_t set, size_t size)
{
    void        *p;
    ngx_uint_t   i;

    ngx_torii_login_sweep(shm, shpool, set);

    while (shm->sets[set].n >= ngx_torii_login_max[set]) {
        if (!ngx_torii_login_oldest(shm, shpool, set)) {
            return NULL;
        }
    }

    for (i = 0; i < 2 * NGX_TORII_LOGIN_SWEEP; i++) {

        p = ngx_slab_calloc_locked(shpool, size);

        if (p) {
            return p;
        }

        /* results of refreshes are the largest, and missed the least */

        if (!ngx_torii_login_oldest(shm, shpool, NGX_TORII_LOGIN_FLIGHT)
            && !ngx_torii_login_oldest(shm, shpool,
                                       NGX_TORII_LOGIN_ONCE_STATE))
        {
            break;
        }
    }

    return NULL;
}


ngx_int_t
ngx_torii_login_once(ngx_torii_once_e kind, const u_char id[16], time_t until)
{
    ngx_int_t                 rc;
    ngx_slab_pool_t          *shpool;
    ngx_torii_login_shm_t    *shm;
    ngx_torii_login_entry_t  *e;

    shm = ngx_torii_login_shm(&shpool);

    ngx_shmtx_lock(&shpool->mutex);

    e = ngx_torii_login_find(&shm->sets[kind], id);

    if (e && e->until > ngx_torii_login_ms()) {
        rc = NGX_DECLINED;

    } else {

        if (e) {
            ngx_torii_login_drop(shm, shpool, kind, e);
        }

        e = ngx_torii_login_alloc(shm, shpool, kind,
                                  sizeof(ngx_torii_login_entry_t));
        rc = NGX_ERROR;

        if (e) {
            ngx_torii_login_add(&shm->sets[kind], e, id,
                                (uint64_t) until * 1000);
            rc = NGX_OK;
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return rc;
}


void
ngx_torii_login_revoke(const u_char id[16], time_t until)
{
    ngx_slab_pool_t            *shpool;
    ngx_torii_login_set_t      *set;
    ngx_torii_login_shm_t      *shm;
    ngx_torii_login_entry_t    *e;
    ngx_torii_login_revoked_t  *revoked;

    shm = ngx_torii_login_shm(&shpool);
    set = &shm->sets[NGX_TORII_LOGIN_REVOKED];

    ngx_shmtx_lock(&shpool->mutex);

    e = ngx_torii_login_find(set, id);

    if (e) {
        ((ngx_torii_login_revoked_t *) e)->created = ngx_time();
        e->until = ngx_max(e->until, (uint64_t) until * 1000);

    } else {
        revoked = ngx_torii_login_alloc(shm, shpool, NGX_TORII_LOGIN_REVOKED,
                                        sizeof(ngx_torii_login_revoked_t));

        if (revoked) {
            revoked->created = ngx_time();
            ngx_torii_login_add(set, &revoked->entry, id,
                                (uint64_t) until * 1000);

        } else {
            shm->floor = ngx_time();
        }
    }

    shm->generation++;

    ngx_shmtx_unlock(&shpool->mutex);
}


ngx_uint_t
ngx_torii_login_revoked(const u_char (*ids)[16], ngx_uint_t n, int64_t created)
{
    ngx_uint_t                 i, revoked;
    ngx_slab_pool_t           *shpool;
    ngx_torii_login_set_t     *set;
    ngx_torii_login_shm_t     *shm;
    ngx_torii_login_entry_t   *e;

    shm = ngx_torii_login_shm(&shpool);
    set = &shm->sets[NGX_TORII_LOGIN_REVOKED];

    ngx_shmtx_lock(&shpool->mutex);

    revoked = (created <= shm->floor);

    for (i = 0; i < n && !revoked && set->n; i++) {
        e = ngx_torii_login_find(set, ids[i]);

        revoked = e && created <= ((ngx_torii_login_revoked_t *) e)->created;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return revoked;
}


ngx_uint_t
ngx_torii_login_revocations(void)
{
    ngx_slab_pool_t        *shpool;
    ngx_torii_login_shm_t  *shm;

    shm = ngx_torii_login_shm(&shpool);

    return shm->generation != 1;
}


uint64_t
ngx_torii_login_generation(void)
{
    ngx_slab_pool_t        *shpool;
    ngx_torii_login_shm_t  *shm;

    shm = ngx_torii_login_shm(&shpool);

    return shm->generation;
}
