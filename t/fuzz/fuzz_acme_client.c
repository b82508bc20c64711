
/*
 * Any answers of a CA, each up to a NUL: a digit for the status, a letter for
 * what the answer lacks, Retry-After, Link, Location and the body, separated by
 * "|".  Behind the last one nobody answers.  Whatever comes, requests are for
 * https URLs and not in a busy loop, only what was ordered is vouched for, and
 * it ends.
 */

#include <stdio.h>
#include <stdlib.h>

#include "acme_client.h"


#define FUZZ_ANSWERS  64
#define FUZZ_HASTY    1200      /* an authorization each, and some */
#define FUZZ_STEPS    20000
#define FUZZ_NOW      1795359600000ULL
#define FUZZ_TIME     (4 * 3600000ULL)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    acme_client_t  *c;
    acme_order_t   *o;
    torii_str_t     rest;       /* of the script */
    unsigned        answers;
    unsigned        nonces;
    unsigned        done;       /* calls of the handler */
    uint64_t        now;
} fuzz_t;


static const uint32_t  fuzz_status[] = {
    200, 201, 400, 403, 404, 409, 429, 500, 503, 0
};


static void
fuzz_done(void *data, const acme_problem_t *problem, torii_str_t body)
{
    fuzz_t  *f = data;

    f->done++;

    if (torii_str_has_control(torii_str(problem->text))) {
        abort();
    }
}


static torii_str_t
fuzz_part(torii_str_t *script)
{
    torii_str_t  part;

    if (!torii_str_next(script, "|", &part)) {
        return torii_str("");
    }

    return part;
}


static torii_str_t
fuzz_script(fuzz_t *f)
{
    torii_str_t  script;

    script.data = f->rest.data;
    script.len = f->rest.len ? strnlen((char *) f->rest.data, f->rest.len) : 0;

    f->rest.data += script.len;
    f->rest.len -= script.len;

    if (f->rest.len) {
        f->rest.data++;
        f->rest.len--;
    }

    return script;
}


static void
fuzz_answer(fuzz_t *f, const acme_request_t *req)
{
    char              nonce[16];
    torii_str_t       script;
    unsigned char     lacks;
    acme_response_t   res;

    memset(&res, 0, sizeof(res));

    if (f->answers++ < FUZZ_ANSWERS && f->rest.len) {
        script = fuzz_script(f);

        lacks = script.len > 1 ? script.data[1] - 'a' : 0;

        res.status = fuzz_status[script.len ? (script.data[0] + 2) % 10 : 9];
        res.content_type = torii_str((lacks & 1) ? ""
                                     : "application/pem-certificate-chain");

        (void) snprintf(nonce, sizeof(nonce), "n-%u", ++f->nonces);
        res.nonce = torii_str((lacks & 2) ? "" : nonce);
        res.date = torii_str((lacks & 4) ? "Sun, 22 Nov 2026 15:00:00 GMT"
                                         : "");

        script.data += script.len > 1 ? 2 : script.len;
        script.len -= script.len > 1 ? 2 : script.len;

        res.retry_after = fuzz_part(&script);
        res.link = fuzz_part(&script);
        res.location = fuzz_part(&script);
        res.body = script.data ? script : torii_str("");
    }

    acme_client_answer(f->c, f->now, req->id, &res);
}


static int
fuzz_is_token(torii_str_t token)
{
    size_t  i;

    for (i = 0; i < token.len; i++) {
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                   "0123456789-_", token.data[i]) == NULL
            || token.data[i] == '\0')
        {
            return 0;
        }
    }

    return token.len >= 22;
}


static void
fuzz_challenges(acme_order_t *o)
{
    uint32_t                 i, n;
    const acme_challenge_t  *ch;

    ch = acme_order_challenges(o, &n);

    if (n == 0) {
        abort();
    }

    for (i = 0; i < n; i++) {
        if (!torii_str_eqs(ch[i].identifier, "a.example")
            && !torii_str_eqs(ch[i].identifier, "192.0.2.1"))
        {
            abort();
        }

        if (ch[i].type != ACME_CHALLENGE_DNS_PERSIST
            && !fuzz_is_token(ch[i].token))
        {
            abort();
        }

        if ((ch[i].wildcard && ch[i].type < ACME_CHALLENGE_DNS)
            || torii_str_has_control(ch[i].value))
        {
            abort();
        }
    }
}


