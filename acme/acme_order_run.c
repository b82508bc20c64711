
/*
 * An order from newOrder to "valid" (RFC 8555 section 7.4): read, poll,
 * finalize.
 */

#include "acme_date.h"
#include "acme_order.h"


static void acme_order_write(acme_order_t *o, torii_buf_t *b);
static void acme_order_created(acme_client_t *c, void *data,
    const acme_reply_t *r);
static void acme_order_refused(acme_order_t *o, const acme_reply_t *r);
static int acme_order_parse(acme_order_t *o, const acme_reply_t *r);
static void acme_order_got(acme_client_t *c, void *data, const acme_reply_t *r);
static void acme_order_poll(acme_order_t *o, uint64_t now);
static void acme_order_finalize(acme_order_t *o, uint64_t now);
static void acme_order_finalized(acme_client_t *c, void *data,
    const acme_reply_t *r);


uint64_t
acme_order_expiry(const torii_node_t *doc)
{
    int64_t  seconds;

    if (acme_date_rfc3339(acme_json_text(doc, "expires"), &seconds)
        != TORII_OK
        || seconds <= 0)
    {
        return 0;
    }

    return (uint64_t) seconds * 1000;
}


void
acme_order_new(acme_order_t *o)
{
    acme_call_t  *call;

    call = acme_call_post(o->client, ACME_URL_NEW_ORDER, NULL, 0,
                          acme_order_created, o);

    acme_order_write(o, &call->payload);
}


static void
acme_order_write(acme_order_t *o, torii_buf_t *b)
{
    uint32_t  i;

    torii_buf_adds(b, "{\"identifiers\":[");

    for (i = 0; i < o->conf.n; i++) {
        torii_buf_printf(b, "%s{\"type\":\"%s\",\"value\":", i ? "," : "",
                         acme_name_is_ip(o->names[i]) ? "ip" : "dns");
        torii_buf_add_json(b, o->names[i]);
        torii_buf_adds(b, "}");
    }

    torii_buf_adds(b, "]");

    if (o->conf.profile.len) {
        torii_buf_adds(b, ",\"profile\":");
        torii_buf_add_json(b, o->conf.profile);
    }

    if (o->conf.replaces.len) {
        torii_buf_adds(b, ",\"replaces\":");
        torii_buf_add_json(b, o->conf.replaces);
    }

    if (o->conf.not_after) {
        torii_buf_adds(b, ",\"notAfter\":\"");
        acme_date_rfc3339_add(b, o->conf.not_after);
        torii_buf_adds(b, "\"");
    }

    torii_buf_adds(b, "}");
}


static void
acme_order_created(acme_client_t *c, void *data, const acme_reply_t *r)
{
    torii_str_t    url;
    acme_order_t  *o;

    o = data;

    if (r->problem) {
        acme_order_refused(o, r);
        return;
    }

    if (acme_url_resolve(r->arena, r->url, r->res->location, &url)
        != TORII_OK)
    {
        acme_order_fail_text(o, r->now, ACME_FAIL_SERVER,
                             "the answer does not say where the order is");
        return;
    }

    o->url = torii_arena_str(o->arena, url);

    if (acme_order_parse(o, r) == TORII_OK) {
        o->step = ACME_ORDER_CREATED;
    }
}


/*
 * RFC 9773 section 5 has a type for a "replaces" that is not accepted; CAs have
 * others.  And what is malformed may have become so: the directory is read
 * anew.
 */

static void
acme_order_refused(acme_order_t *o, const acme_reply_t *r)
{
    uint32_t         i, n;
    torii_str_t      type;
    acme_problem_t   problem, *subs;

    problem = *r->problem;
    type = torii_str(problem.type);

    if (problem.status == 404 || torii_str_caseeqs(type, "malformed")) {
        o->client->directory_at = 0;
    }

    if (problem.status == 404 && problem.fail == ACME_FAIL_NETWORK) {
        problem.fail = ACME_FAIL_SERVER;
    }

    if (o->conf.replaces.len
        && (problem.status == 404 || problem.status == 500
            || torii_str_caseeqs(type, "malformed")
            || torii_str_caseeqs(type, "unauthorized")))
    {
        problem.fail = ACME_FAIL_REPLACED;
    }

    n = acme_problem_subs(r->arena, r->doc, 0, &subs);

    for (i = 0; i < n; i++) {
        acme_order_add_sub(o, &subs[i]);
    }

    acme_order_fail(o, r->now, &problem);
}


