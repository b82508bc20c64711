
/*
 * Which challenge of an authorization to answer, and what to answer: RFC 8555
 * section 8, RFC 8737 (tls-alpn-01), draft-ietf-acme-dns-persist.
 */

#include <stdio.h>

#include <openssl/sha.h>

#include "acme_order.h"


#define ACME_TOKEN_MIN     22        /* 128 bits in base64url */
#define ACME_TOKEN_MAX     255
#define ACME_OFFERED_MAX   160       /* bytes of an error text */


static const torii_node_t *acme_choose_among(acme_authz_t *z,
    const torii_node_t *list, acme_challenge_e type, int processing,
    int *unusable);
static int acme_challenge_fits(const acme_authz_t *z, acme_challenge_e type);
static int acme_challenge_usable(const acme_authz_t *z,
    const torii_node_t *node, acme_challenge_e type);
static torii_str_t acme_persist_domain(const torii_node_t *node);
static void acme_challenge_make(acme_authz_t *z, const torii_node_t *node,
    acme_challenge_e type);
static void acme_persist_make(acme_authz_t *z, const torii_node_t *node);
static void acme_choose_none(const torii_node_t *list, int unusable,
    acme_problem_t *problem);


/* In the order of acme_challenge_e; what may prove a wildcard, or an address
   (RFC 8738). */

static const struct {
    const char  *name;
    unsigned     wildcard:1;
    unsigned     ip:1;
} acme_challenge_types[ACME_CHALLENGE_MAX] = {
    { "http-01", 0, 1 },
    { "tls-alpn-01", 0, 1 },
    { "dns-01", 1, 0 },
    { "dns-persist-01", 1, 0 }
};


const char *
acme_challenge_name(acme_challenge_e type)
{
    if ((unsigned) type >= ACME_CHALLENGE_MAX) {
        return "unknown";
    }

    return acme_challenge_types[type].name;
}


/*
 * One that is being validated already goes first: the CA accepts no other any
 * more.
 */

int
acme_choose(acme_authz_t *z, const torii_node_t *doc,
    acme_problem_t *problem)
{
    int                  processing, unusable;
    unsigned             i;
    acme_challenge_e     type;
    const torii_node_t  *list, *node;

    list = torii_node_get(doc, "challenges");
    unusable = 0;

    for (processing = 1; processing >= 0; processing--) {

        for (i = 0; i < ACME_CHALLENGE_MAX && z->name->types[i]; i++) {
            type = z->name->types[i] - 1;

            node = acme_choose_among(z, list, type, processing, &unusable);

            if (node) {
                z->processing = processing;
                acme_challenge_make(z, node, type);
                return TORII_OK;
            }
        }
    }

    acme_choose_none(list, unusable, problem);

    return TORII_ERROR;
}


static const torii_node_t *
acme_choose_among(acme_authz_t *z, const torii_node_t *list,
    acme_challenge_e type, int processing, int *unusable)
{
    uint32_t             i;
    torii_str_t          status;
    const torii_node_t  *node;

    if (list == NULL || list->type != TORII_NODE_LIST
        || !acme_challenge_fits(z, type))
    {
        return NULL;
    }

    for (i = 0; i < list->n && i < ACME_CHALLENGES_MAX; i++) {
        node = list->items[i];
        status = acme_json_text(node, "status");

        if (!torii_str_eqs(acme_json_text(node, "type"),
                           acme_challenge_name(type))
            || !torii_str_eqs(status, processing ? "processing" : "pending"))
        {
            continue;
        }

        if (acme_challenge_usable(z, node, type)) {
            return node;
        }

        *unusable = 1;
    }

    return NULL;
}


static int
acme_challenge_fits(const acme_authz_t *z, acme_challenge_e type)
{
    return (unsigned) type < ACME_CHALLENGE_MAX
           && (!z->challenge.wildcard || acme_challenge_types[type].wildcard)
           && (!z->challenge.ip || acme_challenge_types[type].ip);
}


/* A token becomes a path and a DNS record: it is what RFC 8555 says it is. */

