
/*
 * Challenges on their way to all gateways.  The leader writes one Secret, the
 * others read it as they read all.  Each set that is written has a token of its
 * own besides: a gateway that answers it has the set, whatever kinds of
 * challenges are in it.  So the leader asks each ready endpoint of the Service
 * that "torii_publish" names, and the CA is told to look when all have
 * answered.
 *
 * This is advice, not a condition: endpoints may be hidden behind a policy, or
 * want PROXY protocol.  After a while the order goes on, and its owner is told.
 * What changes meanwhile waits and goes out as one set.
 */

#include "ngx_torii_acme_cluster.h"

#include <openssl/rand.h>


#define NGX_TORII_SPREAD_LIMIT    10000     /* ms, of all of them */
#define NGX_TORII_SPREAD_BLIND    2000      /* … where nobody ever answers */
#define NGX_TORII_SPREAD_TOKEN    "torii-probe-"


static void ngx_torii_spread_keep(ngx_torii_spread_t *s,
    const ingress_challenge_t *all, uint32_t n);
static void ngx_torii_spread_serve(ngx_torii_cluster_t *c);
static ngx_uint_t ngx_torii_spread_with(ngx_torii_spread_t *s,
    ingress_challenge_t **list);
static void ngx_torii_spread_handler(ngx_event_t *ev);
static void ngx_torii_spread_write(ngx_torii_cluster_t *c);
static void ngx_torii_spread_written(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body);


void
ngx_torii_spread_init(ngx_torii_cluster_t *c)
{
    ngx_queue_init(&c->spread.places);

    ngx_torii_helper_event(c->acme->helper, &c->spread.next,
                           ngx_torii_spread_handler);
    c->spread.next.data = &c->acme->dummy;
}


ngx_int_t
ngx_torii_cluster_challenges(ngx_torii_acme_t *a,
    const ingress_challenge_t *all, uint32_t n)
{
    torii_buf_t           text;
    ngx_int_t             rc;
    ngx_torii_spread_t   *s;
    ngx_torii_cluster_t  *c;

    c = a->keeping;
    s = &c->spread;

    ngx_memzero(&text, sizeof(torii_buf_t));
    rc = ingress_challenge_encode(&text, all, n);
    torii_buf_free(&text);

    if (rc != TORII_OK) {
        return NGX_ERROR;
    }

    ngx_torii_spread_keep(s, all, n);
    s->newest++;

    ngx_torii_spread_serve(c);

    if (s->flying == 0) {
        ngx_post_event(&s->next, &ngx_posted_events);
    }

    return s->newest;
}


static void
ngx_torii_spread_keep(ngx_torii_spread_t *s, const ingress_challenge_t *all,
    uint32_t n)
{
    uint32_t        i;
    torii_arena_t  *arena;

    arena = torii_arena_create(4096);

    s->n = n;
    s->all = torii_arena_alloc(arena, (n + 1) * sizeof(ingress_challenge_t));

    for (i = 0; i < n; i++) {
        s->all[i] = all[i];
        s->all[i].name = torii_arena_str(arena, all[i].name);
        s->all[i].value = torii_arena_str(arena, all[i].value);
        s->all[i].key = torii_arena_str(arena, all[i].key);
    }

    torii_arena_destroy(s->arena);
    s->arena = arena;
}


/* The set in the store is what the leader wants it to be. */

static void
ngx_torii_spread_serve(ngx_torii_cluster_t *c)
{
    ngx_uint_t            n;
    ngx_torii_helper_t   *h;
    ingress_challenge_t  *list;

    h = c->acme->helper;
    n = ngx_torii_spread_with(&c->spread, &list);

    if (ingress_store_challenges(h->store, list, n)) {
        ngx_torii_pipeline_changed(h, ngx_torii_publish_us());
    }

    free(list);
}


/* All of them and the token that tells this set apart. */

