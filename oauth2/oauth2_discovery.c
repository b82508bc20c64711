
/*
 * Discovery.
 */

#include "oauth2_discovery.h"


#define OAUTH2_WELL_KNOWN  "/.well-known/openid-configuration"


typedef struct {
    const char    *name;
    size_t         offset;
    unsigned       needed;
} oauth2_discovery_url_t;


#define oauth2_discovery_field(member, name, needed)                          \
    { name, offsetof(oauth2_endpoints_t, member), needed }

static const oauth2_discovery_url_t  oauth2_discovery_urls[] = {
    oauth2_discovery_field(authorization, "authorization_endpoint", 1),
    oauth2_discovery_field(token, "token_endpoint", 1),
    oauth2_discovery_field(jwks, "jwks_uri", 1),
    oauth2_discovery_field(userinfo, "userinfo_endpoint", 0),
    oauth2_discovery_field(end_session, "end_session_endpoint", 0),
    oauth2_discovery_field(revocation, "revocation_endpoint", 0),
    { NULL, 0, 0 }
};

static const struct {
    const char    *name;
    unsigned       bit;
} oauth2_discovery_auths[] = {
    { "client_secret_basic", OAUTH2_AUTH_BASIC },
    { "client_secret_post", OAUTH2_AUTH_POST },
    { "none", OAUTH2_AUTH_NONE }
};


/* An address, not a name: names can be made to point anywhere. */

static int
oauth2_endpoint_loopback(torii_str_t host)
{
    unsigned     n;
    uint64_t     octet;
    torii_str_t  rest, piece;

    if (torii_str_eqs(host, "[::1]")) {
        return 1;
    }

    if (!torii_str_starts(host, "127.")) {
        return 0;
    }

    n = 0;
    rest = host;

    while (torii_str_next(&rest, ".", &piece)) {
        if (piece.len > 3 || torii_str_uint(piece, 255, &octet) != TORII_OK) {
            return 0;
        }

        n++;
    }

    return n == 4;
}


/* The host of what goes up to the path; an IPv6 address keeps its brackets. */

static int
oauth2_endpoint_authority(torii_str_t s, torii_str_t *host)
{
    size_t       i;
    uint64_t     port;
    torii_str_t  rest;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] == '@') {
            return TORII_ERROR;
        }
    }

    rest = s;

    if (torii_str_starts(s, "[")) {

        if (!torii_str_next(&rest, "]", host) || rest.data == NULL
            || (rest.len && rest.data[0] != ':'))
        {
            return TORII_ERROR;
        }

        host->len++;

        if (rest.len == 0) {
            return TORII_OK;
        }

        rest.data++;
        rest.len--;

    } else {
        (void) torii_str_next(&rest, ":", host);

        if (rest.data == NULL) {
            return host->len ? TORII_OK : TORII_ERROR;
        }
    }

    return (host->len && rest.len <= 5
            && torii_str_uint(rest, 65535, &port) == TORII_OK && port)
           ? TORII_OK : TORII_ERROR;
}


int
oauth2_endpoint_ok(torii_str_t url, int loopback)
{
    int          http;
    size_t       i, len;
    torii_str_t  authority, host;

    http = loopback && torii_str_starts(url, "http://");
    len = sizeof("https://") - 1 - http;

    if (url.len > OAUTH2_URL_MAX
        || (!http && !torii_str_starts(url, "https://")))
    {
        return 0;
    }

    for (i = 0; i < url.len; i++) {
        if (url.data[i] <= 0x20 || url.data[i] >= 0x7f
            || memchr("\"#<>\\^`{|}", url.data[i], 10))
        {
            return 0;
        }
    }

    authority.data = url.data + len;

    for (i = len; i < url.len; i++) {
        if (url.data[i] == '/' || url.data[i] == '?') {
            break;
        }
    }

    authority.len = i - len;

    return oauth2_endpoint_authority(authority, &host) == TORII_OK
           && (!http || oauth2_endpoint_loopback(host));
}


const char *
oauth2_issuer_check(torii_str_t issuer, int loopback)
{
    if (!oauth2_endpoint_ok(issuer, loopback)) {
        return "is no https URL";
    }

    if (memchr(issuer.data, '?', issuer.len)) {
        return "has a query";
    }

    return NULL;
}


/* Discovery 4.1: a slash at the end goes. */

void
oauth2_discovery_url(torii_str_t issuer, torii_buf_t *url)
{
    if (issuer.len && issuer.data[issuer.len - 1] == '/') {
        issuer.len--;
    }

    torii_buf_add_str(url, issuer);
    torii_buf_adds(url, OAUTH2_WELL_KNOWN);
}


