
/*
 * Challenges: those of http-01 and tls-alpn-01 go into the routing table, where
 * every worker finds them; those of dns-01 are records that a DNS server is
 * asked to add.  A certification authority is told to look only when all of it
 * is in force.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_dnssync.h"
#include "acme_cert.h"


#define NGX_TORII_CHALLENGE_LINGER   60000      /* ms after the last look */
#define NGX_TORII_CHALLENGE_WATCH    50         /* ms between two looks whether
                                                   a validator has come */
#define NGX_TORII_CHALLENGE_TTL      60         /* s, of TXT records */
#define NGX_TORII_CHALLENGE_SPREAD   120000     /* ms until servers have it */


/* What is to be in force before the machine goes on. */

typedef struct {
    ngx_queue_t              queue;      /* in a->tickets */
    ngx_torii_acme_t        *acme;
    uint32_t                 term;
    uint32_t                 ticket;
    torii_str_t              want;
    ngx_uint_t               pending;    /* records, the table, the set */
    ngx_int_t                set;        /* waits until all have it, or 0 */
    unsigned                 table:1;    /* waits for one */
    char                     error[256]; /* "" none so far */
} ngx_torii_ticket_t;


/* One in the table. */

typedef struct {
    ngx_queue_t              queue;      /* in a->challenges */
    torii_arena_t           *arena;
    torii_str_t              want;
    torii_str_t              identifier;
    ingress_challenge_t      challenge;
    ngx_uint_t               first;      /* validators, a count at first … */
    ngx_uint_t               seen;       /* … and now */
    ngx_msec_t               until;
    unsigned                 over:1;     /* until counts */
} ngx_torii_challenge_t;


/* One record on its way to a DNS server. */

typedef struct {
    ngx_torii_acme_t        *acme;
    ngx_torii_ticket_t      *ticket;     /* NULL: it is being removed */
    torii_arena_t           *arena;
    torii_str_t              name;
    torii_str_t              value;
    ngx_torii_solver_t       solver;
} ngx_torii_record_t;


static void ngx_torii_challenge_add(ngx_torii_acme_t *a, torii_str_t want,
    const acme_challenge_t *challenge);
static void ngx_torii_challenge_alpn(ngx_torii_challenge_t *c,
    const acme_challenge_t *challenge);
static void ngx_torii_challenge_yield(ngx_torii_acme_t *a,
    const ngx_torii_challenge_t *c);
static ngx_int_t ngx_torii_challenge_change(ngx_torii_acme_t *a);
static void ngx_torii_challenge_watch_handler(ngx_event_t *ev);
static void ngx_torii_challenge_expire_handler(ngx_event_t *ev);
static void ngx_torii_challenge_free(ngx_torii_challenge_t *c);

static void ngx_torii_record_start(ngx_torii_acme_t *a,
    ngx_torii_ticket_t *ticket, const acme_challenge_t *challenge,
    torii_str_t solver);
static void ngx_torii_record_target(void *data, const char *error,
    torii_str_t target);
static void ngx_torii_record_write(ngx_torii_record_t *r);
static void ngx_torii_record_added(void *data, const char *error);
static void ngx_torii_record_seen(void *data, const char *error);
static void ngx_torii_record_done(void *data, const char *error);
static void ngx_torii_record_free(ngx_torii_record_t *r);

static void ngx_torii_ticket_less(ngx_torii_ticket_t *t, const char *error);


void
ngx_torii_challenges_init(ngx_torii_acme_t *a)
{
    ngx_queue_init(&a->tickets);
    ngx_queue_init(&a->challenges);

    ngx_torii_helper_event(a->helper, &a->expire,
                           ngx_torii_challenge_expire_handler);
    ngx_torii_helper_event(a->helper, &a->watch,
                           ngx_torii_challenge_watch_handler);
    a->expire.data = &a->dummy;
    a->watch.data = &a->dummy;
}


