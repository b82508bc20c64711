
/*
 * DNS on the helper's event loop: the engine of dnssync_engine.h is told what
 * is to be in DNS and by whom, and what it asks for is done here: requests by
 * libcurl and sockets, questions by c-ares, files.
 */

#include "ngx_torii_dnssync.h"
#include "ngx_torii_file.h"

#include <openssl/rand.h>


#define NGX_TORII_DNSSYNC_TURN   64      /* actions at once */
#define NGX_TORII_DNSSYNC_SPAN   5000    /* us in one turn */
#define NGX_TORII_DNSSYNC_GAP    500000  /* us between two looks at objects */
#define NGX_TORII_DNSSYNC_LEASE  15000   /* ms: INGRESS_LEASE_DURATION */


static ngx_int_t ngx_torii_dnssync_dirs(ngx_torii_dnssync_t *d);
static void ngx_torii_dnssync_moved(void *data);
static void ngx_torii_dnssync_pump_handler(ngx_event_t *ev);
static void ngx_torii_dnssync_look_handler(ngx_event_t *ev);
static void ngx_torii_dnssync_pump(ngx_torii_dnssync_t *d);
static void ngx_torii_dnssync_do(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);
static void ngx_torii_dnssync_start(ngx_torii_dnssync_t *d);

static void ngx_torii_dnssync_command(void *ctx, torii_str_t name,
    torii_str_t data);
static ngx_int_t ngx_torii_dnssync_adopt(ngx_torii_dnssync_t *d,
    torii_str_t args);


ngx_torii_dnssync_t *
ngx_torii_dnssync_create(ngx_torii_helper_t *h)
{
    ngx_torii_dnssync_t  *d;

    d = ngx_pcalloc(h->pool, sizeof(ngx_torii_dnssync_t));
    if (d == NULL) {
        return NULL;
    }

    d->helper = h;
    d->log = h->log;
    d->leads = !h->tmcf->kubernetes.enable;

    if (ngx_torii_dnssync_dirs(d) != NGX_OK
        || ngx_array_init(&d->views, h->pool, 4, sizeof(torii_str_t))
           != NGX_OK
        || ngx_array_init(&d->servers, h->pool, 4,
                          sizeof(ngx_torii_dnssync_at_t))
           != NGX_OK)
    {
        return NULL;
    }

    d->dummy.fd = (ngx_socket_t) -1;
    d->dummy.data = d;

    ngx_torii_helper_event(h, &d->pump, ngx_torii_dnssync_pump_handler);
    ngx_torii_helper_event(h, &d->look, ngx_torii_dnssync_look_handler);
    d->pump.data = &d->dummy;
    d->look.data = &d->dummy;

    ngx_torii_dnssync_trusts_init(d);
    ngx_torii_dnssync_challenges_init(d);

    d->said = torii_arena_create(1024);
    d->accounts = torii_arena_create(1024);
    ingress_findings_init(&d->bad, d->accounts);

    /* in a cluster the node or the pod is asked for, which needs the API */

    if (!h->tmcf->kubernetes.enable) {
        d->addresses = ngx_torii_address_create(h, NULL,
                                                ngx_torii_dnssync_moved, d);

        if (d->addresses == NULL) {
            return NULL;
        }
    }

    return d;
}


static ngx_int_t
ngx_torii_dnssync_dirs(ngx_torii_dnssync_t *d)
{
    u_char     *p;
    ngx_str_t  *private;

    private = &d->helper->tmcf->private_dir;

    p = ngx_pnalloc(d->helper->pool, 2 * (private->len + sizeof("/requests")));
    if (p == NULL) {
        return NGX_ERROR;
    }

    d->dir.data = p;
    p = ngx_sprintf(p, "%V/dns%Z", private);
    d->dir.len = p - d->dir.data - 1;

    d->requests.data = p;
    p = ngx_sprintf(p, "%V/requests%Z", private);
    d->requests.len = p - d->requests.data - 1;

    /* where the operator's wishes are put: it must be our user's */

    (void) mkdir((char *) d->requests.data, 0700);

    return NGX_OK;
}


void
ngx_torii_dnssync_compiled(ngx_torii_dnssync_t *d)
{
    ngx_torii_dnssync_look(d);
}


/* The first of many changes is looked at soon. */

void
ngx_torii_dnssync_look(ngx_torii_dnssync_t *d)
{
    uint64_t  now;

    if (d->look.timer_set) {
        return;
    }

    now = ngx_torii_publish_us();

    ngx_add_timer(&d->look, now - d->looked >= NGX_TORII_DNSSYNC_GAP ? 1
                            : NGX_TORII_DNSSYNC_GAP / 1000);
}


/* The gateway may have other addresses now. */

static void
ngx_torii_dnssync_moved(void *data)
{
    ngx_torii_dnssync_look(data);
}


