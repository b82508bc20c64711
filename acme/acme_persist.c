
/*
 * The record of dns-persist-01 has the syntax of RFC 8659 section 4.2: the
 * CA's name, then parameters, "tag=value" each, with semicolons between.
 */

#include "acme_persist.h"


#define ACME_PERSIST_TIME_MAX  253402300799ULL     /* the end of year 9999 */


enum {
    ACME_TAG_ACCOUNT = 0,
    ACME_TAG_POLICY,
    ACME_TAG_UNTIL,
    ACME_TAG_MAX
};


static int acme_persist_domain_is(torii_str_t domains, torii_str_t name);
static int acme_persist_tags(torii_str_t rest,
    torii_str_t tags[ACME_TAG_MAX]);


static const char  *acme_persist_tag_names[ACME_TAG_MAX] = {
    "accounturi", "policy", "persistUntil"
};


/* What cannot be read says nothing, and a tag that comes twice is no such. */

acme_persist_e
acme_persist_judge(const acme_persist_t *p, torii_str_t value)
{
    uint64_t     until;
    torii_str_t  rest, name, tags[ACME_TAG_MAX];

    rest = value;
    (void) torii_str_next(&rest, ";", &name);

    if (!acme_persist_domain_is(p->domains, torii_str_trim(name))
        || acme_persist_tags(rest, tags) != TORII_OK)
    {
        return ACME_PERSIST_CA;
    }

    if (!torii_str_eq(tags[ACME_TAG_ACCOUNT], p->account)) {
        return ACME_PERSIST_ACCOUNT;
    }

    if (p->wildcard && !torii_str_caseeqs(tags[ACME_TAG_POLICY], "wildcard")) {
        return ACME_PERSIST_WILDCARD;
    }

    if (tags[ACME_TAG_UNTIL].data != NULL
        && (torii_str_uint(tags[ACME_TAG_UNTIL], ACME_PERSIST_TIME_MAX, &until)
            != TORII_OK
            || (int64_t) until <= p->now))
    {
        return ACME_PERSIST_EXPIRED;
    }

    return ACME_PERSIST_OK;
}


static int
acme_persist_domain_is(torii_str_t domains, torii_str_t name)
{
    torii_str_t  piece;

    if (name.len && name.data[name.len - 1] == '.') {
        name.len--;
    }

    while (torii_str_next(&domains, " ", &piece)) {
        if (piece.len && torii_str_caseeq(piece, name)) {
            return 1;
        }
    }

    return 0;
}


static int
acme_persist_tags(torii_str_t rest, torii_str_t tags[ACME_TAG_MAX])
{
    unsigned     i;
    torii_str_t  piece, tag;

    memset(tags, 0, ACME_TAG_MAX * sizeof(torii_str_t));

    while (torii_str_next(&rest, ";", &piece)) {
        piece = torii_str_trim(piece);

        if (piece.len == 0) {
            continue;
        }

        (void) torii_str_next(&piece, "=", &tag);

        if (piece.data == NULL) {
            return TORII_ERROR;
        }

        tag = torii_str_trim(tag);

        for (i = 0; i < ACME_TAG_MAX; i++) {

            if (!torii_str_caseeqs(tag, acme_persist_tag_names[i])) {
                continue;
            }

            if (tags[i].data != NULL) {
                return TORII_ERROR;
            }

            tags[i] = torii_str_trim(piece);
        }
    }

    return TORII_OK;
}


const char *
acme_persist_words(acme_persist_e what)
{
    static const char  *words[] = {
        "it is there", "the one that is there has expired",
        "the one that is there lacks policy=wildcard",
        "the one that is there is for another account",
        "what is there is for another CA", "it is not there"
    };

    return words[what];
}


torii_str_t
acme_persist_record(torii_arena_t *a, torii_str_t identifier)
{
    return torii_arena_printf(a, "_validation-persist.%.*s",
                              torii_str_arg(identifier));
}


torii_str_t
acme_persist_value(torii_arena_t *a, torii_str_t domains, torii_str_t account,
    int wildcard)
{
    torii_str_t  domain;

    (void) torii_str_next(&domains, " ", &domain);

    return torii_arena_printf(a, "%.*s; accounturi=%.*s%s",
                              torii_str_arg(domain), torii_str_arg(account),
                              wildcard ? "; policy=wildcard" : "");
}