void
ngx_torii_challenge_present(ngx_torii_acme_t *a, const acme_action_t *action)
{
    uint32_t             i;
    ngx_torii_ticket_t  *t;

    t = torii_zalloc(sizeof(ngx_torii_ticket_t) + action->want.len);

    t->acme = a;
    t->term = a->term;
    t->ticket = action->ticket;
    t->want.data = (u_char *) (t + 1);
    t->want.len = action->want.len;
    ngx_memcpy(t->want.data, action->want.data, action->want.len);
    ngx_queue_insert_tail(&a->tickets, &t->queue);

    /* one for this loop: what fails at once must not end the ticket */

    t->pending = 1;

    for (i = 0; i < action->n; i++) {

        switch (action->challenges[i].type) {

        case ACME_CHALLENGE_HTTP:
        case ACME_CHALLENGE_ALPN:
            ngx_torii_challenge_add(a, action->want, &action->challenges[i]);
            t->table = 1;
            break;

        case ACME_CHALLENGE_DNS:
            t->pending++;
            ngx_torii_record_start(a, t, &action->challenges[i],
                                   action->solvers[i]);
            break;

        default:
            break;
        }
    }

    if (t->table) {
        t->pending++;
        t->set = ngx_torii_challenge_change(a);

        if (t->set) {
            t->pending++;
        }

        if (t->set == NGX_ERROR) {
            t->set = 0;
            ngx_torii_ticket_less(t, "too many are to be answered at once");
        }
    }

    ngx_torii_ticket_less(t, NULL);
}


void
ngx_torii_challenge_withdraw(ngx_torii_acme_t *a, const acme_action_t *action)
{
    uint32_t                i;
    ngx_queue_t            *q;
    ngx_torii_challenge_t  *c;

    /* a slower vantage point of the authority may still ask */

    for (q = ngx_queue_head(&a->challenges);
         q != ngx_queue_sentinel(&a->challenges);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_torii_challenge_t, queue);

        if (!c->over && torii_str_eq(c->want, action->want)) {
            c->over = 1;
            c->until = ngx_current_msec + NGX_TORII_CHALLENGE_LINGER;
        }
    }

    if (!a->expire.timer_set && !ngx_queue_empty(&a->challenges)) {
        ngx_add_timer(&a->expire, NGX_TORII_CHALLENGE_LINGER);
    }

    for (i = 0; i < action->n; i++) {
        if (action->challenges[i].type == ACME_CHALLENGE_DNS) {
            ngx_torii_record_start(a, NULL, &action->challenges[i],
                                   action->solvers[i]);
        }
    }
}


static void
ngx_torii_challenge_add(ngx_torii_acme_t *a, torii_str_t want,
    const acme_challenge_t *challenge)
{
    torii_arena_t          *arena;
    ngx_torii_challenge_t  *c;

    arena = torii_arena_create(1024);
    c = torii_arena_zalloc(arena, sizeof(ngx_torii_challenge_t));

    c->arena = arena;
    c->want = torii_arena_str(arena, want);

    ngx_queue_insert_tail(&a->challenges, &c->queue);

    if (challenge->type == ACME_CHALLENGE_ALPN) {
        ngx_torii_challenge_alpn(c, challenge);
        ngx_torii_challenge_yield(a, c);

    } else {
        c->challenge.type = INGRESS_CHALLENGE_HTTP;
        c->challenge.name = torii_arena_str(arena, challenge->token);
        c->challenge.value = torii_arena_str(arena, challenge->key_auth);
    }

    c->identifier = torii_arena_str(arena, challenge->identifier);
    c->first = ngx_http_torii_challenge_watch(a->helper->tmcf,
                                              c->challenge.type,
                                              c->challenge.name);
    c->seen = c->first;

    if (!a->watch.timer_set) {
        ngx_add_timer(&a->watch, NGX_TORII_CHALLENGE_WATCH);
    }
}


static void
ngx_torii_challenge_alpn(ngx_torii_challenge_t *c,
    const acme_challenge_t *challenge)
{
    torii_buf_t  cert, key;
    torii_str_t  s;

    ngx_memzero(&cert, sizeof(torii_buf_t));
    ngx_memzero(&key, sizeof(torii_buf_t));

    c->challenge.type = INGRESS_CHALLENGE_ALPN;
    c->challenge.name = acme_alpn_sni(c->arena, challenge->identifier);

    if (acme_alpn_cert(challenge->identifier, challenge->digest, ngx_time(),
                       &cert, &key)
        == TORII_OK)
    {
        s.data = cert.data;
        s.len = cert.len;
        c->challenge.value = torii_arena_str(c->arena, s);

        s.data = key.data;
        s.len = key.len;
        c->challenge.key = torii_arena_str(c->arena, s);
    }

    torii_buf_free(&cert);
    torii_buf_free(&key);
}


/*
 * A name has one answer in a handshake: what lingers of the order before makes
 * room for it.
 */

