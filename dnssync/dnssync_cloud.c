
/*
 * Tokens, patience, and challenges.
 */

#include <stdio.h>
#include <openssl/crypto.h>

#include "dnssync_cloud.h"


#define DNSSYNC_CLOUD_WAIT_MAX  60         /* s, to be slept inside of one
                                              operation */
#define DNSSYNC_CLOUD_LIFE_MAX  86400      /* s, of a token */
#define DNSSYNC_CLOUD_TTL       60


static int dnssync_cloud_number(torii_str_t s, size_t at, size_t len,
    unsigned max, unsigned *value);


static const char *const  dnssync_cloud_doing[] = {
    "listing the zones", "looking at the zone ", "listing the zone ",
    "changing the zone ", "the challenge in the zone ", "adjusting"
};


int
dnssync_cloud_time(torii_str_t s, uint64_t *seconds)
{
    int64_t   y, era, days;
    unsigned  year, month, day, hour, minute, second;

    if (s.len < sizeof("2026-11-25T23:41:10Z") - 1
        || dnssync_cloud_number(s, 0, 4, 9999, &year) != TORII_OK
        || dnssync_cloud_number(s, 5, 2, 12, &month) != TORII_OK
        || dnssync_cloud_number(s, 8, 2, 31, &day) != TORII_OK
        || dnssync_cloud_number(s, 11, 2, 23, &hour) != TORII_OK
        || dnssync_cloud_number(s, 14, 2, 59, &minute) != TORII_OK
        || dnssync_cloud_number(s, 17, 2, 60, &second) != TORII_OK
        || s.data[4] != '-' || s.data[7] != '-' || s.data[10] != 'T'
        || s.data[13] != ':' || s.data[16] != ':'
        || s.data[s.len - 1] != 'Z' || month == 0 || day == 0 || year < 1970)
    {
        return TORII_ERROR;
    }

    /* days since 1970 in the Gregorian calendar, years beginning in March */

    y = (int64_t) year - (month <= 2);
    era = y / 400;
    days = (int64_t) (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    days += (y - era * 400) * 365 + (y - era * 400) / 4
            - (y - era * 400) / 100;
    days += era * 146097 - 719468;

    *seconds = (uint64_t) days * 86400 + hour * 3600 + minute * 60 + second;

    return TORII_OK;
}


static int
dnssync_cloud_number(torii_str_t s, size_t at, size_t len, unsigned max,
    unsigned *value)
{
    uint64_t     n;
    torii_str_t  digits;

    digits.data = s.data + at;
    digits.len = len;

    if (torii_str_uint(digits, max, &n) != TORII_OK) {
        return TORII_ERROR;
    }

    *value = (unsigned) n;

    return TORII_OK;
}


void
dnssync_cloud_form(torii_buf_t *b, const char *name, torii_str_t value)
{
    torii_buf_printf(b, "%s%s=", b->len ? "&" : "", name);
    dnssync_url_add(b, value);
}


int
dnssync_cloud_printable(torii_str_t s)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] <= 0x20 || s.data[i] >= 0x7f) {
            return 0;
        }
    }

    return s.len != 0;
}


int
dnssync_cloud_token(const dnssync_op_t *op)
{
    return op->account->token.len && op->account->token_until > op->now;
}


int
dnssync_cloud_token_read(dnssync_op_t *op, const dnssync_answer_t *answer)
{
    int             rc;
    uint64_t        life;
    torii_str_t     token;
    torii_node_t   *doc;
    torii_arena_t  *a;

    rc = TORII_ERROR;
    a = torii_arena_create(4096);
    doc = dnssync_http_json(a, answer->body);
    token = dnssync_json_str(doc, "access_token");

    if (dnssync_cloud_printable(token) && token.len <= DNSSYNC_CLOUD_TOKEN
        && torii_str_uint(dnssync_json_str(doc, "expires_in"), UINT32_MAX,
                          &life) == TORII_OK)
    {
        dnssync_cloud_token_set(op, token, life);
        rc = TORII_OK;
    }

    torii_arena_destroy(a);

    return rc;
}


/* One that lives but shortly is used half of its life. */

void
dnssync_cloud_token_set(dnssync_op_t *op, torii_str_t token,
    uint64_t seconds)
{
    dnssync_account_t  *account;

    account = op->account;

    if (seconds > DNSSYNC_CLOUD_LIFE_MAX) {
        seconds = DNSSYNC_CLOUD_LIFE_MAX;
    }

    seconds -= (seconds > 2 * DNSSYNC_CLOUD_EARLY) ? DNSSYNC_CLOUD_EARLY
                                                   : seconds / 2;

    dnssync_cloud_token_drop(op);

    torii_buf_add_str(&account->token_room, token);
    account->token.data = account->token_room.data;
    account->token.len = account->token_room.len;
    account->token_until = op->now + seconds * 1000;
}


void
dnssync_cloud_token_drop(dnssync_op_t *op)
{
    dnssync_account_t  *account;

    account = op->account;

    if (account->token_room.len) {
        OPENSSL_cleanse(account->token_room.data, account->token_room.len);
    }

    account->token_room.len = 0;
    account->token.len = 0;
    account->token_until = 0;
}


