
/*
 * Cloudflare's API, version 4.  A record is known by an id; a listing is whole
 * when as many came as its pages say there are.  A batch is done as a whole or
 * not at all, and is halved when it is refused.
 */

#include <stdio.h>

#include "dnssync_cloudflare.h"


#define DNSSYNC_CLOUDFLARE_URL    "https://api.cloudflare.com/client/v4"
#define DNSSYNC_CLOUDFLARE_PAGE   5000
#define DNSSYNC_CLOUDFLARE_ZONES  50       /* a page of them */
#define DNSSYNC_CLOUDFLARE_BATCH  200      /* changes; 3500 if it is paid for */
#define DNSSYNC_CLOUDFLARE_BLOCK  300      /* s, after too many requests */


static dnssync_op_step_e dnssync_cloudflare_adjust(dnssync_op_t *op);
static dnssync_op_step_e dnssync_cloudflare_get_zone(dnssync_op_t *op);
static dnssync_op_step_e dnssync_cloudflare_found(dnssync_op_t *op,
    const dnssync_answer_t *answer);
static dnssync_op_step_e dnssync_cloudflare_read(dnssync_op_t *op,
    const dnssync_answer_t *answer);


static const dnssync_setting_t  dnssync_cloudflare_settings[] = {
    { "cloudflare-api-token", "a token that may read zones and edit DNS", 0,
      1 },
    { "cloudflare-api-key", "in place of it: the global key, and", 0, 1 },
    { "cloudflare-api-email", "the account's address", 0, 0 },
    { "cloudflare-api-url", "default " DNSSYNC_CLOUDFLARE_URL, 0, 0 },
    { "cloudflare-proxied", "true: hosts that do not say otherwise are "
      "proxied", 0, 0 },
    { "cloudflare-dns-records-per-page", "default 5000, 100 at least", 0, 0 },
    { "cloudflare-batch-size", "changes at a time, default 200; 3500 with a "
      "paid plan", 0, 0 },
    { NULL, NULL, 0, 0 }
};


static const char *const  dnssync_cloudflare_options[] = {
    DNSSYNC_CLOUDFLARE_PROXIED, NULL
};


static const char *
dnssync_cloudflare_number(dnssync_account_t *account, const char *name,
    uint32_t min, uint32_t max, uint32_t *number)
{
    uint64_t     value;
    torii_str_t  s;

    s = dnssync_account_setting(account, name);

    if (s.len == 0) {
        return NULL;
    }

    if (torii_str_uint(s, max, &value) != TORII_OK || value < min) {
        s = torii_arena_printf(account->arena, "%s is no number from %u to %u",
                               name, (unsigned) min, (unsigned) max);
        return (char *) s.data;
    }

    *number = (uint32_t) value;

    return NULL;
}


static const char *
dnssync_cloudflare_init(dnssync_account_t *account)
{
    uint32_t               i;
    const char            *why;
    dnssync_cloudflare_t  *c;

    c = torii_arena_zalloc(account->arena, sizeof(dnssync_cloudflare_t));
    account->data = c;

    c->token = dnssync_account_setting(account, "cloudflare-api-token");
    c->key = dnssync_account_setting(account, "cloudflare-api-key");
    c->email = dnssync_account_setting(account, "cloudflare-api-email");
    c->per_page = DNSSYNC_CLOUDFLARE_PAGE;
    c->batch = DNSSYNC_CLOUDFLARE_BATCH;

    if (c->token.len == 0 && (c->key.len == 0 || c->email.len == 0)) {
        return "neither cloudflare-api-token nor cloudflare-api-key with "
               "cloudflare-api-email is set";
    }

    if (dnssync_account_bool(dnssync_account_setting(account,
                             "cloudflare-proxied"), 0, &c->proxied)
        != TORII_OK)
    {
        return "cloudflare-proxied is neither true nor false";
    }

    c->ids = account->nzones != 0;

    for (i = 0; i < account->nzones; i++) {
        c->ids &= account->zones[i].len == 32
                  && memchr(account->zones[i].data, '.', 32) == NULL
                  && dnssync_http_id(account->zones[i]);
    }

    why = dnssync_account_url(account, "cloudflare-api-url",
                              DNSSYNC_CLOUDFLARE_URL, 0, &c->base);

    if (why == NULL) {
        why = dnssync_cloudflare_number(account,
                                        "cloudflare-dns-records-per-page",
                                        100, 5000, &c->per_page);
    }

    if (why == NULL) {
        why = dnssync_cloudflare_number(account, "cloudflare-batch-size",
                                        1, 3500, &c->batch);
    }

    return why;
}


