
/*
 * Which challenge of an authorization to answer, and what to answer: RFC 8555
 * section 8, RFC 8737 (tls-alpn-01), draft-ietf-acme-dns-persist.
 */

#include <stdio.h>

#include <openssl/sha.h>

#include "acme_order.h"
#include "acme_persist.h"


#define ACME_TOKEN_MIN     22        /* 128 bits in base64url */
#define ACME_TOKEN_MAX     255
#define ACME_OFFERED_MAX   160       /* bytes of an error text */


static const torii_node_t *acme_choose_among(acme_authz_t *z,
    const torii_node_t *list, acme_challenge_e type, int processing,
    int *unusable);
static int acme_challenge_fits(const acme_authz_t *z, acme_challenge_e type);
static int acme_challenge_usable(const acme_authz_t *z,
    const torii_node_t *node, acme_challenge_e type);
static torii_str_t acme_persist_domains(const acme_authz_t *z,
    const torii_node_t *node);
static void acme_choose_learn(acme_authz_t *z, const torii_node_t *list);
static void acme_choose_take(acme_authz_t *z, uint32_t i);
static void acme_challenge_make(acme_authz_t *z, const torii_node_t *node,
    acme_challenge_e type, int processing);
static void acme_persist_make(acme_authz_t *z, const torii_node_t *node,
    acme_challenge_t *ch);
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
    z->nchoices = 0;

    acme_choose_learn(z, list);

    for (processing = 1; processing >= 0; processing--) {

        for (i = 0; i < ACME_CHALLENGE_MAX && z->name->types[i]; i++) {
            type = z->name->types[i] - 1;

            node = acme_choose_among(z, list, type, processing, &unusable);

            if (node && z->nchoices < ACME_CHALLENGE_MAX) {
                acme_challenge_make(z, node, type, processing);
            }
        }
    }

    if (z->nchoices) {
        acme_choose_take(z, 0);
        return TORII_OK;
    }

    acme_choose_none(list, unusable, problem);

    return TORII_ERROR;
}


/* The CA has dns-persist-01, whether or not it is for this name. */

static void
acme_choose_learn(acme_authz_t *z, const torii_node_t *list)
{
    uint32_t        i;
    torii_str_t     domains;
    acme_client_t  *c;

    c = z->order->client;

    for (i = 0; list && list->type == TORII_NODE_LIST && i < list->n
         && i < ACME_CHALLENGES_MAX; i++)
    {
        if (!torii_str_eqs(acme_json_text(list->items[i], "type"),
                           acme_challenge_name(ACME_CHALLENGE_DNS_PERSIST)))
        {
            continue;
        }

        domains = acme_persist_domains(z, list->items[i]);

        if (domains.len) {
            c->domains.len = 0;
            torii_buf_add_str(&c->domains, domains);
            return;
        }
    }
}


static void
acme_choose_take(acme_authz_t *z, uint32_t i)
{
    z->choice = i;
    z->post = z->choices[i].post;
    z->challenge = z->choices[i].challenge;
    z->processing = z->choices[i].processing;
}


int
acme_choose_next(acme_authz_t *z, acme_problem_t *problem)
{
    if (z->choice + 1 < z->nchoices) {
        acme_choose_take(z, z->choice + 1);
        return TORII_OK;
    }

    acme_problem_set(problem, ACME_FAIL_RECORD,
                     "to be created: %.*s. TXT \"%.*s\" (%.*s)",
                     torii_str_arg(z->challenge.record),
                     torii_str_arg(z->challenge.value),
                     torii_str_arg(z->choices[z->choice].missing));

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

        return acme_persist_domains(z, node).len != 0
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
acme_persist_domains(const acme_authz_t *z, const torii_node_t *node)
{
    return acme_client_names(z->order->arena,
                             torii_node_get(node, "issuer-domain-names"));
}


static void
acme_challenge_make(acme_authz_t *z, const torii_node_t *node,
    acme_challenge_e type, int processing)
{
    torii_buf_t        value = { NULL, 0, 0 };
    torii_arena_t     *a;
    acme_choice_t     *choice;
    acme_challenge_t  *ch;

    a = z->order->arena;
    choice = &z->choices[z->nchoices++];
    ch = &choice->challenge;

    memset(choice, 0, sizeof(acme_choice_t));

    choice->processing = processing;
    choice->post = torii_arena_str(a, acme_json_text(node, "url"));

    ch->type = type;
    ch->identifier = z->challenge.identifier;
    ch->wildcard = z->challenge.wildcard;
    ch->ip = z->challenge.ip;

    if (type == ACME_CHALLENGE_DNS_PERSIST) {
        acme_persist_make(z, node, ch);
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
acme_persist_make(acme_authz_t *z, const torii_node_t *node,
    acme_challenge_t *ch)
{
    torii_arena_t  *a;

    a = z->order->arena;

    ch->token = torii_str("");
    ch->key_auth = torii_str("");
    ch->record = acme_persist_record(a, ch->identifier);
    ch->value = acme_persist_value(a, acme_persist_domains(z, node),
                                   acme_str_of(&z->order->client->account),
                                   ch->wildcard);
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
