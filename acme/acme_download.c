
/*
 * The certificate (RFC 8555 section 7.4.2), and another chain of it if one is
 * preferred.
 */

#include "acme_order.h"


#define ACME_PEM  "application/pem-certificate-chain"


static acme_call_t *acme_download(acme_order_t *o, torii_str_t url,
    uint64_t now, acme_call_pt handler);
static void acme_download_got(acme_client_t *c, void *data,
    const acme_reply_t *r);
static int acme_download_check(acme_order_t *o, const acme_reply_t *r,
    acme_chain_t *chain, acme_problem_t *problem);
static int acme_download_is_pem(torii_str_t type);
static void acme_download_alternates(acme_order_t *o, const acme_reply_t *r);
static void acme_download_next(acme_order_t *o, uint64_t now);
static void acme_download_got_other(acme_client_t *c, void *data,
    const acme_reply_t *r);


void
acme_download_begin(acme_order_t *o, uint64_t now)
{
    if (o->certificate.len == 0) {
        acme_order_fail_text(o, now, ACME_FAIL_ORDER,
                             "the order does not say where its certificate"
                             " is");
        return;
    }

    (void) acme_download(o, o->certificate, now, acme_download_got);
}


static acme_call_t *
acme_download(acme_order_t *o, torii_str_t url, uint64_t now,
    acme_call_pt handler)
{
    acme_call_t  *call;

    call = acme_call_post_to(o->client, url, now, handler, o);
    call->accept = ACME_PEM;

    return call;
}


static void
acme_download_got(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_chain_t     chain;
    acme_order_t    *o;
    acme_problem_t   problem;

    o = data;

    if (r->problem) {
        problem = *r->problem;
        acme_order_dead(&problem);
        acme_order_fail(o, r->now, &problem);
        return;
    }

    if (acme_download_check(o, r, &chain, &problem) != TORII_OK) {
        acme_order_fail(o, r->now, &problem);
        return;
    }

    torii_buf_add_str(&o->chain, r->res->body);

    if (o->conf.preferred_chain.len
        && !torii_str_eq(chain.root, o->conf.preferred_chain))
    {
        acme_download_alternates(o, r);
    }

    acme_download_next(o, r->now);
}


/* By the CA's clock, if it told: ours may be the one that is off. */

static int
acme_download_check(acme_order_t *o, const acme_reply_t *r,
    acme_chain_t *chain, acme_problem_t *problem)
{
    char          error[256];
    int64_t       now;
    acme_names_t  names;

    if (!acme_download_is_pem(r->res->content_type)) {
        acme_problem_set(problem, ACME_FAIL_CERTIFICATE,
                         "the certificate comes as \"%.*s\"",
                         (int) (r->res->content_type.len < 80
                                ? r->res->content_type.len : 80),
                         (char *) r->res->content_type.data);
        return TORII_ERROR;
    }

    names.names = o->names;
    names.n = o->conf.n;
    now = ((int64_t) r->now + o->client->counts.skew) / 1000;

    if (acme_chain_read(r->arena, r->res->body, o->conf.key, &names, now,
                        chain, error)
        != TORII_OK)
    {
        acme_problem_set(problem, ACME_FAIL_CERTIFICATE, "%s", error);
        return TORII_ERROR;
    }

    return TORII_OK;
}


static int
acme_download_is_pem(torii_str_t type)
{
    torii_str_t  rest, piece;

    rest = type;

    return torii_str_next(&rest, ";", &piece)
           && torii_str_caseeqs(torii_str_trim(piece), ACME_PEM);
}


static void
acme_download_alternates(acme_order_t *o, const acme_reply_t *r)
{
    acme_link_t  link;
    torii_str_t  rest, url;

    rest = r->res->link;

    while (o->nalternates < ACME_ALTERNATES_MAX
           && acme_link_next(&rest, &link))
    {
        if (acme_link_is(&link, "alternate")
            && acme_url_resolve(o->arena, r->url, link.target, &url)
               == TORII_OK)
        {
            o->alternates[o->nalternates++] = url;
        }
    }
}


static void
acme_download_next(acme_order_t *o, uint64_t now)
{
    if (o->alternate == o->nalternates) {
        o->step = ACME_ORDER_DONE;
        return;
    }

    (void) acme_download(o, o->alternates[o->alternate++], now,
                         acme_download_got_other);
}


/* The default one is there: what is wrong with another is no failure. */

static void
acme_download_got_other(acme_client_t *c, void *data, const acme_reply_t *r)
{
    acme_chain_t     chain;
    acme_order_t    *o;
    acme_problem_t   problem;

    o = data;

    if (r->problem == NULL
        && acme_download_check(o, r, &chain, &problem) == TORII_OK
        && torii_str_eq(chain.root, o->conf.preferred_chain))
    {
        o->chain.len = 0;
        torii_buf_add_str(&o->chain, r->res->body);

        o->alternate = o->nalternates;
    }

    acme_download_next(o, r->now);
}