static dnssync_op_step_e
dnssync_cloudflare_go(dnssync_op_t *op)
{
    dnssync_cloudflare_t        *c;
    dnssync_cloudflare_state_t  *st;

    c = op->account->data;
    st = op->state;

    if (op->what == DNSSYNC_OP_ADJUST) {
        return dnssync_cloudflare_adjust(op);
    }

    if (op->what != DNSSYNC_OP_ZONES && !dnssync_http_id(op->zone.id)) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_SETTING, "\"%.*s\" is no "
                               "id of a zone", torii_str_arg(op->zone.id));
    }

    switch (op->what) {

    case DNSSYNC_OP_ZONES:
        return c->ids ? dnssync_cloudflare_get_zone(op)
                      : dnssync_cloudflare_get(op);

    case DNSSYNC_OP_PROBE:

        /* nothing there tells of a change but the records */

        return DNSSYNC_OP_DONE;

    case DNSSYNC_OP_APPLY:
        st->limit = c->batch;
        return dnssync_cloudflare_batch(op);

    default:
        return dnssync_cloudflare_get(op);
    }
}


static dnssync_op_step_e
dnssync_cloudflare_answer(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    dnssync_op_step_e            step;
    dnssync_cloudflare_state_t  *st;

    st = op->state;

    if (op->what == DNSSYNC_OP_ZONES) {
        return dnssync_cloudflare_found(op, answer);
    }

    if (st->writing) {
        return dnssync_cloudflare_applied(op, answer);
    }

    step = dnssync_cloudflare_read(op, answer);

    if (step != DNSSYNC_OP_DONE) {
        return step;
    }

    switch (op->what) {

    case DNSSYNC_OP_CHALLENGE:
        return dnssync_cloudflare_challenge(op);

    case DNSSYNC_OP_APPLY:

        if (!st->check.whole && ++st->check.next < st->check.n) {
            memset(&st->pages, 0, sizeof(dnssync_pages_t));
            return dnssync_cloudflare_get(op);
        }

        dnssync_check_end(op, &st->check, st->from, st->to);

        return dnssync_cloudflare_post(op);

    default:
        return DNSSYNC_OP_DONE;
    }
}


/* ExternalDNS's --cloudflare-proxied: hosts that say nothing are proxied. */

static dnssync_op_step_e
dnssync_cloudflare_adjust(dnssync_op_t *op)
{
    uint32_t               i, j;
    dnssync_option_t      *options;
    dnssync_endpoint_t    *list;
    dnssync_cloudflare_t  *c;

    c = op->account->data;

    if (!c->proxied) {
        return DNSSYNC_OP_DONE;
    }

    list = torii_arena_alloc(op->arena, (op->nendpoints + 1)
                                        * sizeof(dnssync_endpoint_t));

    for (i = 0; i < op->nendpoints; i++) {
        list[i] = op->endpoints[i];

        for (j = 0; j < list[i].noptions; j++) {
            if (torii_str_eqs(list[i].options[j].name,
                              DNSSYNC_CLOUDFLARE_PROXIED))
            {
                break;
            }
        }

        if (j < list[i].noptions) {
            continue;
        }

        options = torii_arena_alloc(op->arena,
                                    (j + 1) * sizeof(dnssync_option_t));
        if (j) {
            memcpy(options, list[i].options, j * sizeof(dnssync_option_t));
        }

        options[j].name = torii_str(DNSSYNC_CLOUDFLARE_PROXIED);
        options[j].value = torii_str("true");

        list[i].options = options;
        list[i].noptions = j + 1;
    }

    op->endpoints = list;

    return DNSSYNC_OP_DONE;
}


void
dnssync_cloudflare_request(dnssync_op_t *op, const char *method,
    torii_str_t path)
{
    dnssync_cloudflare_t  *c;

    c = op->account->data;

    (void) dnssync_op_http(op, method, "%.*s%.*s", torii_str_arg(c->base),
                           torii_str_arg(path));

    if (c->token.len) {
        dnssync_op_header(op, "Authorization: Bearer %.*s",
                          torii_str_arg(c->token));

    } else {
        dnssync_op_header(op, "X-Auth-Email: %.*s", torii_str_arg(c->email));
        dnssync_op_header(op, "X-Auth-Key: %.*s", torii_str_arg(c->key));
    }

    dnssync_op_header(op, "Accept: application/json");
    dnssync_op_header(op, "Content-Type: application/json");
}


/* A token may be good for some zones only, and know no list of them. */

static dnssync_op_step_e
dnssync_cloudflare_get_zone(dnssync_op_t *op)
{
    torii_str_t                  path, id;
    dnssync_cloudflare_state_t  *st;

    st = op->state;
    id = op->account->zones[st->zone];

    path = torii_arena_printf(op->arena, "/zones/%.*s", torii_str_arg(id));
    dnssync_cloudflare_request(op, "GET", path);

    return dnssync_op_send(op);
}


/* The next page: of zones, of all records, or of those of one name. */

