
/*
 * Refreshes under way, and keys that some worker has fetched, in the zone; and
 * how often what happened.
 */

#include "ngx_torii_login_shm.h"


#define NGX_TORII_LOGIN_KEYS_BYTES  65536    /* of a set that is shared */


static void ngx_torii_login_flight_read(ngx_torii_login_flight_t *f,
    oauth2_flight_t *flight);
static ngx_int_t ngx_torii_login_flight_keep(ngx_torii_login_shm_t *shm,
    ngx_slab_pool_t *shpool, ngx_torii_login_flight_t *f,
    oauth2_flight_t *flight);
static ngx_torii_login_flight_t *ngx_torii_login_flight_get(
    ngx_torii_login_shm_t *shm, ngx_slab_pool_t *shpool, const u_char id[16],
    ngx_uint_t make);


/* In the order of ngx_torii_login_count_e; help with the first of a name. */

static const struct {
    char                     *name;
    char                     *labels;
    char                     *help;
} ngx_torii_login_names[] = {
    { "logins_total", "result=\"begun\"", "Logins of people, by result." },
    { "logins_total", "result=\"done\"", NULL },
    { "logins_total", "result=\"failed\"", NULL },
    { "logins_total", "result=\"denied\"", NULL },
    { "logins_total", "result=\"replayed\"", NULL },
    { "login_refreshes_total", "result=\"done\"",
      "Sessions that were to be refreshed; joined: by another request." },
    { "login_refreshes_total", "result=\"joined\"", NULL },
    { "login_refreshes_total", "result=\"failed\"", NULL },
    { "login_keys_total", "result=\"done\"",
      "Fetches of a provider's keys for a token whose key was not known." },
    { "login_keys_total", "result=\"failed\"", NULL },
    { "logouts_total", "by=\"user\"", "Sessions that were ended." },
    { "logouts_total", "by=\"provider\"", NULL }
};


/* An old flight, as large as its result may be: too large for a stack. */

static oauth2_flight_t  ngx_torii_login_scratch;


/* Into the scratch, whose result is only what is said by len. */

static void
ngx_torii_login_flight_read(ngx_torii_login_flight_t *f,
    oauth2_flight_t *flight)
{
    ngx_memcpy(flight, f->flight, sizeof(f->flight));

    if (f->result) {
        ngx_memcpy(flight->result, f->result, flight->len);

    } else {
        flight->len = 0;
    }
}


/* And back; NGX_ERROR: there is no room for the result. */