static void
ngx_torii_challenge_yield(ngx_torii_acme_t *a, const ngx_torii_challenge_t *c)
{
    ngx_queue_t            *q, *next;
    ngx_torii_challenge_t  *old;

    for (q = ngx_queue_head(&a->challenges);
         q != ngx_queue_sentinel(&a->challenges);
         q = next)
    {
        next = ngx_queue_next(q);
        old = ngx_queue_data(q, ngx_torii_challenge_t, queue);

        if (old->over && old->challenge.type == c->challenge.type
            && torii_str_eq(old->challenge.name, c->challenge.name))
        {
            ngx_torii_challenge_free(old);
        }
    }
}


/* The set in the store becomes what the list says, and a new table with it. */

static ngx_int_t
ngx_torii_challenge_change(ngx_torii_acme_t *a)
{
    uint32_t                n;
    ngx_int_t               set;
    ngx_queue_t            *q;
    ngx_torii_helper_t     *h;
    ingress_challenge_t    *all;
    ngx_torii_challenge_t  *c;

    h = a->helper;
    n = 0;

    for (q = ngx_queue_head(&a->challenges);
         q != ngx_queue_sentinel(&a->challenges);
         q = ngx_queue_next(q))
    {
        n++;
    }

    all = torii_malloc((n + 1) * sizeof(ingress_challenge_t));
    n = 0;

    for (q = ngx_queue_head(&a->challenges);
         q != ngx_queue_sentinel(&a->challenges);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_torii_challenge_t, queue);

        if (c->challenge.value.len) {
            all[n++] = c->challenge;
        }
    }

    set = a->keeper->challenges(a, all, n);

    free(all);

    if (h->seen) {
        ngx_torii_pipeline_publish(h);

    } else {

        /* the last table has all of it */

        ngx_torii_challenge_published(a, 1);
    }

    return set;
}


static void
ngx_torii_challenge_watch_handler(ngx_event_t *ev)
{
    ngx_queue_t            *q;
    ngx_connection_t       *conn;
    ngx_torii_acme_t       *a;
    ngx_torii_challenge_t  *c;

    conn = ev->data;
    a = conn->data;

    ngx_torii_challenge_count(a);

    for (q = ngx_queue_head(&a->challenges);
         q != ngx_queue_sentinel(&a->challenges);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_torii_challenge_t, queue);

        if (!c->over) {
            ngx_add_timer(ev, NGX_TORII_CHALLENGE_WATCH);
            return;
        }
    }
}


/* Once a validator has come, its verdict is worth asking for. */

void
ngx_torii_challenge_count(ngx_torii_acme_t *a)
{
    ngx_uint_t              n, addresses;
    ngx_queue_t            *q;
    ngx_torii_challenge_t  *c;

    for (q = ngx_queue_head(&a->challenges);
         q != ngx_queue_sentinel(&a->challenges);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_torii_challenge_t, queue);

        if (c->over || a->acme == NULL) {
            continue;
        }

        n = ngx_http_torii_challenge_seen(a->helper->tmcf, c->challenge.type,
                                          c->challenge.name, &addresses);
        if (n == c->seen) {
            continue;
        }

        c->seen = n;

        acme_seen(a->acme, ngx_torii_publish_ms(), c->want,
                  c->challenge.type == INGRESS_CHALLENGE_HTTP
                  ? ACME_CHALLENGE_HTTP : ACME_CHALLENGE_ALPN,
                  c->identifier, (uint32_t) (n - c->first),
                  (uint32_t) addresses);

        ngx_torii_acme_wake(a);
    }
}


static void
ngx_torii_challenge_expire_handler(ngx_event_t *ev)
{
    ngx_msec_int_t          left, least;
    ngx_queue_t            *q, *next;
    ngx_connection_t       *conn;
    ngx_torii_acme_t       *a;
    ngx_torii_challenge_t  *c;

    conn = ev->data;
    a = conn->data;
    least = -1;

    for (q = ngx_queue_head(&a->challenges);
         q != ngx_queue_sentinel(&a->challenges);
         q = next)
    {
        next = ngx_queue_next(q);
        c = ngx_queue_data(q, ngx_torii_challenge_t, queue);

        if (!c->over) {
            continue;
        }

        left = (ngx_msec_int_t) (c->until - ngx_current_msec);

        if (left <= 0) {
            ngx_torii_challenge_free(c);

        } else if (least == -1 || left < least) {
            least = left;
        }
    }

    if (least != -1) {
        ngx_add_timer(ev, (ngx_msec_t) least);
    }

    (void) ngx_torii_challenge_change(a);
}


