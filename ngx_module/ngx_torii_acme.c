
/*
 * Certificates on the helper's event loop: the machine of acme.h is told what
 * the objects want, and what it asks for is done here, by libcurl, by files, by
 * a new table.
 */

#include "ngx_torii_acme.h"
#include "ngx_torii_file.h"

#include <openssl/rand.h>


#define NGX_TORII_ACME_TURN     64       /* actions at once */
#define NGX_TORII_ACME_SPAN     5000     /* us in one turn, but for one key */
#define NGX_TORII_ACME_GAP      500000   /* us between two looks at objects */
#define NGX_TORII_ACME_SOON     50       /* ms, to a look that came too soon */
#define NGX_TORII_ACME_LATER    300      /* ms, to one that misses something */
#define NGX_TORII_ACME_CONNECT  10000    /* ms */


/* One request in flight. */

typedef struct {
    ngx_torii_acme_t           *acme;
    ngx_torii_curl_transfer_t  *transfer;
    ngx_torii_trust_t          *trust;
    uint32_t                    id;
    uint32_t                    term;
    acme_response_t             res;
    torii_arena_t              *arena;
    torii_buf_t                 body;
} ngx_torii_acme_call_t;


static void ngx_torii_acme_pump_handler(ngx_event_t *ev);
static void ngx_torii_acme_look_handler(ngx_event_t *ev);

static void ngx_torii_acme_tell(ngx_torii_acme_t *a);
static void ngx_torii_acme_issue(void *data, const ingress_issue_t *issue);
static void ngx_torii_acme_issuer(void *data, ingress_object_t *o);
static void ngx_torii_acme_want(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_issue_t *issue);
static ngx_uint_t ngx_torii_acme_types(uint32_t solve, uint8_t *types);
static ngx_torii_wanted_t *ngx_torii_acme_find(ngx_torii_wanted_t *wanted,
    ngx_uint_t n, torii_str_t id);

static void ngx_torii_acme_pump(ngx_torii_acme_t *a);
static void ngx_torii_acme_do(ngx_torii_acme_t *a, acme_action_t *action);
static void ngx_torii_acme_key(void *data, uint32_t term, uint32_t ticket,
    EVP_PKEY *key);
static void ngx_torii_acme_event(ngx_torii_acme_t *a, acme_action_t *action);

static void ngx_torii_acme_send(ngx_torii_acme_t *a, acme_action_t *action);
static ngx_int_t ngx_torii_acme_head(void *data, ngx_uint_t status,
    ngx_str_t *content_type, ngx_uint_t retry_after);
static torii_str_t ngx_torii_acme_field(ngx_torii_acme_call_t *call,
    char *name);
static ngx_int_t ngx_torii_acme_body(void *data, u_char *p, size_t len);
static void ngx_torii_acme_done(void *data, const char *error);
static void ngx_torii_acme_fail(ngx_torii_acme_call_t *call,
    const char *error);
static void ngx_torii_acme_answer(ngx_torii_acme_call_t *call);

static void ngx_torii_acme_command(void *ctx, torii_str_t name,
    torii_str_t data);


