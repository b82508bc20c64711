
/*
 * The values of annotations about certificates, one reader for each name.
 */

#include "ingress_issue_shim.h"
#include "ingress_decode.h"


#define INGRESS_SHIM_HOUR        3600
#define INGRESS_SHIM_RENEW_MIN   300
#define INGRESS_SHIM_COMMON_MAX  64     /* RFC 5280, A.1: ub-common-name */


static int ingress_shim_list(ingress_shim_t *shim, torii_str_t rest,
    int addresses);
static const char *ingress_shim_seconds(const ingress_pair_t *pair,
    int64_t least, uint32_t *seconds, const char *why);
static int ingress_shim_pairs(ingress_shim_t *shim, const torii_node_t *map,
    const char *refused, ingress_pairs_t *pairs);


static const torii_tree_limits_t  ingress_shim_limits = { 65536, 1024, 4 };


const char *
ingress_shim_issuer(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->issuer = pair;

    return pair->value.len ? NULL : "must be the name of an Issuer";
}


const char *
ingress_shim_cluster(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->cluster = pair;

    return pair->value.len ? NULL : "must be the name of a ClusterIssuer";
}


const char *
ingress_shim_kind(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->kind = pair;

    return NULL;
}


const char *
ingress_shim_group(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->group = pair;

    return NULL;
}


/* It was looked at already, by ingress_issue_trigger(). */

const char *
ingress_shim_auto(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    return NULL;
}


const char *
ingress_shim_common(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    if (pair->value.len > INGRESS_SHIM_COMMON_MAX) {
        return "must be of 64 bytes at most";
    }

    shim->w->issue.common_name = pair->value;

    return NULL;
}


const char *
ingress_shim_names(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    return ingress_shim_list(shim, pair->value, 0) == TORII_OK
           ? NULL : "must be a list of host names, with commas between, of "
                    "100 at most";
}


const char *
ingress_shim_addresses(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    return ingress_shim_list(shim, pair->value, 1) == TORII_OK
           ? NULL : "must be a list of IP addresses, with commas between, of "
                    "100 at most";
}


static int
ingress_shim_list(ingress_shim_t *shim, torii_str_t rest, int addresses)
{
    size_t              i;
    torii_str_t         piece, *elts;
    ingress_strings_t  *names;

    names = &shim->w->names;

    while (torii_str_next(&rest, ",", &piece)) {
        piece = torii_str_trim(piece);

        if (piece.len == 0) {
            continue;
        }

        piece = torii_arena_str(shim->s->arena, piece);

        for (i = 0; i < piece.len; i++) {
            if (piece.data[i] >= 'A' && piece.data[i] <= 'Z') {
                piece.data[i] |= 0x20;
            }
        }

        /* an address among names is one, as in cert-manager */

        if (names->n == INGRESS_ISSUE_NAMES
            || (!ingress_is_address(piece)
                && (addresses
                    || ingress_host_check(piece, INGRESS_HOST_RULE) != NULL)))
        {
            return TORII_ERROR;
        }

        if (names->n == 0) {
            elts = torii_arena_alloc(shim->s->arena, INGRESS_ISSUE_NAMES
                                                     * sizeof(torii_str_t));
            names->elts = elts;
        }

        names->elts[names->n++] = piece;
    }

    return TORII_OK;
}


const char *
ingress_shim_other_names(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    if (pair->value.len) {
        (void) ingress_issue_finding(shim->s, shim->w->owner, INGRESS_WARNING,
                                     "UnsupportedName", pair->name,
                                     pair->value, pair->line,
                                     "is left out: certificates for hosts and "
                                     "addresses are issued");
    }

    return NULL;
}


const char *
ingress_shim_subject(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    if (!shim->noted) {
        shim->noted = 1;

        (void) ingress_issue_finding(shim->s, shim->w->owner, INGRESS_INFO,
                                     "Unsupported", pair->name, pair->value,
                                     pair->line, "is left out, and so is all "
                                     "of a subject but its common name");
    }

    return NULL;
}


const char *
ingress_shim_duration(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    return ingress_shim_seconds(pair, INGRESS_SHIM_HOUR,
                                &shim->w->issue.duration,
                                "must be a duration from \"1h\", such as "
                                "\"2160h\"");
}


const char *
ingress_shim_before(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->before = pair;

    return ingress_shim_seconds(pair, INGRESS_SHIM_RENEW_MIN,
                                &shim->w->issue.renew_before,
                                "must be a duration from \"5m\", such as "
                                "\"360h\"");
}


static const char *
ingress_shim_seconds(const ingress_pair_t *pair, int64_t least,
    uint32_t *seconds, const char *why)
{
    int64_t  n;

    if (ingress_duration_parse(pair->value, &n) != TORII_OK || n < least) {
        return why;
    }

    *seconds = n > UINT32_MAX ? UINT32_MAX : (uint32_t) n;

    return NULL;
}