dnssync_op_step_e
dnssync_cloudflare_get(dnssync_op_t *op)
{
    torii_str_t                  name, path;
    torii_buf_t                  b;
    dnssync_cloudflare_t        *c;
    dnssync_cloudflare_state_t  *st;

    c = op->account->data;
    st = op->state;

    memset(&b, 0, sizeof(torii_buf_t));

    st->pages.page++;

    if (op->what == DNSSYNC_OP_ZONES) {
        torii_buf_printf(&b, "/zones?page=%u&per_page=%u",
                         (unsigned) st->pages.page, DNSSYNC_CLOUDFLARE_ZONES);

    } else {
        torii_buf_printf(&b, "/zones/%.*s/dns_records?page=%u&per_page=%u",
                         torii_str_arg(op->zone.id), (unsigned) st->pages.page,
                         (unsigned) c->per_page);
    }

    name = torii_str("");

    if (op->what == DNSSYNC_OP_CHALLENGE) {
        torii_buf_adds(&b, "&type=TXT");
        name = op->name;

    } else if (op->what == DNSSYNC_OP_APPLY && !st->check.whole) {
        name = st->check.names[st->check.next];
    }

    if (name.len) {
        torii_buf_adds(&b, "&name.exact=");
        dnssync_url_add(&b, name);
    }

    path.data = b.data;
    path.len = b.len;

    dnssync_cloudflare_request(op, "GET", path);
    torii_buf_free(&b);

    return dnssync_op_send(op);
}


static dnssync_op_step_e
dnssync_cloudflare_found(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int                          more;
    const char                  *why;
    const torii_node_t          *doc;
    dnssync_cloudflare_t        *c;
    dnssync_cloudflare_state_t  *st;

    c = op->account->data;
    st = op->state;

    if (answer->status != 200) {
        return dnssync_cloudflare_failed(op, answer, "listing the zones");
    }

    if (c->ids) {
        doc = dnssync_http_json(op->arena, answer->body);
        why = dnssync_json_true(doc, "success")
              ? dnssync_cloudflare_zone(op, torii_node_get(doc, "result"))
              : "the answer is no zone";
        more = ++st->zone < op->account->nzones;

    } else {
        why = dnssync_cloudflare_zones(op, &st->pages, answer->body, &more);
    }

    if (why != NULL) {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "listing the "
                               "zones: %s", why);
    }

    if (!more) {
        return DNSSYNC_OP_DONE;
    }

    return c->ids ? dnssync_cloudflare_get_zone(op)
                  : dnssync_cloudflare_get(op);
}


/* DNSSYNC_OP_DONE: all pages are read. */

static dnssync_op_step_e
dnssync_cloudflare_read(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int                          more;
    const char                  *why;
    dnssync_cloudflare_state_t  *st;

    st = op->state;

    if (answer->status != 200) {
        return dnssync_cloudflare_failed(op, answer, "listing the records");
    }

    why = dnssync_cloudflare_records(op, &st->check.map, &st->pages,
                                     answer->body, &more);
    if (why != NULL) {
        op->nsets = 0;
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_ANSWER, "listing the "
                               "records of %.*s: %s",
                               torii_str_arg(op->zone.name), why);
    }

    return more ? dnssync_cloudflare_get(op) : DNSSYNC_OP_DONE;
}


dnssync_op_step_e
dnssync_cloudflare_failed(dnssync_op_t *op, const dnssync_answer_t *answer,
    const char *what)
{
    torii_str_t        text;
    dnssync_op_step_e  step;

    if (op->zone.name.len) {
        text = torii_arena_printf(op->arena, "%s of %.*s", what,
                                  torii_str_arg(op->zone.name));
        what = (char *) text.data;
    }

    if (answer->status == 429) {
        op->until = op->now + DNSSYNC_CLOUDFLARE_BLOCK * 1000;
    }

    step = dnssync_op_fail_http(op, answer, what);

    if (dnssync_cloudflare_denied(dnssync_cloudflare_code(op->arena,
                                                          answer->body)))
    {
        op->trouble = DNSSYNC_TROUBLE_DENIED;
    }

    return step;
}


const dnssync_driver_t  dnssync_cloudflare_driver = {
    .name = "cloudflare",
    .settings = dnssync_cloudflare_settings,
    .provider = {
        .ttl_default = 1,
        .ttl_min = DNSSYNC_CLOUDFLARE_TTL,
        .ttl_max = 86400,
        .ttl_auto = 1,
        .tag_max = 100,
        .proxied = DNSSYNC_CLOUDFLARE_PROXIED,
        .options = dnssync_cloudflare_options
    },
    .rate = 600,
    .period = 300,
    .at_once = 4,
    .adjusts = 1,
    .init = dnssync_cloudflare_init,
    .go = dnssync_cloudflare_go,
    .answer = dnssync_cloudflare_answer,
    .state = sizeof(dnssync_cloudflare_state_t)
};