ngx_torii_acme_t *
ngx_torii_acme_create(ngx_torii_helper_t *h)
{
    u_char            *p;
    ngx_str_t         *private;
    ngx_torii_acme_t  *a;

    private = &h->tmcf->private_dir;

    a = ngx_pcalloc(h->pool, sizeof(ngx_torii_acme_t));
    p = ngx_pnalloc(h->pool, 4 * (private->len + sizeof("/certificates")));
    if (a == NULL || p == NULL) {
        return NULL;
    }

    a->helper = h;
    a->log = h->log;

    a->dir.data = p;
    p = ngx_sprintf(p, "%V/acme%Z", private);
    a->dir.len = p - a->dir.data - 1;

    a->accounts.data = p;
    p = ngx_sprintf(p, "%V/accounts%Z", private);
    a->accounts.len = p - a->accounts.data - 1;

    a->certificates.data = p;
    p = ngx_sprintf(p, "%V/certificates%Z", private);
    a->certificates.len = p - a->certificates.data - 1;

    a->requests.data = p;
    p = ngx_sprintf(p, "%V/requests%Z", private);
    a->requests.len = p - a->requests.data - 1;

    /* where the operator's wishes are put: it must be our user's */

    (void) mkdir((char *) a->requests.data, 0700);

    a->curl = ngx_torii_curl_create(h->pool, h->log);
    a->dns = ngx_torii_dns_create(h->pool, &h->tmcf->resolver, h->log);
    a->keys = ngx_torii_keys_create(h->pool, ngx_torii_acme_key, a, h->log);

    if (a->curl == NULL || a->dns == NULL || a->keys == NULL) {
        return NULL;
    }

    a->dummy.fd = (ngx_socket_t) -1;
    a->dummy.data = a;

    ngx_torii_helper_event(h, &a->pump, ngx_torii_acme_pump_handler);
    ngx_torii_helper_event(h, &a->look, ngx_torii_acme_look_handler);
    a->pump.data = &a->dummy;
    a->look.data = &a->dummy;

    a->arena = torii_arena_create(4096);
    a->said = torii_arena_create(4096);
    ingress_findings_init(&a->bad, a->arena);

    ngx_torii_issuers_init(a);

    if (ngx_torii_solvers_init(a) != NGX_OK) {
        return NULL;
    }

    ngx_torii_challenges_init(a);
    ngx_torii_notice_init(a);

    a->keeper = h->tmcf->kubernetes.enable ? &ngx_torii_acme_cluster
                                           : &ngx_torii_acme_folder;

    return a->keeper->create(a) == NGX_OK ? a : NULL;
}


void
ngx_torii_acme_start(ngx_torii_acme_t *a)
{
    acme_conf_t  conf;

    ngx_memzero(&conf, sizeof(acme_conf_t));

    conf.eager = a->helper->tmcf->acme.eager;
    conf.shared = a->helper->tmcf->kubernetes.enable;

    if (RAND_bytes((u_char *) &conf.seed, sizeof(conf.seed)) != 1) {
        conf.seed = ngx_torii_publish_us() ^ (uint64_t) ngx_pid << 32;
    }

    a->acme = acme_create(&conf, ngx_torii_publish_ms());
    a->term++;
    a->held = NULL;

    a->keeper->load(a);
}


/* Whoever makes one next goes on from what was saved. */

void
ngx_torii_acme_stop(ngx_torii_acme_t *a)
{
    acme_free(a->acme);

    a->acme = NULL;
    a->term++;

    ngx_torii_challenge_stop(a);

    torii_arena_destroy(a->arena);

    a->arena = torii_arena_create(4096);
    a->wanted = NULL;
    a->n = 0;
    a->version = 0;
    a->report = 0;

    ingress_findings_init(&a->bad, a->arena);

    ngx_torii_certificate_report(a);
}


void
ngx_torii_acme_saved(ngx_torii_acme_t *a, uint32_t term, uint32_t ticket,
    ngx_uint_t ok)
{
    if (a->acme == NULL || a->term != term) {
        return;
    }

    acme_saved(a->acme, ngx_torii_publish_ms(), ticket, ok);

    ngx_torii_acme_wake(a);
}


void
ngx_torii_acme_compiled(ngx_torii_acme_t *a, ngx_uint_t published)
{
    uint64_t  now;

    ngx_torii_challenge_published(a, published);

    if (ingress_issues_version(a->helper->store) == a->version
        || a->look.timer_set)
    {
        return;
    }

    /* the first of many changes is looked at soon */

    now = ngx_torii_publish_us();

    ngx_add_timer(&a->look, now - a->looked >= NGX_TORII_ACME_GAP ? 1
                            : NGX_TORII_ACME_GAP / 1000);
}


void
ngx_torii_acme_beat(ngx_torii_acme_t *a)
{
    uint64_t  changes;

    ngx_torii_issuers_sweep(a);
    ngx_torii_solvers_beat(a);
    ngx_torii_sweep(a);

    if (a->acme) {
        ngx_torii_file_each(&a->requests, ngx_torii_acme_command, a, a->log);

        changes = acme_changes(a->acme);

        if (changes != a->changes) {
            a->changes = changes;
            a->dirty = 1;
        }
    }

    if (ngx_torii_notice_expire(a) || a->dirty) {
        ngx_torii_certificate_report(a);
    }
}