static void
ngx_torii_challenge_free(ngx_torii_challenge_t *c)
{
    ngx_queue_remove(&c->queue);
    torii_arena_destroy(c->arena);
}


void
ngx_torii_challenge_published(ngx_torii_acme_t *a, ngx_uint_t published)
{
    ngx_queue_t         *q, *next;
    ngx_torii_ticket_t  *t;

    /* a table that cannot be written is tried again, and the order waits */

    if (!published) {
        return;
    }

    for (q = ngx_queue_head(&a->tickets);
         q != ngx_queue_sentinel(&a->tickets);
         q = next)
    {
        next = ngx_queue_next(q);
        t = ngx_queue_data(q, ngx_torii_ticket_t, queue);

        if (t->table) {
            t->table = 0;
            ngx_torii_ticket_less(t, NULL);
        }
    }
}


void
ngx_torii_challenge_spread(ngx_torii_acme_t *a, ngx_int_t set,
    const char *unseen)
{
    ngx_queue_t         *q, *next;
    ngx_torii_ticket_t  *t;

    for (q = ngx_queue_head(&a->tickets);
         q != ngx_queue_sentinel(&a->tickets);
         q = next)
    {
        next = ngx_queue_next(q);
        t = ngx_queue_data(q, ngx_torii_ticket_t, queue);

        if (t->set == 0 || t->set > set) {
            continue;
        }

        t->set = 0;

        if (unseen) {
            ngx_torii_notice_add(a, t->want, "ChallengeUnseen", 1,
                                 torii_str(unseen));
        }

        ngx_torii_ticket_less(t, NULL);
    }
}


void
ngx_torii_challenge_inherit(ngx_torii_acme_t *a,
    const ingress_challenge_t *all, uint32_t n)
{
    uint32_t                i;
    torii_arena_t          *arena;
    ngx_torii_challenge_t  *c;

    for (i = 0; i < n; i++) {
        arena = torii_arena_create(1024);
        c = torii_arena_zalloc(arena, sizeof(ngx_torii_challenge_t));

        c->arena = arena;
        c->challenge.type = all[i].type;
        c->challenge.name = torii_arena_str(arena, all[i].name);
        c->challenge.value = torii_arena_str(arena, all[i].value);
        c->challenge.key = torii_arena_str(arena, all[i].key);
        c->over = 1;
        c->until = ngx_current_msec + NGX_TORII_CHALLENGE_LINGER;

        ngx_queue_insert_tail(&a->challenges, &c->queue);
    }

    if (n && !a->expire.timer_set) {
        ngx_add_timer(&a->expire, NGX_TORII_CHALLENGE_LINGER);
    }
}


/* Records that are on their way get there; nobody hears of it. */

void
ngx_torii_challenge_stop(ngx_torii_acme_t *a)
{
    ngx_queue_t  *q;

    ngx_torii_challenge_published(a, 1);
    ngx_torii_challenge_spread(a, NGX_MAX_INT_T_VALUE, NULL);

    while (!ngx_queue_empty(&a->challenges)) {
        q = ngx_queue_head(&a->challenges);
        ngx_torii_challenge_free(ngx_queue_data(q, ngx_torii_challenge_t,
                                                queue));
    }

    if (a->expire.timer_set) {
        ngx_del_timer(&a->expire);
    }

    if (a->watch.timer_set) {
        ngx_del_timer(&a->watch);
    }
}


/* ticket NULL: to be removed. */

static void
ngx_torii_record_start(ngx_torii_acme_t *a, ngx_torii_ticket_t *ticket,
    const acme_challenge_t *challenge, torii_str_t solver)
{
    char                 error[256];
    torii_arena_t       *arena;
    ngx_torii_record_t  *r;

    arena = torii_arena_create(1024);
    r = torii_arena_zalloc(arena, sizeof(ngx_torii_record_t));

    r->acme = a;
    r->ticket = ticket;
    r->arena = arena;
    r->name = torii_arena_str(arena, challenge->record);
    r->value = torii_arena_str(arena, challenge->value);

    if (ngx_torii_solver_find(a, arena, solver, &r->solver, error) != NGX_OK) {
        ngx_torii_record_done(r, error);
        return;
    }

    if (!r->solver.follow) {
        ngx_torii_record_write(r);
        return;
    }

    if (ngx_torii_dns_target(a->dns, r->name, ngx_torii_record_target, r)
        != NGX_OK)
    {
        ngx_torii_record_done(r, "no memory");
    }
}


