
/*
 * Any answers of a provider that speaks HTTP: the first byte chooses the
 * provider, the second the operation, each answer goes up to a NUL and begins
 * with a digit for its status.  Behind the last one nobody answers.  Whatever
 * comes, it ends; requests go where the operator said and have headers of one
 * line; no text has the secret; and nothing is done that no answer said is.
 */

#include <stdio.h>
#include <stdlib.h>

#include "dnssync_http.h"


#define FUZZ_STEPS   400
#define FUZZ_URL     "http://127.0.0.1:1"
#define FUZZ_SECRET  "sesame-secret"
#define FUZZ_NOW     1795000000000ULL
#define FUZZ_EDITS   3


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


typedef struct {
    dnssync_op_t   *op;
    torii_str_t     rest;
    unsigned        good;      /* answers that were a success */
} fuzz_t;


static const dnssync_option_t  fuzz_settings[] = {
    { torii_string("pdns-server"), torii_string(FUZZ_URL) },
    { torii_string("pdns-api-key"), torii_string(FUZZ_SECRET) },
    { torii_string("cloudflare-api-url"), torii_string(FUZZ_URL) },
    { torii_string("cloudflare-api-token"), torii_string(FUZZ_SECRET) },
    { torii_string("cloudflare-dns-records-per-page"), torii_string("100") },
    { torii_string("digitalocean-api-url"), torii_string(FUZZ_URL) },
    { torii_string("digitalocean-token"), torii_string(FUZZ_SECRET) },
    { torii_string("webhook-provider-url"), torii_string(FUZZ_URL) },
    { torii_string("dyndns-url"), torii_string(FUZZ_URL) },
    { torii_string("dyndns-user"), torii_string("user") },
    { torii_string("dyndns-password"), torii_string(FUZZ_SECRET) },
    { torii_string("zones"), torii_string("a.test") },
    { torii_string("provider"), torii_null_string }
};

#define FUZZ_SETTINGS  (sizeof(fuzz_settings) / sizeof(fuzz_settings[0]))

static const char *const  fuzz_drivers[] = {
    "powerdns", "cloudflare", "digitalocean", "webhook", "dyndns"
};

static const unsigned  fuzz_status[] = {
    200, 204, 201, 400, 401, 404, 422, 429, 500, 0
};


static void
fuzz_request(const dnssync_request_t *r)
{
    uint32_t  i;

    if (!torii_str_starts(r->url, FUZZ_URL) || r->timeout == 0
        || torii_str_has_control(r->url) || r->method == NULL
        || memchr(r->url.data, ' ', r->url.len) != NULL)
    {
        abort();
    }

    for (i = 0; i < r->nheaders; i++) {
        if (torii_str_has_control(r->headers[i])) {
            abort();
        }
    }
}


static dnssync_op_step_e
fuzz_answer(fuzz_t *f)
{
    dnssync_answer_t  a;

    memset(&a, 0, sizeof(dnssync_answer_t));

    a.error = "nobody answers";
    a.type = torii_str("application/external.dns.webhook+json;version=1");
    a.fields[0] = torii_str("1795000042");

    if (f->rest.len) {
        a.body.data = f->rest.data;
        a.body.len = strnlen((char *) f->rest.data, f->rest.len);

        f->rest.data += a.body.len;
        f->rest.len -= a.body.len;

        if (f->rest.len) {
            f->rest.data++;
            f->rest.len--;
        }

        if (a.body.len) {
            a.status = fuzz_status[a.body.data[0] % 10];
            a.body.data++;
            a.body.len--;
        }
    }

    f->good += a.status >= 200 && a.status < 300;

    return dnssync_op_answer(f->op, FUZZ_NOW, &a);
}


static void
fuzz_text(const fuzz_t *f, torii_str_t text)
{
    size_t  i;

    if (torii_str_has_control(text)) {
        abort();
    }

    if (f->op->account->driver == &dnssync_webhook_driver) {

        /* it has no secret */

        return;
    }

    for (i = 0; i + sizeof(FUZZ_SECRET) - 1 <= text.len; i++) {
        if (memcmp(text.data + i, FUZZ_SECRET, sizeof(FUZZ_SECRET) - 1) == 0) {
            abort();
        }
    }
}


static void
fuzz_out(fuzz_t *f, dnssync_op_step_e step)
{
    uint32_t       i, j, done;
    dnssync_op_t  *op;

    op = f->op;

    fuzz_text(f, torii_str(op->error));

    if ((step == DNSSYNC_OP_FAILED)
        != (op->trouble != DNSSYNC_TROUBLE_NONE && op->error[0]))
    {
        abort();
    }

    for (i = 0; i < op->nsets && op->what == DNSSYNC_OP_LIST; i++) {

        if (op->sets[i].name.len == 0 || op->sets[i].type == 0) {
            abort();
        }

        for (j = 0; j < op->sets[i].n; j++) {
            (void) torii_hash(op->sets[i].values[j].data,
                              op->sets[i].values[j].len, 0);
        }
    }

    for (i = 0, done = 0; i < op->nedits; i++) {
        done += op->results[i].what == DNSSYNC_OUTCOME_DONE;
        fuzz_text(f, op->results[i].text);

        if (step == DNSSYNC_OP_DONE
            && op->results[i].what == DNSSYNC_OUTCOME_LATER)
        {
            abort();
        }
    }

    if (done && f->good == 0) {
        abort();
    }
}