const ingress_finding_t *
ngx_torii_acme_findings(ngx_torii_acme_t *a, const ingress_finding_t *source)
{
    if (a->findings == NULL) {
        return source;
    }

    a->last->next = (ingress_finding_t *) source;

    return a->findings;
}


void
ngx_torii_acme_wake(ngx_torii_acme_t *a)
{
    ngx_post_event(&a->pump, &ngx_posted_events);
}


static void
ngx_torii_acme_pump_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_torii_acme_pump(c->data);
}


static void
ngx_torii_acme_look_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_torii_acme_look(c->data);
}


void
ngx_torii_acme_look(ngx_torii_acme_t *a)
{
    uint64_t        version;
    ngx_int_t       rc;
    torii_arena_t  *old;

    version = ingress_issues_version(a->helper->store);
    rc = a->keeper->ready(a);

    if (rc == NGX_AGAIN) {
        ngx_torii_helper_arm(&a->look, NGX_TORII_ACME_SOON);
        return;
    }

    if (rc != NGX_OK) {
        a->version = version;
        return;
    }

    old = a->arena;

    a->arena = torii_arena_create(16384);
    a->before = a->wanted;
    a->nbefore = a->n;
    a->wanted = NULL;
    a->n = 0;
    a->version = version;
    a->looked = ngx_torii_publish_us();
    a->again = 0;

    ingress_findings_init(&a->bad, a->arena);

    ngx_torii_acme_tell(a);

    a->before = NULL;
    a->nbefore = 0;

    torii_arena_destroy(old);

    if (a->again) {
        ngx_torii_helper_arm(&a->look, NGX_TORII_ACME_LATER);
    }

    a->dirty = 1;

    ngx_torii_certificate_report(a);
    ngx_torii_acme_pump(a);
}


static void
ngx_torii_acme_tell(ngx_torii_acme_t *a)
{
    ngx_torii_helper_t  *h;

    h = a->helper;

    if (a->acme) {
        acme_begin(a->acme);
        ngx_torii_issuers_begin(a);

        ingress_store_each(h->store, INGRESS_KIND_ISSUER,
                           ngx_torii_acme_issuer, a);
        ingress_store_each(h->store, INGRESS_KIND_CLUSTER_ISSUER,
                           ngx_torii_acme_issuer, a);
    }

    ingress_issues(h->store, &h->options, &a->bad, ngx_torii_acme_issue, a);

    if (a->acme) {
        ngx_torii_issuers_end(a);
        acme_end(a->acme, ngx_torii_publish_ms());
    }
}


static void
ngx_torii_acme_issuer(void *data, ingress_object_t *o)
{
    ngx_torii_acme_t *a = data;

    torii_arena_t  *arena;

    arena = torii_arena_create(4096);

    ngx_torii_issuer_tell(a, arena, o);

    torii_arena_destroy(arena);
}


/* They come in order of their ids: so wanted is sorted. */