static int
acme_challenge_usable(const acme_authz_t *z, const torii_node_t *node,
    acme_challenge_e type)
{
    torii_str_t  token, account;

    if (!acme_url_ok(acme_json_text(node, "url"))) {
        return 0;
    }

    if (type == ACME_CHALLENGE_DNS_PERSIST) {
        account = acme_json_text(node, "accounturi");

        return acme_persist_domain(node).len != 0
               && (account.len == 0
                   || torii_str_eq(account,
                                   acme_str_of(&z->order->client->account)))
               && memchr(z->order->client->account.data, ';',
                         z->order->client->account.len) == NULL;
    }

    token = acme_json_text(node, "token");

    return token.len >= ACME_TOKEN_MIN && token.len <= ACME_TOKEN_MAX
           && acme_nonce_ok(token);
}


static torii_str_t
acme_persist_domain(const torii_node_t *node)
{
    size_t               i;
    torii_str_t          name;
    const torii_node_t  *names;

    names = torii_node_get(node, "issuer-domain-names");

    if (names == NULL || names->type != TORII_NODE_LIST || names->n == 0
        || names->items[0]->type != TORII_NODE_STRING
        || names->items[0]->text.len > 253)
    {
        return torii_str("");
    }

    name = names->items[0]->text;

    for (i = 0; i < name.len; i++) {
        if (name.data[i] == '\0'
            || strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", name.data[i])
               == NULL)
        {
            return torii_str("");
        }
    }

    return name;
}


static void
acme_challenge_make(acme_authz_t *z, const torii_node_t *node,
    acme_challenge_e type)
{
    torii_buf_t        value = { NULL, 0, 0 };
    torii_arena_t     *a;
    acme_challenge_t  *ch;

    a = z->order->arena;
    ch = &z->challenge;

    ch->type = type;
    z->post = torii_arena_str(a, acme_json_text(node, "url"));

    if (type == ACME_CHALLENGE_DNS_PERSIST) {
        acme_persist_make(z, node);
        return;
    }

    ch->token = torii_arena_str(a, acme_json_text(node, "token"));
    ch->key_auth = torii_arena_printf(a, "%.*s.%.*s",
                                      torii_str_arg(ch->token),
                                      torii_str_arg(z->order->client
                                                    ->thumbprint));

    SHA256(ch->key_auth.data, ch->key_auth.len, ch->digest);

    torii_base64url_add(&value, ch->digest, sizeof(ch->digest));

    ch->value = torii_arena_str(a, acme_str_of(&value));
    ch->record = torii_arena_printf(a, "_acme-challenge.%.*s",
                                    torii_str_arg(ch->identifier));

    torii_buf_free(&value);
}


static void
acme_persist_make(acme_authz_t *z, const torii_node_t *node)
{
    torii_arena_t     *a;
    acme_challenge_t  *ch;

    a = z->order->arena;
    ch = &z->challenge;

    ch->token = torii_str("");
    ch->key_auth = torii_str("");
    ch->record = torii_arena_printf(a, "_validation-persist.%.*s",
                                    torii_str_arg(ch->identifier));
    ch->value = torii_arena_printf(a, "%.*s; accounturi=%.*s%s",
                                   torii_str_arg(acme_persist_domain(node)),
                                   torii_str_arg(z->order->client->account),
                                   ch->wildcard ? "; policy=wildcard" : "");
}


static void
acme_choose_none(const torii_node_t *list, int unusable,
    acme_problem_t *problem)
{
    char          offered[ACME_OFFERED_MAX];
    size_t        len;
    uint32_t      i;
    torii_str_t   type;

    if (unusable) {
        acme_problem_set(problem, ACME_FAIL_ORDER,
                         "the CA's challenges are malformed");
        return;
    }

    len = 0;
    offered[0] = '\0';

    for (i = 0; list && list->type == TORII_NODE_LIST && i < list->n; i++) {
        type = acme_json_text(list->items[i], "type");

        if (type.len + 3 > sizeof(offered) - len) {
            break;
        }

        len += snprintf(offered + len, sizeof(offered) - len, "%s%.*s",
                        len ? ", " : "", torii_str_arg(type));
    }

    acme_problem_set(problem, ACME_FAIL_CONFIG,
                     "the CA offers no challenge that is allowed here: %s",
                     len ? offered : "none at all");
}