static ngx_int_t
ngx_torii_login_flight_keep(ngx_torii_login_shm_t *shm,
    ngx_slab_pool_t *shpool, ngx_torii_login_flight_t *f,
    oauth2_flight_t *flight)
{
    if (f->result) {
        ngx_slab_free_locked(shpool, f->result);
        f->result = NULL;
    }

    if (flight->len) {
        f->result = ngx_slab_alloc_locked(shpool, flight->len);
        if (f->result == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(f->result, flight->result, flight->len);
    }

    ngx_memcpy(f->flight, flight, sizeof(f->flight));

    f->entry.until = (flight->state == OAUTH2_FLIGHT_FAILED)
                     ? flight->next + OAUTH2_REFRESH_GRACE : flight->until;

    return NGX_OK;
}


static ngx_torii_login_flight_t *
ngx_torii_login_flight_get(ngx_torii_login_shm_t *shm, ngx_slab_pool_t *shpool,
    const u_char id[16], ngx_uint_t make)
{
    ngx_torii_login_set_t     *set;
    ngx_torii_login_entry_t   *e;
    ngx_torii_login_flight_t  *f;

    set = &shm->sets[NGX_TORII_LOGIN_FLIGHT];

    e = ngx_torii_login_find(set, id);

    if (e || !make) {
        return (ngx_torii_login_flight_t *) e;
    }

    f = ngx_torii_login_alloc(shm, shpool, NGX_TORII_LOGIN_FLIGHT,
                              sizeof(ngx_torii_login_flight_t));
    if (f) {
        ngx_torii_login_add(set, &f->entry, id, 0);
    }

    return f;
}


oauth2_refresh_e
ngx_torii_login_flight(const oauth2_session_t *s, const oauth2_refresh_t *conf,
    const uint8_t id[16], u_char *result, size_t *len)
{
    uint64_t                   now;
    oauth2_flight_t           *flight;
    ngx_slab_pool_t           *shpool;
    oauth2_refresh_e           rc;
    ngx_torii_login_shm_t     *shm;
    ngx_torii_login_flight_t  *f;

    shm = ngx_torii_login_shm(&shpool);
    now = ngx_torii_login_ms();
    flight = &ngx_torii_login_scratch;

    ngx_shmtx_lock(&shpool->mutex);

    f = ngx_torii_login_flight_get(shm, shpool, id, oauth2_refresh_due(s, now));

    if (f) {
        ngx_torii_login_flight_read(f, flight);
    }

    rc = oauth2_refresh_decide(s, conf, f ? flight : NULL, id, now);

    switch (rc) {

    case OAUTH2_REFRESH_BEGIN:
    case OAUTH2_REFRESH_BEGIN_WAIT:
        (void) ngx_torii_login_flight_keep(shm, shpool, f, flight);
        break;

    case OAUTH2_REFRESH_TAKE:
        ngx_memcpy(result, flight->result, flight->len);
        *len = flight->len;
        break;

    default:

        /* made for nothing */

        if (f && f->entry.until == 0) {
            ngx_torii_login_drop(shm, shpool, NGX_TORII_LOGIN_FLIGHT,
                                 &f->entry);
        }

        break;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return rc;
}


/* Without room for it the new token is lost, which a new login heals. */

void
ngx_torii_login_flight_done(const uint8_t id[16], uint32_t owner,
    torii_str_t sealed)
{
    oauth2_flight_t           *flight;
    ngx_slab_pool_t           *shpool;
    ngx_torii_login_shm_t     *shm;
    ngx_torii_login_flight_t  *f;

    shm = ngx_torii_login_shm(&shpool);
    flight = &ngx_torii_login_scratch;

    ngx_shmtx_lock(&shpool->mutex);

    f = ngx_torii_login_flight_get(shm, shpool, id, 0);

    if (f) {
        ngx_torii_login_flight_read(f, flight);

        if (oauth2_refresh_done(flight, id, owner, sealed,
                                ngx_torii_login_ms())
            == TORII_OK
            && ngx_torii_login_flight_keep(shm, shpool, f, flight) != NGX_OK)
        {
            ngx_torii_login_drop(shm, shpool, NGX_TORII_LOGIN_FLIGHT,
                                 &f->entry);
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_torii_login_flight_failed(const uint8_t id[16], uint32_t owner,
    oauth2_fail_e fail)
{
    oauth2_flight_t           *flight;
    ngx_slab_pool_t           *shpool;
    ngx_torii_login_shm_t     *shm;
    ngx_torii_login_flight_t  *f;

    shm = ngx_torii_login_shm(&shpool);
    flight = &ngx_torii_login_scratch;

    ngx_shmtx_lock(&shpool->mutex);

    f = ngx_torii_login_flight_get(shm, shpool, id, 0);

    if (f) {
        ngx_torii_login_flight_read(f, flight);

        if (oauth2_refresh_failed(flight, id, owner, fail, ngx_random(),
                                  ngx_torii_login_ms())
            == TORII_OK)
        {
            (void) ngx_torii_login_flight_keep(shm, shpool, f, flight);
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


ngx_int_t
ngx_torii_login_keys_get(const u_char id[16], uint64_t *version,
    torii_buf_t *b)
{
    ngx_int_t                rc;
    ngx_slab_pool_t         *shpool;
    ngx_torii_login_shm_t   *shm;
    ngx_torii_login_keys_t  *k;

    shm = ngx_torii_login_shm(&shpool);
    rc = NGX_DECLINED;

    ngx_shmtx_lock(&shpool->mutex);

    k = (ngx_torii_login_keys_t *)
            ngx_torii_login_find(&shm->sets[NGX_TORII_LOGIN_KEYS], id);

    if (k && k->version > *version) {
        torii_buf_add(b, k->data, k->len);
        *version = k->version;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return rc;
}


/* A very large set stays in the process that fetched it. */

void
ngx_torii_login_keys_put(const u_char id[16], torii_str_t jwks,
    uint64_t *version)
{
    size_t                   size;
    ngx_slab_pool_t         *shpool;
    ngx_torii_login_shm_t   *shm;
    ngx_torii_login_keys_t  *k;

    *version = ngx_torii_login_ms();

    if (jwks.len > NGX_TORII_LOGIN_KEYS_BYTES) {
        return;
    }

    shm = ngx_torii_login_shm(&shpool);
    size = sizeof(ngx_torii_login_keys_t) + jwks.len;

    ngx_shmtx_lock(&shpool->mutex);

    k = (ngx_torii_login_keys_t *)
            ngx_torii_login_find(&shm->sets[NGX_TORII_LOGIN_KEYS], id);

    if (k) {
        ngx_torii_login_drop(shm, shpool, NGX_TORII_LOGIN_KEYS, &k->entry);
    }

    k = ngx_torii_login_alloc(shm, shpool, NGX_TORII_LOGIN_KEYS, size);

    if (k) {
        k->version = *version;
        k->len = jwks.len;
        ngx_memcpy(k->data, jwks.data, jwks.len);

        ngx_torii_login_add(&shm->sets[NGX_TORII_LOGIN_KEYS], &k->entry, id,
                            *version + OAUTH2_KEYS_TTL_MAX * 1000ULL);
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_torii_login_count(ngx_torii_login_count_e what)
{
    ngx_slab_pool_t        *shpool;
    ngx_torii_login_shm_t  *shm;

    shm = ngx_torii_login_shm(&shpool);

    (void) ngx_atomic_fetch_add(&shm->counts[what], 1);
}


void
ngx_torii_login_metrics(torii_buf_t *out)
{
    ngx_uint_t              i;
    ngx_slab_pool_t        *shpool;
    ngx_torii_login_shm_t  *shm;

    shm = ngx_torii_login_shm(&shpool);

    for (i = 0; i < NGX_TORII_LOGIN_COUNTS; i++) {

        if (ngx_torii_login_names[i].help) {
            torii_buf_printf(out, "# HELP torii_%s %s\n"
                             "# TYPE torii_%s counter\n",
                             ngx_torii_login_names[i].name,
                             ngx_torii_login_names[i].help,
                             ngx_torii_login_names[i].name);
        }

        torii_buf_printf(out, "torii_%s{%s} %lu\n",
                         ngx_torii_login_names[i].name,
                         ngx_torii_login_names[i].labels,
                         (unsigned long) shm->counts[i]);
    }
}