static void
ngx_torii_acme_issue(void *data, const ingress_issue_t *issue)
{
    ngx_torii_acme_t *a = data;

    uint32_t             i;
    ngx_int_t            rc;
    torii_buf_t          names;
    torii_arena_t       *arena;
    ngx_torii_wanted_t  *w;

    if ((a->n & (a->n - 1)) == 0) {
        w = torii_arena_alloc(a->arena, 2 * (a->n + 1)
                                        * sizeof(ngx_torii_wanted_t));
        if (a->n) {
            ngx_memcpy(w, a->wanted, a->n * sizeof(ngx_torii_wanted_t));
        }

        a->wanted = w;
    }

    w = &a->wanted[a->n++];
    ngx_memzero(w, sizeof(ngx_torii_wanted_t));
    ngx_memzero(&names, sizeof(torii_buf_t));

    for (i = 0; i < issue->n; i++) {
        torii_buf_printf(&names, "%s%.*s", i ? ", " : "",
                         torii_str_arg(issue->names[i].name));
    }

    w->names.data = names.data;
    w->names.len = names.len;
    w->names = torii_arena_str(a->arena, w->names);
    torii_buf_free(&names);

    w->id = torii_arena_printf(a->arena, "%.*s/%.*s",
                               torii_str_arg(issue->namespace),
                               torii_str_arg(issue->secret));
    w->namespace = torii_arena_str(a->arena, issue->namespace);
    w->secret = torii_arena_str(a->arena, issue->secret);
    w->kind = torii_str(ingress_kind_name(issue->owner->kind));
    w->owner = torii_arena_str(a->arena, issue->owner->name);
    w->file = torii_arena_str(a->arena, issue->owner->file);
    w->field = torii_arena_str(a->arena, issue->field);
    w->line = issue->owner->line;
    w->host = torii_arena_str(a->arena, issue->names[0].name);

    if (issue->nissuers) {
        w->issuer = torii_arena_str(a->arena, issue->issuers[0]->name);
        w->issuer_kind = torii_str(
                               ingress_kind_name(issue->issuers[0]->kind));
    }

    rc = a->keeper->wanted ? a->keeper->wanted(a, w, issue) : NGX_OK;

    if (rc != NGX_OK) {
        a->again |= (rc == NGX_AGAIN);
        return;
    }

    arena = torii_arena_create(4096);

    ngx_torii_acme_want(a, arena, issue);

    torii_arena_destroy(arena);
}


static void
ngx_torii_acme_want(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_issue_t *issue)
{
    uint32_t              i;
    acme_want_t           want;
    torii_str_t           issuer;
    acme_want_name_t     *name;
    ngx_torii_wanted_t   *w;

    static const torii_key_type_e  rsa[] = {
        TORII_KEY_RSA_2048, TORII_KEY_RSA_3072, TORII_KEY_RSA_4096
    };

    w = &a->wanted[a->n - 1];
    ngx_memzero(&want, sizeof(acme_want_t));

    want.id = w->id;
    want.n = issue->n;
    want.names = torii_arena_zalloc(arena,
                                    issue->n * sizeof(acme_want_name_t));
    want.nissuers = issue->nissuers;
    want.issuers = torii_arena_alloc(arena, (issue->nissuers + 1)
                                            * sizeof(torii_str_t));

    for (i = 0; i < issue->nissuers; i++) {
        want.issuers[i] = ngx_torii_issuer_name(arena, issue->issuers[i]);
    }

    issuer = want.nissuers ? want.issuers[0] : torii_str("");

    for (i = 0; i < issue->n; i++) {
        name = &want.names[i];
        name->name = issue->names[i].name;
        name->asked = (issue->names[i].solve
                       & (INGRESS_SOLVE_ALPN_FIRST|INGRESS_SOLVE_PERSIST_ONLY))
                      != 0;

        if (ngx_torii_acme_types(issue->names[i].solve, name->types)) {
            name->solver = torii_arena_printf(arena, "%.*s#%u",
                                              torii_str_arg(issuer),
                                              issue->names[i].solver);
        }
    }

    want.common_name = issue->common_name;
    want.key_type = issue->key == INGRESS_ISSUE_RSA
                    ? rsa[ngx_min((issue->bits - 1024) / 1024 - 1, 2)]
                    : issue->bits == 384 ? TORII_KEY_EC_P384
                                         : TORII_KEY_EC_P256;
    want.traditional = !issue->pkcs8;
    want.reuse_key = issue->reuse_key;
    want.in_use = 1;
    want.no_renewal = issue->disabled;
    want.duration = issue->duration;
    want.renew_before = issue->renew_before;
    want.renew_percent = issue->renew_percent;
    want.renew_now = issue->renew_now;

    ngx_torii_certificate_get(a, w, &want.chain, &want.key);
    w->served = want.chain.len && want.key.len;

    if (a->acme == NULL) {
        return;
    }

    if (a->keeper->have) {
        a->keeper->have(a, w, &want.chain, &want.key);
    }

    acme_want(a->acme, &want);
}