static ngx_uint_t
ngx_torii_spread_with(ngx_torii_spread_t *s, ingress_challenge_t **list)
{
    ngx_uint_t            n;
    ingress_challenge_t  *probe;

    *list = torii_malloc((s->n + 1) * sizeof(ingress_challenge_t));
    n = s->n;

    if (n) {
        ngx_memcpy(*list, s->all, n * sizeof(ingress_challenge_t));
    }

    if (n && s->probe[0]) {
        probe = &(*list)[n++];
        ngx_memzero(probe, sizeof(ingress_challenge_t));
        probe->type = INGRESS_CHALLENGE_HTTP;
        probe->name = torii_str(s->probe);
        probe->value = torii_str(s->probe);
    }

    return n;
}


static void
ngx_torii_spread_handler(ngx_event_t *ev)
{
    ngx_connection_t     *conn;
    ngx_torii_acme_t     *a;
    ngx_torii_cluster_t  *c;

    conn = ev->data;
    a = conn->data;
    c = a->keeping;

    if (a->acme == NULL) {
        return;
    }

    if (c->spread.flying) {
        ngx_torii_places_ask(c);

    } else if (c->spread.newest > c->spread.done) {
        ngx_torii_spread_write(c);
    }
}


static void
ngx_torii_spread_write(ngx_torii_cluster_t *c)
{
    uint64_t              random[2];
    ngx_int_t             rc;
    ngx_uint_t            n;
    torii_buf_t           text, body;
    torii_str_t           s;
    ngx_torii_write_t    *w;
    ngx_torii_spread_t   *spread;
    ingress_challenge_t  *list;

    spread = &c->spread;
    spread->flying = spread->newest;

    if (RAND_bytes((u_char *) random, sizeof(random)) != 1) {
        random[0] = ngx_torii_publish_us();
        random[1] = ngx_pid;
    }

    *ngx_sprintf((u_char *) spread->probe, NGX_TORII_SPREAD_TOKEN
                 "%016xL%016xL", random[0], random[1]) = '\0';

    ngx_torii_spread_serve(c);
    ngx_torii_pipeline_publish(c->acme->helper);

    ngx_memzero(&text, sizeof(torii_buf_t));
    ngx_memzero(&body, sizeof(torii_buf_t));

    n = ngx_torii_spread_with(spread, &list);
    rc = ingress_challenge_encode(&text, list, n);
    free(list);

    if (rc != TORII_OK) {
        torii_buf_adds(&text, "[]");
    }

    torii_buf_printf(&body, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\","
                     "\"metadata\":{\"name\":\"" NGX_TORII_CLUSTER_CHALLENGES
                     "\",\"namespace\":\"%.*s\",\"labels\":{"
                     "\"app.kubernetes.io/managed-by\":\"torii\","
                     "\"torii/acme\":\"challenges\"}},\"type\":"
                     "\"torii/acme-challenges\",\"data\":{\"challenges\":",
                     torii_str_arg(c->namespace));

    s.data = text.data;
    s.len = text.len;
    ngx_torii_write_base64(&body, s);
    torii_buf_adds(&body, "}}");

    w = ngx_torii_write_create(c, 0, "challenges",
                               torii_str(NGX_TORII_CLUSTER_CHALLENGES));
    w->restore = 1;

    s.data = body.data;
    s.len = body.len;

    ngx_torii_write_apply(w, c->namespace,
                          torii_str(NGX_TORII_CLUSTER_CHALLENGES), s,
                          ngx_torii_spread_written);

    ngx_explicit_memzero(text.data, text.size);
    ngx_explicit_memzero(body.data, body.size);
    torii_buf_free(&text);
    torii_buf_free(&body);
}


static void
ngx_torii_spread_written(void *data, uint32_t id,
    const ingress_api_answer_t *answer, torii_str_t body)
{
    ngx_torii_write_t *w = data;

    ngx_uint_t            ok, ours;
    ngx_torii_spread_t   *s;
    ngx_torii_cluster_t  *c;

    c = w->cluster;
    s = &c->spread;

    ours = (c->acme->acme && c->acme->term == w->term && s->flying);
    ok = ngx_torii_write_ok(w, answer, body);

    ngx_torii_write_free(w);

    if (!ours) {
        return;
    }

    if (!ok) {
        s->flying = 0;
        ngx_torii_helper_arm(&s->next, 1000);
        return;
    }

    s->until = ngx_current_msec + (s->blind ? NGX_TORII_SPREAD_BLIND
                                            : NGX_TORII_SPREAD_LIMIT);

    if (s->n) {
        ngx_torii_places_find(c);
    }

    if (s->left == 0) {
        ngx_torii_spread_done(c);
        return;
    }

    ngx_torii_places_ask(c);
}