/* A host that comes, one that changes, one that goes; the listing is old. */

static void
fuzz_edits(dnssync_op_t *op, dnssync_zone_t *zone)
{
    uint32_t            i;
    dnssync_edit_t     *edits;
    dnssync_part_t     *part;
    dnssync_rrset_t    *sets;
    dnssync_require_t  *require;

    static torii_str_t  values[] = {
        torii_string("192.0.2.1"), torii_string("192.0.2.2")
    };

    static const char *const  names[] = { "n.a.test", "c.a.test", "d.a.test" };

    sets = torii_arena_zalloc(op->arena, 2 * FUZZ_EDITS
                                         * sizeof(dnssync_rrset_t));
    edits = torii_arena_zalloc(op->arena, FUZZ_EDITS * sizeof(dnssync_edit_t));
    op->edits = torii_arena_alloc(op->arena, FUZZ_EDITS
                                             * sizeof(dnssync_edit_t *));
    op->nedits = FUZZ_EDITS;

    for (i = 0; i < 2 * FUZZ_EDITS; i++) {
        sets[i].name = torii_str(names[i / 2]);
        sets[i].type = DNSSYNC_A;
        sets[i].ttl = 300;
        sets[i].values = &values[i % 2];
        sets[i].n = 1;
        sets[i].id = torii_str("17");
    }

    for (i = 0; i < FUZZ_EDITS; i++) {
        part = torii_arena_zalloc(op->arena, sizeof(dnssync_part_t));
        require = torii_arena_zalloc(op->arena, sizeof(dnssync_require_t));

        part->before = i ? &sets[2 * i] : NULL;
        part->after = i < 2 ? &sets[2 * i + 1] : NULL;

        require->name = torii_str(names[i]);
        require->type = DNSSYNC_A;
        require->equal = part->before;

        edits[i].zone = zone;
        edits[i].name = require->name;
        edits[i].parts = part;
        edits[i].nparts = 1;
        edits[i].requires = require;
        edits[i].nrequires = 1;

        op->edits[i] = &edits[i];
    }
}


static void
fuzz_in(dnssync_op_t *op, dnssync_zone_t *zone)
{
    static torii_str_t  target = torii_string("192.0.2.1");

    static const dnssync_endpoint_t  endpoint = {
        .name = torii_string("n.a.test"), .type = DNSSYNC_A,
        .resource = torii_string("r"), .targets = &target, .n = 1
    };

    op->zone.id = torii_str("a.test");
    op->zone.name = torii_str("a.test");

    switch (op->what) {

    case DNSSYNC_OP_APPLY:
        fuzz_edits(op, zone);
        break;

    case DNSSYNC_OP_CHALLENGE:
        op->name = torii_str("_acme-challenge.a.test");
        op->value = torii_str("value");
        op->add = 1;
        break;

    case DNSSYNC_OP_ADJUST:
        op->endpoints = &endpoint;
        op->nendpoints = 1;
        break;

    default:
        op->version = torii_str("7");
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t              f;
    unsigned            steps;
    torii_str_t         why;
    dnssync_zone_t      zone;
    dnssync_option_t    settings[FUZZ_SETTINGS];
    dnssync_op_step_e   step;
    dnssync_account_t  *account;

    if (size < 2) {
        return 0;
    }

    memcpy(settings, fuzz_settings, sizeof(settings));
    settings[FUZZ_SETTINGS - 1].value = torii_str(fuzz_drivers[data[0] % 5]);

    account = dnssync_account_create(torii_str("a/b"), settings,
                                     FUZZ_SETTINGS, &why);
    if (why.len) {
        abort();
    }

    memset(&f, 0, sizeof(f));
    memset(&zone, 0, sizeof(zone));

    f.rest.data = (unsigned char *) data + 2;
    f.rest.len = size - 2;
    f.op = dnssync_op_create(account, data[1] % 6);

    fuzz_in(f.op, &zone);

    step = dnssync_op_go(f.op, FUZZ_NOW);

    for (steps = 0; step == DNSSYNC_OP_SEND; steps++) {

        if (steps == FUZZ_STEPS + size) {
            abort();
        }

        fuzz_request(&f.op->request);
        step = fuzz_answer(&f);
    }

    if (step != DNSSYNC_OP_DONE && step != DNSSYNC_OP_FAILED) {
        abort();
    }

    fuzz_out(&f, step);

    dnssync_op_free(f.op);
    dnssync_account_free(account);

    return 0;
}