/* Challenge types in the order of their trial; 1 if DNS is one of them. */

static ngx_uint_t
ngx_torii_acme_types(uint32_t solve, uint8_t *types)
{
    ngx_uint_t  n;

    n = 0;

    if (solve & INGRESS_SOLVE_PERSIST) {
        types[n++] = ACME_CHALLENGE_DNS_PERSIST + 1;
    }

    if (solve & INGRESS_SOLVE_ALPN_FIRST) {
        types[n++] = ACME_CHALLENGE_ALPN + 1;
    }

    if (solve & INGRESS_SOLVE_HTTP) {
        types[n++] = ACME_CHALLENGE_HTTP + 1;
    }

    if ((solve & INGRESS_SOLVE_ALPN) && !(solve & INGRESS_SOLVE_ALPN_FIRST)) {
        types[n++] = ACME_CHALLENGE_ALPN + 1;
    }

    if (solve & INGRESS_SOLVE_DNS) {
        types[n++] = ACME_CHALLENGE_DNS + 1;
        return 1;
    }

    return 0;
}


ngx_torii_wanted_t *
ngx_torii_acme_wanted(ngx_torii_acme_t *a, torii_str_t id)
{
    return ngx_torii_acme_find(a->wanted, a->n, id);
}


ngx_torii_wanted_t *
ngx_torii_acme_before(ngx_torii_acme_t *a, torii_str_t id)
{
    return ngx_torii_acme_find(a->before, a->nbefore, id);
}


static ngx_torii_wanted_t *
ngx_torii_acme_find(ngx_torii_wanted_t *wanted, ngx_uint_t n, torii_str_t id)
{
    int         rc;
    ngx_uint_t  lo, hi, mid;

    lo = 0;
    hi = n;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        rc = ngx_memn2cmp(id.data, wanted[mid].id.data, id.len,
                          wanted[mid].id.len);

        if (rc == 0) {
            return &wanted[mid];
        }

        if (rc < 0) {
            hi = mid;

        } else {
            lo = mid + 1;
        }
    }

    return NULL;
}


static void
ngx_torii_acme_pump(ngx_torii_acme_t *a)
{
    int            rc;
    uint32_t       wait;
    uint64_t       begin;
    ngx_uint_t     n;
    acme_action_t  action;

    if (a->acme == NULL) {
        return;
    }

    begin = ngx_torii_publish_us();

    for (n = 0; n < NGX_TORII_ACME_TURN; n++) {

        /* keys take long to make, and others wait for this loop */

        if (ngx_torii_publish_us() - begin > NGX_TORII_ACME_SPAN) {
            break;
        }

        rc = acme_next(a->acme, ngx_torii_publish_ms(), &action, &wait);

        if (rc != TORII_OK) {
            ngx_torii_helper_arm(&a->pump, ngx_min(ngx_max(wait, 1), 60000));
            return;
        }

        ngx_torii_acme_do(a, &action);
    }

    ngx_post_event(&a->pump, &ngx_posted_next_events);
}


static void
ngx_torii_acme_do(ngx_torii_acme_t *a, acme_action_t *action)
{
    ngx_int_t  rc;

    switch (action->what) {

    case ACME_DO_SEND:
        ngx_torii_acme_send(a, action);
        return;

    case ACME_DO_SAVE:
        rc = a->keeper->save(a, action);
        break;

    case ACME_DO_ACCOUNT:
        rc = a->keeper->account(a, action);
        break;

    case ACME_DO_LOOK:
        ngx_torii_look_start(a, action);
        return;

    case ACME_DO_PRESENT:
        ngx_torii_challenge_present(a, action);
        return;

    case ACME_DO_WITHDRAW:
        ngx_torii_challenge_withdraw(a, action);
        return;

    case ACME_DO_CERTIFICATE:
        rc = a->keeper->certificate(a, action);
        break;

    case ACME_DO_KEY:
        ngx_torii_key_make(a->keys, action->key_type, a->term, action->ticket);
        return;

    case ACME_DO_EVENT:
    default:
        ngx_torii_acme_event(a, action);
        return;
    }

    if (rc != NGX_AGAIN) {
        acme_saved(a->acme, ngx_torii_publish_ms(), action->ticket,
                   rc == NGX_OK);
    }
}