void
ngx_torii_spread_done(ngx_torii_cluster_t *c)
{
    char                 text[160];
    ngx_int_t            set;
    ngx_torii_spread_t  *s;

    s = &c->spread;
    set = s->flying;

    s->flying = 0;
    s->done = set;
    s->blind = (s->left && s->left == s->asked);

    text[0] = '\0';

    if (s->left) {
        (void) snprintf(text, sizeof(text), "%u of %u gateways were not seen "
                        "to answer the challenges; the authority is asked to "
                        "look all the same", (unsigned) s->left,
                        (unsigned) s->asked);
        ngx_log_error(NGX_LOG_WARN, c->acme->log, 0, "torii: %s", text);
    }

    ngx_torii_places_free(s);

    ngx_torii_challenge_spread(c->acme, set, text[0] ? text : NULL);

    if (s->newest > s->done) {
        ngx_post_event(&s->next, &ngx_posted_events);
    }
}


/* The last good set stays, where the text is no set. */

void
ngx_torii_spread_read(ngx_torii_cluster_t *c)
{
    uint32_t               n;
    torii_str_t            namespace, name;
    torii_arena_t         *arena;
    ingress_object_t      *o;
    ngx_torii_helper_t    *h;
    ingress_challenge_t   *list;
    const ingress_pair_t  *pair;

    h = c->acme->helper;
    name = c->challenges;

    if (name.len == 0) {
        return;
    }

    (void) torii_str_next(&name, "/", &namespace);

    o = ingress_store_get(h->store, INGRESS_KIND_SECRET, namespace, name);

    if (o == NULL || o->version == c->spread.version) {
        return;
    }

    c->spread.version = o->version;

    pair = ingress_pair_find(&o->u.secret.data, "challenges");
    if (pair == NULL) {
        return;
    }

    arena = torii_arena_create(4096);

    if (ingress_challenge_decode(arena, pair->value, &list, &n) != TORII_OK) {
        ngx_log_error(NGX_LOG_ERR, c->acme->log, 0,
                      "torii: Secret \"%*s\" holds no challenges",
                      c->challenges.len, c->challenges.data);

    } else if (ingress_store_challenges(h->store, list, n)) {
        ngx_torii_pipeline_changed(h, ngx_torii_publish_us());
    }

    torii_arena_destroy(arena);
}


void
ngx_torii_spread_inherit(ngx_torii_cluster_t *c)
{
    uint32_t               i, k, n;
    torii_str_t            namespace, name;
    torii_arena_t         *arena;
    ingress_object_t      *o;
    ingress_challenge_t   *list;
    const ingress_pair_t  *pair;

    name = c->challenges;
    (void) torii_str_next(&name, "/", &namespace);

    o = ingress_store_get(c->acme->helper->store, INGRESS_KIND_SECRET,
                          namespace, name);
    pair = o ? ingress_pair_find(&o->u.secret.data, "challenges") : NULL;

    if (pair == NULL) {
        return;
    }

    arena = torii_arena_create(4096);

    if (ingress_challenge_decode(arena, pair->value, &list, &n) == TORII_OK) {

        for (i = 0, k = 0; i < n; i++) {
            if (!torii_str_starts(list[i].name, NGX_TORII_SPREAD_TOKEN)) {
                list[k++] = list[i];
            }
        }

        ngx_torii_challenge_inherit(c->acme, list, k);
    }

    torii_arena_destroy(arena);
}


void
ngx_torii_spread_stop(ngx_torii_cluster_t *c)
{
    ngx_torii_spread_t  *s;

    s = &c->spread;

    ngx_torii_places_free(s);

    torii_arena_destroy(s->arena);

    s->arena = NULL;
    s->all = NULL;
    s->n = 0;
    s->flying = 0;
    s->done = s->newest;
    s->version = 0;
    s->probe[0] = '\0';

    if (s->next.timer_set) {
        ngx_del_timer(&s->next);
    }
}