static void
fuzz_order(fuzz_t *f)
{
    switch (acme_order_step(f->o)) {

    case ACME_ORDER_WORKING:
    case ACME_ORDER_DONE:
        break;

    case ACME_ORDER_FAILED:

        if (acme_order_problem(f->o)->fail == ACME_FAIL_NONE
            || acme_order_problem(f->o)->text[0] == '\0'
            || torii_str_has_control(torii_str(acme_order_problem(f->o)
                                               ->text)))
        {
            abort();
        }

        break;

    case ACME_ORDER_LOOK:
        fuzz_challenges(f->o);
        acme_order_missing(f->o, (uint32_t) (f->now & 1), "it is not there");
        acme_order_proceed(f->o, f->now);
        break;

    case ACME_ORDER_PRESENT:
        fuzz_challenges(f->o);

        /* fall through */

    default:
        acme_order_proceed(f->o, f->now);
        acme_order_poke(f->o, f->now);
    }
}


static void
fuzz_run(fuzz_t *f)
{
    unsigned         steps, hasty;
    uint32_t         wait;
    torii_str_t      scheme;
    acme_request_t   req;

    hasty = 0;

    for (steps = 0; f->now < FUZZ_NOW + FUZZ_TIME; steps++) {

        fuzz_order(f);

        if (acme_client_next(f->c, f->now, &req, &wait) == TORII_OK) {

            scheme.data = req.url.data;
            scheme.len = sizeof("https://") - 1;

            if (req.url.len <= scheme.len
                || !torii_str_caseeqs(scheme, "https://"))
            {
                abort();
            }

            fuzz_answer(f, &req);

            if (++hasty > FUZZ_HASTY || steps > FUZZ_STEPS) {
                abort();
            }

            continue;
        }

        if (wait == 0) {
            abort();
        }

        if (wait == UINT32_MAX) {

            /* nothing will ever happen again: it must be over */

            if (acme_order_step(f->o) == ACME_ORDER_WORKING || f->done == 0) {
                abort();
            }

            return;
        }

        f->now += wait;
        hasty = 0;
    }

    abort();
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t               f;
    acme_order_conf_t    order;
    acme_client_conf_t   conf;

    static EVP_PKEY           *key, *leaf;
    static acme_identifier_t   names[] = {
        { torii_string("a.example"), { 1, 2, 3, 4 } },
        { torii_string("*.a.example"), { 3, 4, 0, 0 } },
        { torii_string("192.0.2.1"), { 2, 1, 0, 0 } }
    };

    if (key == NULL) {
        key = torii_key_generate(TORII_KEY_EC_P256);
        leaf = torii_key_generate(TORII_KEY_EC_P256);
    }

    memset(&f, 0, sizeof(f));
    memset(&conf, 0, sizeof(conf));
    memset(&order, 0, sizeof(order));

    f.now = FUZZ_NOW;
    f.rest.data = (unsigned char *) data + (size > 0);
    f.rest.len = size - (size > 0);

    conf.directory = torii_str("https://ca.example/dir");
    conf.key = key;
    conf.agreed = size && (data[0] & 1);
    conf.account = torii_str(size && (data[0] & 2) ? "https://ca.example/1"
                                                   : "");

    order.names = names;
    order.n = size && (data[0] & 4) ? 3 : 1;
    order.key = leaf;
    order.url = torii_str(size && (data[0] & 8) ? "https://ca.example/o" : "");
    order.preferred_chain = torii_str("Root");
    order.replaces = torii_str(size && (data[0] & 16) ? "a.b" : "");

    f.c = acme_client_create(&conf, 1);
    f.o = acme_order_create(f.c, &order);

    (void) acme_client_renewal_info(f.c, torii_str("a.b"), fuzz_done, &f);

    fuzz_run(&f);

    if (f.done != 1) {
        abort();
    }

    acme_order_free(f.o);
    acme_client_free(f.c);

    return 0;
}