static void
ngx_torii_acme_key(void *data, uint32_t term, uint32_t ticket, EVP_PKEY *key)
{
    ngx_torii_acme_t *a = data;

    if (a->acme == NULL || a->term != term) {
        EVP_PKEY_free(key);
        return;
    }

    acme_key(a->acme, ngx_torii_publish_ms(), ticket, key);

    ngx_torii_acme_wake(a);
}


static void
ngx_torii_acme_event(ngx_torii_acme_t *a, acme_action_t *action)
{
    ngx_uint_t   level;
    torii_str_t  subject;

    subject = action->want.len ? action->want : action->issuer;
    level = action->warning ? NGX_LOG_WARN : NGX_LOG_NOTICE;

    ngx_log_error(level, a->log, 0,
                  "torii: certificate \"%*s\": %s: %*s", subject.len,
                  subject.data, action->reason, action->text.len,
                  action->text.data);

    ngx_torii_notice_add(a, action->want, action->reason, action->warning,
                         action->text);
    a->dirty = 1;
}


static void
ngx_torii_acme_send(ngx_torii_acme_t *a, acme_action_t *action)
{
    char                       *headers[4], *url, accept[128];
    ngx_uint_t                  n;
    ngx_torii_acme_call_t      *call;
    ngx_torii_curl_request_t    req;
    ngx_torii_curl_handlers_t   handlers;

    call = torii_zalloc(sizeof(ngx_torii_acme_call_t));

    call->acme = a;
    call->id = action->request.id;
    call->term = a->term;
    call->arena = torii_arena_create(1024);

    ngx_memzero(&req, sizeof(ngx_torii_curl_request_t));

    url = (char *) torii_arena_str(call->arena, action->request.url).data;
    n = 0;

    if (action->request.body.len) {
        headers[n++] = "Content-Type: application/jose+json";
    }

    if (action->request.accept) {
        (void) ngx_snprintf((u_char *) accept, sizeof(accept), "Accept: %s%Z",
                            action->request.accept);
        headers[n++] = accept;
    }

    headers[n] = NULL;

    req.method = (char *) action->request.method;
    req.url = url;
    req.headers = headers;
    req.body.data = action->request.body.data;
    req.body.len = action->request.body.len;
    req.timeout = action->request.timeout;
    req.connect_timeout = NGX_TORII_ACME_CONNECT;
    call->trust = ngx_torii_issuer_trust(a, action->issuer);

    if (call->trust == NULL) {
        ngx_torii_acme_fail(call, "its caBundle is no PEM certificate");
        return;
    }

    req.tls = ngx_torii_trust_tls(call->trust);

    handlers.head = ngx_torii_acme_head;
    handlers.body = ngx_torii_acme_body;
    handlers.done = ngx_torii_acme_done;
    handlers.data = call;

    call->transfer = ngx_torii_curl_start(a->curl, &req, &handlers);

    if (call->transfer == NULL) {
        ngx_torii_acme_fail(call, "the request cannot be made");
    }
}


static ngx_int_t
ngx_torii_acme_head(void *data, ngx_uint_t status, ngx_str_t *content_type,
    ngx_uint_t retry_after)
{
    ngx_torii_acme_call_t *call = data;

    ngx_str_t    value;
    ngx_uint_t   i;
    torii_str_t  link;

    call->res.status = status;
    call->res.content_type = ngx_torii_acme_field(call, "Content-Type");
    call->res.nonce = ngx_torii_acme_field(call, "Replay-Nonce");
    call->res.location = ngx_torii_acme_field(call, "Location");
    call->res.retry_after = ngx_torii_acme_field(call, "Retry-After");
    call->res.date = ngx_torii_acme_field(call, "Date");
    call->res.link = ngx_torii_acme_field(call, "Link");

    for (i = 1;
         i < 64 && ngx_torii_curl_field(call->transfer, "Link", i, &value)
                   == NGX_OK;
         i++)
    {
        link = call->res.link;
        call->res.link = torii_arena_printf(call->arena, "%.*s, %.*s",
                                            torii_str_arg(link),
                                            (int) value.len, value.data);
    }

    return NGX_OK;
}


