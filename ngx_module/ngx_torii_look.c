
/*
 * Records of dns-persist-01 that the machine wants to know of: some at a time.
 */

#include "ngx_torii_acme.h"


#define NGX_TORII_LOOKS  8                   /* at a time, of one certificate */


typedef struct {
    ngx_torii_acme_t        *acme;
    uint32_t                 term;
    uint32_t                 ticket;
    torii_arena_t           *arena;
    torii_str_t             *records;
    acme_found_t            *found;
    uint32_t                 n;
    uint32_t                 next;           /* to be asked for */
    uint32_t                 left;           /* without an answer, and one
                                                for the loop that asks */
} ngx_torii_look_t;


typedef struct {
    ngx_torii_look_t        *look;
    acme_found_t            *found;
} ngx_torii_look_record_t;


static void ngx_torii_look_more(ngx_torii_look_t *l);
static void ngx_torii_look_got(void *data, const char *error,
    const torii_str_t *values, ngx_uint_t n);
static void ngx_torii_look_less(ngx_torii_look_t *l);


void
ngx_torii_look_start(ngx_torii_acme_t *a, const acme_action_t *action)
{
    uint32_t           i;
    torii_arena_t     *arena;
    ngx_torii_look_t  *l;

    arena = torii_arena_create(1024);
    l = torii_arena_zalloc(arena, sizeof(ngx_torii_look_t));

    l->acme = a;
    l->term = a->term;
    l->ticket = action->ticket;
    l->arena = arena;
    l->n = action->n;
    l->left = action->n + 1;
    l->records = torii_arena_alloc(arena, action->n * sizeof(torii_str_t));
    l->found = torii_arena_zalloc(arena, action->n * sizeof(acme_found_t));

    for (i = 0; i < action->n; i++) {
        l->records[i] = torii_arena_str(arena, action->records[i]);
    }

    while (l->next < l->n && l->next < NGX_TORII_LOOKS) {
        ngx_torii_look_more(l);
    }

    ngx_torii_look_less(l);
}


static void
ngx_torii_look_more(ngx_torii_look_t *l)
{
    ngx_torii_look_record_t  *r;

    r = torii_arena_zalloc(l->arena, sizeof(ngx_torii_look_record_t));
    r->look = l;
    r->found = &l->found[l->next];

    if (ngx_torii_dns_txt_look(l->acme->dns, l->records[l->next++],
                               ngx_torii_look_got, r)
        == NGX_OK)
    {
        return;
    }

    r->found->error = "no memory";

    ngx_torii_look_less(l);
}


static void
ngx_torii_look_got(void *data, const char *error, const torii_str_t *values,
    ngx_uint_t n)
{
    ngx_torii_look_record_t *r = data;

    ngx_uint_t         i;
    torii_str_t       *copy;
    ngx_torii_look_t  *l;

    l = r->look;

    copy = torii_arena_alloc(l->arena, (n + 1) * sizeof(torii_str_t));

    for (i = 0; i < n; i++) {
        copy[i] = torii_arena_str(l->arena, values[i]);
    }

    r->found->values = copy;
    r->found->n = n;

    if (error) {
        r->found->error = (char *) torii_arena_str(l->arena,
                                                   torii_str(error)).data;
    }

    if (l->next < l->n) {
        ngx_torii_look_more(l);
    }

    ngx_torii_look_less(l);
}


static void
ngx_torii_look_less(ngx_torii_look_t *l)
{
    ngx_torii_acme_t  *a;

    a = l->acme;

    if (--l->left) {
        return;
    }

    if (a->acme && l->term == a->term) {
        acme_looked(a->acme, ngx_torii_publish_ms(), l->ticket, l->found);
        ngx_torii_acme_wake(a);
    }

    torii_arena_destroy(l->arena);
}
