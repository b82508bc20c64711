
/*
 * The zone of logins from the inside.
 */

#ifndef _NGX_TORII_LOGIN_SHM_H_INCLUDED_
#define _NGX_TORII_LOGIN_SHM_H_INCLUDED_


#include "ngx_http_torii_login.h"


#define NGX_TORII_LOGIN_ID         16


enum {
    NGX_TORII_LOGIN_ONCE_STATE = 0,    /* as ngx_torii_once_e */
    NGX_TORII_LOGIN_ONCE_TOKEN,
    NGX_TORII_LOGIN_REVOKED,
    NGX_TORII_LOGIN_FLIGHT,
    NGX_TORII_LOGIN_KEYS,
    NGX_TORII_LOGIN_SETS
};

typedef struct {
    ngx_rbtree_node_t         node;        /* key: of the id */
    ngx_queue_t               queue;       /* of the set, oldest first */
    u_char                    id[NGX_TORII_LOGIN_ID];
    uint64_t                  until;       /* ms since 1970, then of no use */
} ngx_torii_login_entry_t;

typedef struct {
    ngx_torii_login_entry_t   entry;
    int64_t                   created;     /* sessions up to then are void */
} ngx_torii_login_revoked_t;

/* A flight without the room for its result, which lies beside it. */

typedef struct {
    ngx_torii_login_entry_t   entry;
    u_char                   *result;
    u_char                    flight[offsetof(oauth2_flight_t, result)];
} ngx_torii_login_flight_t;

typedef struct {
    ngx_torii_login_entry_t   entry;
    uint64_t                  version;     /* ms since 1970 */
    size_t                    len;
    u_char                    data[1];
} ngx_torii_login_keys_t;

typedef struct {
    ngx_rbtree_t              tree;
    ngx_rbtree_node_t         sentinel;
    ngx_queue_t               queue;
    ngx_uint_t                n;
} ngx_torii_login_set_t;

/* Figures of one provider. */

#define NGX_TORII_METER_PROVIDERS  64
#define NGX_TORII_METER_NAME       320

typedef struct {
    size_t                    len;         /* 0: not in use, but the first */
    u_char                    name[NGX_TORII_METER_NAME];
    ngx_atomic_t              reasons[NGX_TORII_METERS][OAUTH2_FAIL_MAX];
    ngx_atomic_t              hits;
    ngx_atomic_t              misses;
    ngx_atomic_t              ms;          /* of all requests to it */
    ngx_atomic_t              requests;
    ngx_atomic_t              failures;
} ngx_torii_meter_t;

typedef struct {
    ngx_torii_meter_t         list[NGX_TORII_METER_PROVIDERS];
    ngx_atomic_t              asked[NGX_TORII_ASKED];
    ngx_atomic_t              asked_ms;
    ngx_atomic_t              asked_n;
} ngx_torii_meters_t;

typedef struct {
    ngx_torii_login_set_t     sets[NGX_TORII_LOGIN_SETS];
    ngx_atomic_t              generation;
    int64_t                   floor;       /* sessions up to then are void: some
                                              revocation had to make room */
    ngx_atomic_t              counts[NGX_TORII_LOGIN_COUNTS];
    ngx_torii_meters_t       *meters;
} ngx_torii_login_shm_t;


/* What follows wants the zone's mutex. */

ngx_torii_login_shm_t *ngx_torii_login_shm(ngx_slab_pool_t **shpool);
ngx_torii_login_entry_t *ngx_torii_login_find(
    ngx_torii_login_set_t *set, const u_char id[16]);
void ngx_torii_login_add(ngx_torii_login_set_t *set,
    ngx_torii_login_entry_t *e, const u_char id[16], uint64_t until);
void ngx_torii_login_drop(ngx_torii_login_shm_t *shm,
    ngx_slab_pool_t *shpool, ngx_uint_t set, ngx_torii_login_entry_t *e);
void *ngx_torii_login_alloc(ngx_torii_login_shm_t *shm,
    ngx_slab_pool_t *shpool, ngx_uint_t set, size_t size);


#endif /* _NGX_TORII_LOGIN_SHM_H_INCLUDED_ */