static torii_str_t
ngx_torii_acme_field(ngx_torii_acme_call_t *call, char *name)
{
    ngx_str_t    value;
    torii_str_t  s;

    s.len = 0;
    s.data = (u_char *) "";

    if (ngx_torii_curl_field(call->transfer, name, 0, &value) == NGX_OK) {
        s.data = value.data;
        s.len = value.len;
        s = torii_arena_str(call->arena, s);
    }

    return s;
}


static ngx_int_t
ngx_torii_acme_body(void *data, u_char *p, size_t len)
{
    ngx_torii_acme_call_t *call = data;

    if (call->body.len + len > ACME_BODY_MAX) {
        ngx_torii_acme_fail(call, "the answer is larger than 256 KB");
        return NGX_ERROR;
    }

    torii_buf_add(&call->body, p, len);

    return NGX_OK;
}


static void
ngx_torii_acme_done(void *data, const char *error)
{
    ngx_torii_acme_call_t *call = data;

    if (error) {
        ngx_torii_acme_fail(call, error);
        return;
    }

    call->res.body.data = call->body.data;
    call->res.body.len = call->body.len;

    ngx_torii_acme_answer(call);
}


static void
ngx_torii_acme_fail(ngx_torii_acme_call_t *call, const char *error)
{
    ngx_memzero(&call->res, sizeof(acme_response_t));

    call->res.error = error;

    ngx_torii_acme_answer(call);
}


static void
ngx_torii_acme_answer(ngx_torii_acme_call_t *call)
{
    ngx_torii_acme_t  *a;

    a = call->acme;

    if (a->acme && call->term == a->term) {
        ngx_torii_challenge_count(a);
        acme_answer(a->acme, ngx_torii_publish_ms(), call->id, &call->res);
        ngx_torii_acme_wake(a);
    }

    if (call->trust) {
        ngx_torii_trust_leave(call->trust);
    }

    torii_buf_free(&call->body);
    torii_arena_destroy(call->arena);
    free(call);
}


/*
 * What the operator asks for by the tool lies in a folder that only root and
 * the helper's user may write to: nobody who reaches a port can ask.
 */

static void
ngx_torii_acme_command(void *ctx, torii_str_t name, torii_str_t data)
{
    ngx_torii_acme_t *a = ctx;

    int          rc;
    uint64_t     now, reason;
    ngx_uint_t   level;
    torii_str_t  verb, id;

    if (torii_str_starts(name, "dns-")
        || ngx_torii_file_remove(&a->requests, name, a->log) != NGX_OK)
    {
        return;
    }

    data = torii_str_trim(data);
    now = ngx_torii_publish_ms();
    rc = TORII_ERROR;
    id = torii_str("");
    verb = id;

    if (torii_str_has_control(data)) {
        data.len = 0;
    }

    (void) torii_str_next(&data, " ", &verb);
    (void) torii_str_next(&data, " ", &id);

    if (torii_str_eqs(verb, "renew")) {
        rc = acme_renew(a->acme, now, id);

    } else if (torii_str_eqs(verb, "rollover")) {
        rc = acme_rollover(a->acme, now, id);

    } else if (torii_str_eqs(verb, "revoke")
               && torii_str_uint(data, 10, &reason) == TORII_OK)
    {
        rc = acme_revoke(a->acme, now, id, reason);
    }

    level = (rc == TORII_OK) ? NGX_LOG_NOTICE : NGX_LOG_ERR;

    ngx_log_error(level, a->log, 0,
                  "torii: the operator asks to %*s \"%*s\"%s", verb.len,
                  verb.data, id.len, id.data,
                  rc == TORII_OK ? "" : ": no such certificate or issuer");

    ngx_torii_acme_wake(a);
}