static void
ngx_torii_record_target(void *data, const char *error, torii_str_t target)
{
    ngx_torii_record_t *r = data;

    if (error) {
        ngx_torii_record_done(r, error);
        return;
    }

    r->name = torii_arena_str(r->arena, target);

    ngx_torii_record_write(r);
}


static void
ngx_torii_record_write(ngx_torii_record_t *r)
{
    if (r->solver.dnssync) {
        ngx_torii_dnssync_challenge(r->solver.dnssync, r->solver.account,
                                    r->name, r->value, r->ticket != NULL,
                                    r->ticket ? ngx_torii_record_added
                                              : ngx_torii_record_done, r);
        return;
    }

    if (ngx_torii_dns_txt(r->acme->dns, &r->solver.server, r->name, r->value,
                          r->ticket != NULL, NGX_TORII_CHALLENGE_TTL,
                          r->ticket ? ngx_torii_record_added
                                    : ngx_torii_record_done, r)
        != NGX_OK)
    {
        ngx_torii_record_done(r, "no memory");
    }
}


static void
ngx_torii_record_added(void *data, const char *error)
{
    ngx_torii_record_t *r = data;

    if (error) {
        ngx_torii_record_done(r, error);
        return;
    }

    if (r->solver.dnssync && r->solver.server.nameserver.len == 0) {
        r->solver.server.nameserver = ngx_torii_dnssync_nameserver(
                                                r->solver.dnssync, r->name);
    }

    if (ngx_torii_dns_txt_seen(r->acme->dns, r->name, r->value,
                               r->solver.server.nameserver.len
                               ? &r->solver.server : NULL,
                               r->solver.follow, NGX_TORII_CHALLENGE_SPREAD,
                               ngx_torii_record_seen, r)
        != NGX_OK)
    {
        ngx_torii_record_done(r, "no memory");
    }
}


/* Servers that do not answer us may answer the authority. */

static void
ngx_torii_record_seen(void *data, const char *error)
{
    ngx_torii_record_t *r = data;

    if (error && ngx_strncmp(error, "warning: ", 9) == 0) {
        ngx_log_error(NGX_LOG_WARN, r->acme->log, 0,
                      "torii: TXT record \"%*s\": %s", r->name.len,
                      r->name.data, error + 9);
        error = NULL;
    }

    ngx_torii_record_done(r, error);
}


static void
ngx_torii_record_done(void *data, const char *error)
{
    ngx_torii_record_t *r = data;

    char  text[256];

    if (error) {
        (void) ngx_snprintf((u_char *) text, sizeof(text),
                            "TXT record \"%*s\": %s%Z", r->name.len,
                            r->name.data, error);
        text[sizeof(text) - 1] = '\0';

        if (r->ticket == NULL) {
            ngx_log_error(NGX_LOG_WARN, r->acme->log, 0,
                          "torii: not removed: %s", text);
        }
    }

    if (r->ticket) {
        ngx_torii_ticket_less(r->ticket, error ? text : NULL);
    }

    ngx_torii_record_free(r);
}


static void
ngx_torii_record_free(ngx_torii_record_t *r)
{
    if (r->solver.server.secret.len) {
        ngx_explicit_memzero(r->solver.server.secret.data,
                             r->solver.server.secret.len);
    }

    torii_arena_destroy(r->arena);
}


/* One thing less to wait for; the first error counts. */

static void
ngx_torii_ticket_less(ngx_torii_ticket_t *t, const char *error)
{
    ngx_torii_acme_t  *a;

    a = t->acme;

    if (error && t->error[0] == '\0') {
        ngx_cpystrn((u_char *) t->error, (u_char *) error, sizeof(t->error));
    }

    if (--t->pending) {
        return;
    }

    if (a->acme && t->term == a->term) {
        acme_presented(a->acme, ngx_torii_publish_ms(), t->ticket,
                       t->error[0] == '\0', t->error[0] ? t->error : NULL);
        ngx_torii_acme_wake(a);
    }

    ngx_queue_remove(&t->queue);
    free(t);
}