const char *
dnssync_cloud_where(dnssync_op_t *op)
{
    torii_str_t  s;

    s = torii_arena_printf(op->arena, "%s%.*s",
                           dnssync_cloud_doing[op->what],
                           op->what == DNSSYNC_OP_ZONES ? 0
                           : (int) op->zone.name.len,
                           (const char *) op->zone.name.data);

    return (const char *) s.data;
}


/* Two that were refused at the same moment do not come back at the same. */

dnssync_op_step_e
dnssync_cloud_wait(dnssync_op_t *op, unsigned *tries, uint32_t retry_after,
    torii_str_t what)
{
    uint64_t  wait, salt;

    salt = torii_hash(op->zone.id.data, op->zone.id.len, op->now);

    wait = 1000ULL << *tries;
    wait += salt % (wait / 2);

    if (retry_after) {
        wait = (uint64_t) retry_after * 1000 + salt % 1000;
    }

    op->until = op->now + wait;

    if (++*tries >= DNSSYNC_CLOUD_TRIES
        || wait > DNSSYNC_CLOUD_WAIT_MAX * 1000)
    {
        return dnssync_op_fail(op, DNSSYNC_TROUBLE_THROTTLED, "%s: the "
                               "provider has too many requests at present: "
                               "%.*s", dnssync_cloud_where(op),
                               torii_str_arg(what));
    }

    return DNSSYNC_OP_SLEEP;
}


int
dnssync_cloud_same(const dnssync_rrset_t *a, const dnssync_rrset_t *b)
{
    uint32_t  i, j;

    if (a->type != b->type || a->ttl != b->ttl || a->n != b->n) {
        return 0;
    }

    for (i = 0; i < a->n; i++) {

        for (j = 0; j < b->n; j++) {
            if (torii_str_eq(a->values[i], b->values[j])) {
                break;
            }
        }

        if (j == b->n) {
            return 0;
        }
    }

    return 1;
}


const dnssync_part_t *
dnssync_cloud_part(const dnssync_edit_t *edit, torii_str_t name,
    torii_str_t set, unsigned type)
{
    uint32_t                i;
    const dnssync_rrset_t  *s;

    for (i = 0; i < edit->nparts; i++) {
        s = edit->parts[i].before ? edit->parts[i].before
                                  : edit->parts[i].after;

        if (s->type == type && torii_str_eq(s->name, name)
            && torii_str_eq(s->set, set))
        {
            return &edit->parts[i];
        }
    }

    return NULL;
}


int
dnssync_cloud_challenge(dnssync_op_t *op, const dnssync_rrset_t *have)
{
    uint32_t          i, there;
    dnssync_edit_t   *edit;
    dnssync_rrset_t  *after;

    after = torii_arena_zalloc(op->arena, sizeof(dnssync_rrset_t));

    if (have != NULL) {
        *after = *have;
    }

    after->name = op->name;
    after->type = DNSSYNC_TXT;
    after->ttl = op->ttl ? op->ttl : DNSSYNC_CLOUD_TTL;
    after->n = 0;
    after->values = torii_arena_alloc(op->arena, ((have ? have->n : 0) + 1)
                                                 * sizeof(torii_str_t));

    for (i = 0, there = 0; have != NULL && i < have->n; i++) {
        if (torii_str_eq(have->values[i], op->value)) {
            there = 1;
            continue;
        }

        after->values[after->n++] = have->values[i];
    }

    if (there == op->add) {
        return 0;
    }

    if (op->add) {
        after->values[after->n++] = op->value;
    }

    edit = torii_arena_zalloc(op->arena, sizeof(dnssync_edit_t));

    edit->name = op->name;
    edit->nparts = 1;
    edit->parts = torii_arena_alloc(op->arena, sizeof(dnssync_part_t));
    edit->parts->before = have;
    edit->parts->after = after->n ? after : NULL;

    op->edits = torii_arena_alloc(op->arena, sizeof(dnssync_edit_t *));
    op->edits[0] = edit;
    op->nedits = 1;
    op->results = torii_arena_zalloc(op->arena, sizeof(dnssync_result_t));

    return 1;
}


int
dnssync_cloud_challenged(dnssync_op_t *op, unsigned *tries,
    dnssync_op_step_e *step)
{
    dnssync_result_t  *r;

    r = op->results;
    *step = DNSSYNC_OP_DONE;

    if (r->what == DNSSYNC_OUTCOME_DONE) {
        return TORII_OK;
    }

    if (r->what == DNSSYNC_OUTCOME_LOST && ++*tries < DNSSYNC_CLOUD_TRIES) {
        return TORII_AGAIN;
    }

    *step = dnssync_op_fail(op, r->what == DNSSYNC_OUTCOME_REFUSED
                                ? DNSSYNC_TROUBLE_SETTING
                                : DNSSYNC_TROUBLE_DOWN, "%s: %.*s",
                            dnssync_cloud_where(op), torii_str_arg(r->text));

    return TORII_OK;
}