void
ngx_torii_dnssync_api(ngx_torii_dnssync_t *d, ngx_torii_api_t *api)
{
    if (d->api) {
        return;
    }

    d->addresses = ngx_torii_address_create(d->helper, api,
                                            ngx_torii_dnssync_moved, d);

    if (d->addresses) {
        d->api = api;
    }
}


void
ngx_torii_dnssync_lead(ngx_torii_dnssync_t *d, ngx_uint_t leads,
    torii_str_t lease)
{
    if (d->leads == leads) {
        return;
    }

    d->leads = leads;

    if (d->lease.len == 0 && lease.len) {
        d->lease.data = ngx_pnalloc(d->helper->pool, lease.len);

        if (d->lease.data) {
            ngx_memcpy(d->lease.data, lease.data, lease.len);
            d->lease.len = lease.len;
        }
    }

    if (d->engine) {
        dnssync_engine_lead(d->engine, ngx_torii_publish_ms(), leads,
                            NGX_TORII_DNSSYNC_LEASE);
        ngx_torii_dnssync_wake(d);
    }

    d->dirty = 1;
    ngx_torii_dnssync_look(d);
}


void
ngx_torii_dnssync_beat(ngx_torii_dnssync_t *d)
{
    uint64_t  now;

    now = ngx_torii_publish_us();

    ngx_torii_dnssync_trusts_sweep(d);

    /* what no table tells of: files of settings, addresses, the source's health
       and who we are */

    if (d->helper->compiled && (now >= d->due || now >= d->files)) {
        ngx_torii_dnssync_look(d);
    }

    if (d->engine) {
        ngx_torii_file_each(&d->requests, ngx_torii_dnssync_command, d,
                            d->log);
    }

    if (d->dirty && now >= d->report) {
        ngx_torii_dnssync_report(d);
    }
}


const ingress_finding_t *
ngx_torii_dnssync_findings(ngx_torii_dnssync_t *d,
    const ingress_finding_t *source)
{
    if (d->findings == NULL) {
        return source;
    }

    d->last->next = (ingress_finding_t *) source;

    return d->findings;
}


void
ngx_torii_dnssync_wake(ngx_torii_dnssync_t *d)
{
    ngx_post_event(&d->pump, &ngx_posted_events);
}


static void
ngx_torii_dnssync_pump_handler(ngx_event_t *ev)
{
    ngx_connection_t  *c;

    c = ev->data;

    ngx_torii_dnssync_pump(c->data);
}


static void
ngx_torii_dnssync_look_handler(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_torii_dnssync_t  *d;

    c = ev->data;
    d = c->data;

    d->looked = ngx_torii_publish_us();

    if (!d->leads && d->engine == NULL) {
        d->due = d->looked + NGX_TORII_DNSSYNC_GAP;
        return;
    }

    ngx_torii_dnssync_accounts(d);

    if (d->naccounts && d->engine == NULL) {
        ngx_torii_dnssync_start(d);
        ngx_torii_dnssync_accounts(d);
    }

    if (d->engine) {
        ngx_torii_dnssync_objects(d);
        ngx_torii_dnssync_pump(d);
    }
}


/* The first account: until then nothing of this takes memory. */

static void
ngx_torii_dnssync_start(ngx_torii_dnssync_t *d)
{
    u_char                 instance[NGX_TORII_DNSSYNC_INSTANCE];
    dnssync_engine_conf_t  conf;

    d->curl = ngx_torii_curl_create(d->helper->pool, d->log);
    d->dns = ngx_torii_dns_create(d->helper->pool, &d->helper->tmcf->resolver,
                                  d->log);

    if (d->curl == NULL || d->dns == NULL) {
        return;
    }

    ngx_memzero(&conf, sizeof(dnssync_engine_conf_t));

    if (RAND_bytes((u_char *) &conf.seed, sizeof(conf.seed)) != 1) {
        conf.seed = ngx_torii_publish_us() ^ (uint64_t) ngx_pid << 32;
    }

    conf.instance = ngx_torii_dnssync_instance(d, instance);
    conf.observe = (d->helper->tmcf->dns.observe != 0);
    conf.delegation = 1;

    d->engine = dnssync_engine_create(&conf, ngx_torii_publish_ms());

    ngx_torii_dnssync_load(d);

    dnssync_engine_lead(d->engine, ngx_torii_publish_ms(), d->leads,
                        d->helper->tmcf->kubernetes.enable
                        ? NGX_TORII_DNSSYNC_LEASE : 0);

    d->accounts_hash = 0;
    d->dirty = 1;
}


static void
ngx_torii_dnssync_pump(ngx_torii_dnssync_t *d)
{
    int               rc;
    uint32_t          wait;
    uint64_t          begin;
    ngx_uint_t        n;
    dnssync_action_t  action;

    if (d->engine == NULL) {
        return;
    }

    begin = ngx_torii_publish_us();

    for (n = 0; n < NGX_TORII_DNSSYNC_TURN; n++) {

        /* plans take long to make, and others wait for this loop */

        if (ngx_torii_publish_us() - begin > NGX_TORII_DNSSYNC_SPAN) {
            break;
        }

        ngx_memzero(&action, sizeof(dnssync_action_t));

        rc = dnssync_engine_next(d->engine, ngx_torii_publish_ms(), &action,
                                 &wait);

        if (rc != TORII_OK) {
            ngx_torii_helper_arm(&d->pump, ngx_min(ngx_max(wait, 1), 60000));
            return;
        }

        ngx_torii_dnssync_do(d, &action);
    }

    ngx_post_event(&d->pump, &ngx_posted_next_events);
}