acme_status_e
acme_status_read(const torii_node_t *doc)
{
    unsigned     i;
    torii_str_t  text;

    static const char *const  names[] = {
        "", "pending", "ready", "processing", "valid", "invalid"
    };

    text = acme_json_text(doc, "status");

    for (i = ACME_STATUS_PENDING; i <= ACME_STATUS_INVALID; i++) {
        if (torii_str_eqs(text, names[i])) {
            return i;
        }
    }

    return ACME_STATUS_UNKNOWN;
}


/* TORII_ERROR: the order has failed. */

static int
acme_order_parse(acme_order_t *o, const acme_reply_t *r)
{
    uint64_t     expires;
    torii_str_t  url;

    o->status = acme_status_read(r->doc);
    o->wait = r->wait;
    o->waits = r->waits;

    expires = acme_order_expiry(r->doc);
    o->expires = expires ? expires : o->expires;

    url = acme_json_text(r->doc, "finalize");

    if (o->finalize.len == 0 && acme_url_ok(url)) {
        o->finalize = torii_arena_str(o->arena, url);
    }

    url = acme_json_text(r->doc, "certificate");

    if (o->certificate.len == 0 && acme_url_ok(url)) {
        o->certificate = torii_arena_str(o->arena, url);
    }

    if (!o->listed
        && acme_authz_list(o, torii_node_get(r->doc, "authorizations"))
           != TORII_OK)
    {
        acme_order_fail_text(o, r->now, ACME_FAIL_ORDER,
                             "the order has unusable authorizations");
        return TORII_ERROR;
    }

    if (o->status == ACME_STATUS_UNKNOWN) {
        acme_order_fail_text(o, r->now, ACME_FAIL_ORDER,
                             "the order has no status that is known");
        return TORII_ERROR;
    }

    if (o->status == ACME_STATUS_INVALID) {
        acme_problem_read(torii_node_get(r->doc, "error"), 0, 1, &o->problem);
    }

    return TORII_OK;
}


void
acme_order_go(acme_order_t *o, uint64_t now)
{
    int             first;
    acme_problem_t  problem;

    first = !o->read;
    o->read = 1;

    switch (o->status) {

    case ACME_STATUS_PENDING:
        if (first) {
            acme_authz_begin(o, now);

        } else {
            acme_order_poll(o, now);
        }

        break;

    case ACME_STATUS_READY:
        acme_order_finalize(o, now);
        break;

    case ACME_STATUS_PROCESSING:
        acme_order_poll(o, now);
        break;

    case ACME_STATUS_VALID:
        acme_download_begin(o, now);
        break;

    default:
        problem = o->problem;

        /* one that was dead before says nothing about the next, and neither
           does one that failed without a reason after all was validated */

        if ((first && o->conf.url.len)
            || (o->finalizes && problem.type[0] == '\0'))
        {
            problem.fail = ACME_FAIL_ORDER;
        }

        acme_order_fail(o, now, &problem);
    }
}


void
acme_order_read(acme_order_t *o, uint64_t due)
{
    acme_call_t  *call;

    call = acme_call_post_to(o->client, o->url, due, acme_order_got, o);

    call->single = (o->deadline != 0);
    call->json = 1;
}