static int
oauth2_discovery_lists(const torii_node_t *doc, const char *name,
    const char *value, int absent)
{
    uint32_t       i;
    torii_node_t  *list;

    list = torii_node_get(doc, name);
    if (list == NULL) {
        return absent;
    }

    if (list->type != TORII_NODE_LIST) {
        return 0;
    }

    for (i = 0; i < list->n; i++) {
        if (list->items[i]->type == TORII_NODE_STRING
            && torii_str_eqs(list->items[i]->text, value))
        {
            return 1;
        }
    }

    return 0;
}


/* RS256 must be among them (Core 15.1), hence is what no list means. */

static unsigned
oauth2_discovery_algs(const torii_node_t *doc)
{
    unsigned       algs;
    uint32_t       i;
    torii_jwa_e    alg;
    torii_node_t  *list;

    list = torii_node_get(doc, "id_token_signing_alg_values_supported");
    if (list == NULL) {
        return torii_jwa_bit(TORII_JWA_RS256);
    }

    algs = 0;

    for (i = 0; list->type == TORII_NODE_LIST && i < list->n; i++) {

        if (list->items[i]->type != TORII_NODE_STRING) {
            continue;
        }

        alg = torii_jwa_find(list->items[i]->text);

        if (alg != TORII_JWA_MAX) {
            algs |= torii_jwa_bit(alg);
        }
    }

    return algs;
}


static int
oauth2_discovery_endpoints(const torii_node_t *doc, int loopback,
    oauth2_endpoints_t *endpoints, const char **error)
{
    int                            rc;
    torii_str_t                   *url;
    const oauth2_discovery_url_t  *u;

    for (u = oauth2_discovery_urls; u->name; u++) {

        url = (torii_str_t *) ((char *) endpoints + u->offset);
        rc = oauth2_claim_str(doc, u->name, OAUTH2_URL_MAX, url);

        if (rc == TORII_DECLINED && !u->needed) {
            continue;
        }

        if (rc != TORII_OK || !oauth2_endpoint_ok(*url, loopback)) {
            *error = "lacks an endpoint, or has one that is no https URL";
            return TORII_ERROR;
        }
    }

    return TORII_OK;
}


int
oauth2_discovery_read(torii_arena_t *a, torii_str_t body, torii_str_t issuer,
    unsigned algs, int loopback, oauth2_endpoints_t *endpoints,
    const char **error)
{
    unsigned       i;
    torii_str_t    named;
    torii_node_t  *doc;

    memset(endpoints, 0, sizeof(oauth2_endpoints_t));

    doc = oauth2_claims(a, body, OAUTH2_BODY_MAX);
    if (doc == NULL) {
        *error = "is not a JSON document, or too large";
        return TORII_ERROR;
    }

    if (oauth2_claim_str(doc, "issuer", OAUTH2_URL_MAX, &named) != TORII_OK
        || !torii_str_eq(named, issuer))
    {
        *error = "names another issuer";
        return TORII_ERROR;
    }

    if (oauth2_discovery_endpoints(doc, loopback, endpoints, error)
        != TORII_OK)
    {
        return TORII_ERROR;
    }

    if (!oauth2_discovery_lists(doc, "response_types_supported", "code", 1)) {
        *error = "does not offer the authorization code flow";
        return TORII_ERROR;
    }

    /* absent: the provider may do PKCE without saying so */

    if (!oauth2_discovery_lists(doc, "code_challenge_methods_supported",
                                "S256", 1))
    {
        *error = "does not offer PKCE with S256";
        return TORII_ERROR;
    }

    endpoints->algs = oauth2_discovery_algs(doc) & algs;

    if (endpoints->algs == 0) {
        *error = "signs ID tokens by no algorithm that is allowed";
        return TORII_ERROR;
    }

    for (i = 0; i < 3; i++) {
        if (oauth2_discovery_lists(doc, "token_endpoint_auth_methods_supported",
                                   oauth2_discovery_auths[i].name, i == 0))
        {
            endpoints->auth |= oauth2_discovery_auths[i].bit;
        }
    }

    if (endpoints->auth == 0) {
        *error = "wants another client authentication than a secret";
        return TORII_ERROR;
    }

    endpoints->iss_parameter = oauth2_claim_true(
        torii_node_get(doc, "authorization_response_iss_parameter_supported"));

    return TORII_OK;
}