const char *
ingress_shim_percent(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    uint64_t  n;

    shim->percent = pair;

    if (torii_str_uint(pair->value, 99, &n) != TORII_OK || n == 0) {
        return "must be a number from 1 to 99";
    }

    shim->w->issue.renew_percent = (uint32_t) n;

    return NULL;
}


const char *
ingress_shim_algorithm(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    if (torii_str_eqs(pair->value, "RSA")) {
        shim->algorithm = INGRESS_KEY_RSA;
        return NULL;
    }

    if (torii_str_eqs(pair->value, "ECDSA")) {
        shim->algorithm = INGRESS_KEY_ECDSA;
        return NULL;
    }

    return "must be RSA or ECDSA";
}


const char *
ingress_shim_size(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    uint64_t  n;

    if (torii_str_uint(pair->value, UINT32_MAX, &n) != TORII_OK || n == 0) {
        return "must be 2048, 3072 or 4096 for RSA, 256 or 384 for ECDSA";
    }

    shim->size = pair;
    shim->bits = (uint32_t) n;

    return NULL;
}


const char *
ingress_shim_encoding(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->w->issue.pkcs8 = torii_str_eqs(pair->value, "PKCS8");

    return shim->w->issue.pkcs8 || torii_str_eqs(pair->value, "PKCS1")
           ? NULL : "must be PKCS1 or PKCS8";
}


const char *
ingress_shim_rotation(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->w->issue.reuse_key = torii_str_eqs(pair->value, "Never");

    return shim->w->issue.reuse_key || torii_str_eqs(pair->value, "Always")
           ? NULL : "must be Always or Never";
}


const char *
ingress_shim_template(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    uint32_t             i;
    torii_arena_t       *a;
    torii_node_t        *doc;
    ingress_pairs_t     *labels, *annotations;
    torii_tree_error_t   error;

    static const char  why[] =
        "must be JSON: {\"annotations\":{},\"labels\":{}} with texts as "
        "values, and no annotations of cert-manager.io";

    a = shim->s->arena;

    if (torii_tree_json(a, pair->value, &ingress_shim_limits, &doc, &error)
        != TORII_OK
        || doc->type != TORII_NODE_MAP)
    {
        return why;
    }

    labels = torii_arena_zalloc(a, sizeof(ingress_pairs_t));
    annotations = torii_arena_zalloc(a, sizeof(ingress_pairs_t));

    for (i = 0; i < doc->n; i++) {

        if (torii_str_eqs(doc->keys[i], "annotations")) {

            if (ingress_shim_pairs(shim, doc->items[i], "cert-manager.io/",
                                   annotations)
                != TORII_OK)
            {
                return why;
            }

        } else if (!torii_str_eqs(doc->keys[i], "labels")
                   || ingress_shim_pairs(shim, doc->items[i], NULL, labels)
                      != TORII_OK)
        {
            return why;
        }
    }

    shim->w->issue.template_labels = labels;
    shim->w->issue.template_annotations = annotations;

    return NULL;
}


static int
ingress_shim_pairs(ingress_shim_t *shim, const torii_node_t *map,
    const char *refused, ingress_pairs_t *pairs)
{
    uint32_t  i;

    if (map->type == TORII_NODE_NULL) {
        return TORII_OK;
    }

    if (map->type != TORII_NODE_MAP) {
        return TORII_ERROR;
    }

    pairs->elts = torii_arena_zalloc(shim->s->arena,
                                     (map->n + 1) * sizeof(ingress_pair_t));

    for (i = 0; i < map->n; i++) {

        if (map->keys[i].len == 0
            || torii_str_has_control(map->keys[i])
            || map->items[i]->type != TORII_NODE_STRING
            || (refused && torii_str_starts(map->keys[i], refused)))
        {
            return TORII_ERROR;
        }

        pairs->elts[i].name = map->keys[i];
        pairs->elts[i].value = map->items[i]->text;
    }

    pairs->n = map->n;

    return TORII_OK;
}


/* Only "true" is; anything else is no mistake, as in cert-manager. */

const char *
ingress_shim_temporary(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    if (torii_str_eqs(pair->value, "true")) {
        shim->w->issue.temporary = 1;
    }

    return NULL;
}


const char *
ingress_shim_challenge(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    return ingress_issue_challenge(shim->w->owner, &shim->w->challenge)
           == TORII_OK
           ? NULL : "must be http-01, tls-alpn-01, dns-01 or "
                    "dns-persist-01";
}


/* The list is read when the issuers are looked up. */

const char *
ingress_shim_more(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->w->more = pair->value;

    return NULL;
}


const char *
ingress_shim_renew(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    return ingress_time_parse(pair->value, &shim->w->issue.renew_now)
           == TORII_OK
           ? NULL : "must be a time such as \"2026-11-25T21:30:00Z\"";
}


const char *
ingress_shim_pair(ingress_shim_t *shim, const ingress_pair_t *pair)
{
    shim->w->pair = ingress_issue_pair(shim->w->owner);

    return shim->w->pair ? NULL : "must be rsa+ecdsa";
}