static void
acme_order_got(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_order_t    *o;
    acme_problem_t   problem;

    o = data;

    if (r->problem == NULL) {
        if (acme_order_parse(o, r) == TORII_OK) {
            acme_order_go(o, r->now);
        }

        return;
    }

    problem = *r->problem;
    acme_order_dead(&problem);

    if (o->deadline && acme_order_may_wait(&problem)
        && problem.retry_at < o->deadline && r->now < o->deadline)
    {
        o->wait = r->wait;
        o->waits = r->waits;

        acme_order_poll(o, r->now);
        return;
    }

    acme_order_fail(o, r->now, &problem);
}


static void
acme_order_poll(acme_order_t *o, uint64_t now)
{
    uint64_t  wait;

    if (o->deadline == 0) {
        o->deadline = now + ACME_ORDER_TIME;
    }

    if (now >= o->deadline) {
        acme_order_fail_text(o, now, ACME_FAIL_SERVER,
                             "the CA does not finish the order");
        return;
    }

    if (o->waits) {
        wait = o->wait;

    } else if (o->polls < ACME_POLL_QUICK) {
        wait = ACME_POLL_FIRST << (o->polls < 2 ? o->polls : 2);

    } else {
        wait = ACME_POLL_SLOW;
    }

    /* told to come back at once, again and again, is as good as not told */

    if (wait < ACME_POLL_MIN || (o->polls >= ACME_POLL_QUICK
                                 && wait < ACME_POLL))
    {
        wait = (o->polls < ACME_POLL_QUICK) ? ACME_POLL_MIN : ACME_POLL;
    }

    if (wait > o->deadline - now) {
        wait = o->deadline - now;
    }

    o->polls++;

    acme_order_read(o, now + wait);
}


/*
 * A certificate is made once: when the answer is lost, the order's status tells
 * whether it is being made.
 */

static void
acme_order_finalize(acme_order_t *o, uint64_t now)
{
    acme_names_t   names;
    acme_call_t   *call;
    torii_buf_t    csr = { NULL, 0, 0 };

    if (o->finalize.len == 0 || o->finalizes == ACME_FINALIZES) {
        acme_order_fail_text(o, now, ACME_FAIL_ORDER,
                             o->finalizes ? "the order stays ready"
                             : "the order does not say how to finalize it");
        return;
    }

    names.names = o->names;
    names.n = o->conf.n;

    if (acme_csr(o->conf.key, &names, o->conf.common_name, &csr) != TORII_OK) {
        torii_buf_free(&csr);
        acme_order_fail_text(o, now, ACME_FAIL_CONFIG,
                             "no certificate request can be made of this key"
                             " and these names");
        return;
    }

    call = acme_call_post_to(o->client, o->finalize, now,
                             acme_order_finalized, o);
    call->single = 1;
    call->timeout = ACME_TIMEOUT_FINALIZE;

    torii_buf_adds(&call->payload, "{\"csr\":\"");
    torii_base64url_add(&call->payload, csr.data, csr.len);
    torii_buf_adds(&call->payload, "\"}");

    torii_buf_free(&csr);

    /* after one that was lost or came too early, the polls go on as before */

    if (o->finalizes++ == 0) {
        o->deadline = now + ACME_ORDER_TIME;
        o->polls = 0;
    }
}


static void
acme_order_finalized(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_order_t    *o;
    acme_problem_t   problem;

    o = data;

    if (r->problem == NULL) {

        /* some CAs answer with nothing of use */

        if (acme_status_read(r->doc) == ACME_STATUS_UNKNOWN) {
            acme_order_poll(o, r->now);

        } else if (acme_order_parse(o, r) == TORII_OK) {

            if (o->status == ACME_STATUS_READY) {
                acme_order_poll(o, r->now);

            } else {
                acme_order_go(o, r->now);
            }
        }

        return;
    }

    problem = *r->problem;
    acme_order_dead(&problem);

    if (torii_str_caseeqs(torii_str(problem.type), "orderNotReady")
        || (acme_order_may_wait(&problem) && problem.fail != ACME_FAIL_LIMIT
            && problem.retry_at < o->deadline))
    {
        o->wait = r->wait;
        o->waits = r->waits;

        acme_order_poll(o, r->now);
        return;
    }

    acme_order_fail(o, r->now, &problem);
}