static void
ngx_torii_dnssync_do(ngx_torii_dnssync_t *d, const dnssync_action_t *action)
{
    switch (action->what) {

    case DNSSYNC_DO_SEND:
        ngx_torii_dnssync_send(d, action);
        break;

    case DNSSYNC_DO_RESOLVE:
        ngx_torii_dnssync_resolve(d, action);
        break;

    case DNSSYNC_DO_VERIFY:
        ngx_torii_dnssync_verify(d, action);
        break;

    case DNSSYNC_DO_SERVERS:
        ngx_torii_dnssync_delegation(d, action);
        break;

    case DNSSYNC_DO_SAVE:
        ngx_torii_dnssync_save(d, action);
        break;

    case DNSSYNC_DO_CHALLENGED:
        ngx_torii_dnssync_challenged(d, action);
        break;

    case DNSSYNC_DO_CHANGED:
    default:
        d->dirty = 1;
        break;
    }
}


/*
 * What the operator asks for by the tool lies in a folder that only root and
 * the helper's user may write to: "dns-…" are ours.
 */

static void
ngx_torii_dnssync_command(void *ctx, torii_str_t name, torii_str_t data)
{
    ngx_torii_dnssync_t *d = ctx;

    uint32_t     n;
    uint64_t     now;
    ngx_int_t    rc;
    ngx_uint_t   level;
    torii_str_t  verb, line, account, zone;

    if (!torii_str_starts(name, "dns-")
        || ngx_torii_file_remove(&d->requests, name, d->log) != NGX_OK)
    {
        return;
    }

    data = torii_str_trim(data);

    if (torii_str_has_control(data)) {
        data.len = 0;
    }

    line = data;
    now = ngx_torii_publish_ms();
    rc = NGX_ERROR;
    n = 0;

    ngx_memzero(&verb, sizeof(torii_str_t));
    ngx_memzero(&account, sizeof(torii_str_t));
    ngx_memzero(&zone, sizeof(torii_str_t));

    (void) torii_str_next(&data, " ", &verb);

    if (torii_str_eqs(verb, "refresh")) {
        dnssync_engine_refresh(d->engine, now);
        rc = NGX_OK;

    } else if (torii_str_eqs(verb, "ack")) {
        (void) torii_str_next(&data, " ", &account);
        (void) torii_str_next(&data, " ", &zone);

        if (torii_str_eqs(account, "-")) {
            account.len = 0;
        }

        n = dnssync_engine_ack(d->engine, now, account, zone);
        rc = n ? NGX_OK : NGX_DECLINED;

    } else if (torii_str_eqs(verb, "adopt")) {
        rc = ngx_torii_dnssync_adopt(d, data);
    }

    level = (rc == NGX_OK) ? NGX_LOG_NOTICE : NGX_LOG_ERR;

    ngx_log_error(level, d->log, 0,
                  "torii: the operator asks DNS to \"%*s\"%s", line.len,
                  line.data, rc == NGX_OK ? "" : rc == NGX_DECLINED
                             ? ": no such account, or nothing is held"
                             : ": that is not known");

    d->dirty = 1;

    ngx_torii_dnssync_wake(d);
}


/* "ACCOUNT [from=OWNER] [host=HOST] [unowned]" */

static ngx_int_t
ngx_torii_dnssync_adopt(ngx_torii_dnssync_t *d, torii_str_t args)
{
    int              rc;
    torii_str_t      account, word;
    dnssync_adopt_t  adopt;

    ngx_memzero(&adopt, sizeof(dnssync_adopt_t));
    ngx_memzero(&account, sizeof(torii_str_t));

    (void) torii_str_next(&args, " ", &account);

    while (torii_str_next(&args, " ", &word)) {

        if (torii_str_starts(word, "from=")) {
            adopt.from.data = word.data + 5;
            adopt.from.len = word.len - 5;

        } else if (torii_str_starts(word, "host=")) {
            adopt.host.data = word.data + 5;
            adopt.host.len = word.len - 5;

        } else if (torii_str_eqs(word, "unowned")) {
            adopt.unowned = 1;

        } else {
            return NGX_ERROR;
        }
    }

    if (adopt.from.len == 0 && !adopt.unowned) {
        return NGX_ERROR;
    }

    rc = dnssync_engine_adopt(d->engine, ngx_torii_publish_ms(), account,
                              &adopt);

    return rc == TORII_OK ? NGX_OK : NGX_DECLINED;
}
