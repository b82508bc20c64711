
/*
 * Back-off and Status objects: what all that speaks to an API server shares.
 */

#include "ingress_api.h"


#define INGRESS_BACKOFF_FIRST    800
#define INGRESS_BACKOFF_LAST     20000
#define INGRESS_BACKOFF_MAX      30000
#define INGRESS_BACKOFF_OBEYED   300          /* seconds */

#define INGRESS_STATUS_ARENA     4096


static uint32_t ingress_api_number(const torii_node_t *node);


static const torii_tree_limits_t  ingress_status_limits = {
    256 * 1024, 10000, 32
};


/*
 * 0.8 s, 1.6 s … 12.8 s, 20 s, and up to half of it more, so that those who
 * lost a server together do not come back together.
 */

uint32_t
ingress_backoff_next(ingress_backoff_t *b, uint32_t retry_after,
    uint32_t random)
{
    uint32_t  i, wait, asked;

    wait = INGRESS_BACKOFF_FIRST;

    for (i = 0; i < b->failures && wait < INGRESS_BACKOFF_LAST; i++) {
        wait *= 2;
    }

    if (wait > INGRESS_BACKOFF_LAST) {
        wait = INGRESS_BACKOFF_LAST;
    }

    if (b->failures != UINT32_MAX) {
        b->failures++;
    }

    wait += random % (wait / 2 + 1);

    if (wait > INGRESS_BACKOFF_MAX) {
        wait = INGRESS_BACKOFF_MAX;
    }

    if (retry_after > INGRESS_BACKOFF_OBEYED) {
        retry_after = INGRESS_BACKOFF_OBEYED;
    }

    asked = retry_after * 1000;

    if (wait < asked) {
        wait = asked + random % (asked / 8 + 1);
    }

    return wait;
}


void
ingress_backoff_reset(ingress_backoff_t *b)
{
    b->failures = 0;
}


int
ingress_api_status_parse(torii_str_t body, ingress_api_status_t *status)
{
    int                  rc;
    torii_node_t        *doc, *kind;
    torii_arena_t       *a;
    torii_tree_error_t   error;

    memset(status, 0, sizeof(ingress_api_status_t));

    a = torii_arena_create(INGRESS_STATUS_ARENA);
    rc = torii_tree_json(a, body, &ingress_status_limits, &doc, &error);

    if (rc == TORII_OK) {
        kind = torii_node_get(doc, "kind");

        if (kind != NULL && torii_str_eqs(kind->text, "Status")) {
            ingress_api_status_read(doc, status);

        } else {
            rc = TORII_ERROR;
        }
    }

    torii_arena_destroy(a);

    return rc;
}


void
ingress_api_status_read(const torii_node_t *doc, ingress_api_status_t *status)
{
    const torii_node_t  *node, *details;

    memset(status, 0, sizeof(ingress_api_status_t));

    node = torii_node_get(doc, "reason");

    if (node != NULL && node->type == TORII_NODE_STRING) {
        ingress_api_text(node->text, status->reason, sizeof(status->reason));
    }

    node = torii_node_get(doc, "message");

    if (node != NULL && node->type == TORII_NODE_STRING) {
        ingress_api_text(node->text, status->message, sizeof(status->message));
    }

    details = torii_node_get(doc, "details");

    status->code = ingress_api_number(torii_node_get(doc, "code"));
    status->retry_after = ingress_api_number(torii_node_get(details,
                                                       "retryAfterSeconds"));
}


static uint32_t
ingress_api_number(const torii_node_t *node)
{
    uint64_t  value;

    if (node == NULL || node->type != TORII_NODE_INT
        || torii_str_uint(node->text, UINT32_MAX, &value) != TORII_OK)
    {
        return 0;
    }

    return (uint32_t) value;
}


void
ingress_api_text(torii_str_t text, char *buf, size_t size)
{
    char           *out;
    size_t          len;
    unsigned char  *p, *last;

    out = buf;
    p = text.data;
    last = text.len ? p + text.len : p;

    while (p < last) {
        len = torii_utf8_len(p, last);

        if (len == 0 || len >= size - (out - buf)) {
            break;
        }

        memcpy(out, p, len);

        if (*p < 0x20 || *p == 0x7f) {
            *out = ' ';
        }

        out += len;
        p += len;
    }

    *out = '\0';
}
