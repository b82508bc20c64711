
/*
 * The CA of ca_make.h: orders, authorizations, challenges, certificates.
 */

#ifndef _CA_MAKE_ORDER_H_INCLUDED_
#define _CA_MAKE_ORDER_H_INCLUDED_


#include "ca_make.h"


static inline void
ca_order_text(ca_t *ca, ca_order_t *o, const char *status)
{
    unsigned  i, id;

    id = (unsigned) (o - ca->orders);

    torii_buf_printf(&ca->body, "{\"status\":\"%s\"%s,\"authorizations\":[",
                     status, ca->is.no_expiry ? ""
                             : ",\"expires\":\"2027-01-15T10:00:00.123Z\"");

    for (i = o->n; i-- > 0; /* void */ ) {
        torii_buf_printf(&ca->body, "\"" CA_URL "/authz/%u/%u\"%s", id, i,
                         i ? "," : "");
    }

    torii_buf_printf(&ca->body, "],\"finalize\":\"" CA_URL "/finalize/%u\"",
                     id);

    if (strcmp(status, "valid") == 0) {
        torii_buf_printf(&ca->body, ",\"certificate\":\"" CA_URL
                         "/certificate/%u\"", id);
    }

    if (strcmp(status, "invalid") == 0) {
        torii_buf_adds(&ca->body, ",\"error\":{\"type\":\"" CA_ACME
                       "caa\",\"detail\":\"forbidden\"}");
    }

    torii_buf_adds(&ca->body, "}");
}


static inline const char *
ca_order_status(ca_t *ca, ca_order_t *o)
{
    unsigned  i, valid;

    valid = 0;

    for (i = 0; i < o->n; i++) {
        valid += (strcmp(o->authz[i].status, "valid") == 0);

        if (strcmp(o->authz[i].status, "invalid") == 0
            || strcmp(o->authz[i].status, "deactivated") == 0)
        {
            return "invalid";
        }
    }

    if (strcmp(o->status, "pending") == 0 && valid == o->n) {
        o->status = "ready";
    }

    return o->status;
}


static inline void
ca_new_order(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned       i, t;
    ca_order_t    *o;
    torii_str_t    name;
    torii_node_t  *ids;

    (void) snprintf(ca->order_payload, sizeof(ca->order_payload), "%.*s",
                    torii_str_arg(r->text));

    ids = torii_node_get(r->payload, "identifiers");

    if (ids == NULL || ids->n == 0 || ids->n > CA_NAMES
        || ca->norders == CA_ORDERS)
    {
        ca_fault(ca, "newOrder without names");
        ca_problem(ca, res, 400, "malformed", NULL);
        return;
    }

    o = &ca->orders[ca->norders];
    o->account = r->account;
    o->n = ids->n;
    o->status = "pending";

    for (i = 0; i < o->n; i++) {
        name = ca_text(ids->items[i], "value");

        if (!torii_str_eqs(ca_text(ids->items[i], "type"),
                           acme_name_is_ip(name) ? "ip" : "dns"))
        {
            ca_fault(ca, "the type of an identifier is wrong");
        }

        (void) snprintf(o->names[i], 256, "%.*s", torii_str_arg(name));

        o->authz[i].wildcard = torii_str_starts(name, "*.");
        o->authz[i].status = ca->is.reuse ? "valid" : "pending";

        if (o->authz[i].wildcard) {
            name.data += 2;
            name.len -= 2;
        }

        (void) snprintf(o->authz[i].name, 256, "%.*s", torii_str_arg(name));

        for (t = 0; t < CA_TYPES; t++) {
            (void) snprintf(o->authz[i].tokens[t], 64,
                            ca->is.token ? ca->is.token
                            : "token_%02u-%02u-%02u_0123456789abc",
                            ca->norders, i, t);
        }
    }

    (void) snprintf(ca->location, sizeof(ca->location), CA_URL "/order/%u",
                    ca->norders++);

    res->status = 201;
    ca_order_text(ca, o, ca_order_status(ca, o));
}


static inline ca_order_t *
ca_order_of(ca_t *ca, ca_request_t *r, unsigned *second)
{
    uint64_t     id, n;
    torii_str_t  rest, piece;

    rest = r->path;
    n = 0;

    if (!torii_str_next(&rest, "/", &piece)
        || torii_str_uint(piece, CA_ORDERS, &id) != TORII_OK
        || id >= ca->norders
        || (torii_str_next(&rest, "/", &piece)
            && torii_str_uint(piece, CA_NAMES, &n) != TORII_OK)
        || (int) ca->orders[id].account != r->account)
    {
        return NULL;
    }

    *second = (unsigned) n;

    return &ca->orders[id];
}


static inline void
ca_order(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned     second;
    ca_order_t  *o;

    o = ca_order_of(ca, r, &second);

    if (o == NULL) {
        ca_problem(ca, res, 404, "malformed", NULL);
        return;
    }

    if (r->text.len) {
        ca_fault(ca, "the order was read with a payload");
    }

    if (o->polled && ca->now - o->polled < 100 && o->finalized) {
        ca_fault(ca, "the order was polled within 100 ms");
    }

    o->polled = ca->now;

    if (strcmp(o->status, "processing") == 0
        && o->polls++ >= ca->is.slow_order)
    {
        o->status = "valid";
    }

    res->status = 200;
    ca_order_text(ca, o, ca_order_status(ca, o));
}


static inline void
ca_challenge_text(ca_t *ca, ca_order_t *o, unsigned i, unsigned type)
{
    int          ours;
    ca_authz_t  *z;
    const char  *status;

    z = &o->authz[i];
    ours = z->posted == (int) type + 1;
    status = "pending";

    if (ours) {
        status = strcmp(z->status, "pending") == 0 ? "processing" : z->status;
    }

    torii_buf_printf(&ca->body, "{\"type\":\"%s\",\"status\":\"%s\",\"url\":\""
                     CA_URL "/challenge/%u/%u/%u\"", ca_types[type], status,
                     (unsigned) (o - ca->orders), i, type);

    if (type == ACME_CHALLENGE_DNS_PERSIST) {
        torii_buf_adds(&ca->body, ",\"issuer-domain-names\":[\"ca.example\"]");

    } else {
        torii_buf_adds(&ca->body, ",\"token\":");
        torii_buf_add_json(&ca->body, torii_str(z->tokens[type]));
    }

    if (ours && strcmp(z->status, "invalid") == 0) {
        torii_buf_printf(&ca->body, ",\"error\":{\"type\":\"" CA_ACME
                         "%s\",\"detail\":\"it\\u0007was \\u202ewrong\"}",
                         ca->is.failing_type ? ca->is.failing_type
                                             : "unauthorized");
    }

    torii_buf_adds(&ca->body, "}");
}


static inline void
ca_authz(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned     i, type, n;
    ca_order_t  *o;
    ca_authz_t  *z;

    o = ca_order_of(ca, r, &i);

    if (o == NULL || i >= o->n) {
        ca_problem(ca, res, 404, "malformed", NULL);
        return;
    }

    z = &o->authz[i];

    if (r->payload) {
        if (!torii_str_eqs(r->text, "{\"status\":\"deactivated\"}")) {
            ca_fault(ca, "an authorization was read with a payload");
        }

        z->status = "deactivated";
    }

    if (z->posted && strcmp(z->status, "pending") == 0
        && z->polls++ >= ca->is.slow_authz)
    {
        z->status = ca->is.failing && strcmp(ca->is.failing, o->names[i]) == 0
                    ? "invalid" : "valid";
    }

    torii_buf_printf(&ca->body, "{\"identifier\":{\"type\":\"%s\",\"value\":"
                     "\"%s\"},\"status\":\"%s\",%s\"challenges\":[",
                     acme_name_is_ip(torii_str(z->name)) ? "ip" : "dns",
                     ca->is.wrong_authz ? "victim.example" : z->name,
                     ca->is.authz_status ? ca->is.authz_status : z->status,
                     z->wildcard ? "\"wildcard\":true," : "");

    for (n = 0, type = CA_TYPES; type-- > 0; /* void */ ) {
        if (((ca->is.offers ? ca->is.offers : 7) & (1 << type))
            && (!z->wildcard || type >= ACME_CHALLENGE_DNS))
        {
            torii_buf_adds(&ca->body, n++ ? "," : "");
            ca_challenge_text(ca, o, i, type);
        }
    }

    torii_buf_adds(&ca->body, "]}");

    res->status = 200;
}


static inline int
ca_sees(ca_t *ca, ca_order_t *o, ca_authz_t *z, unsigned type)
{
    char            record[300], value[300];
    unsigned        i;
    torii_buf_t     text = { NULL, 0, 0 };
    unsigned char   digest[32];

    (void) snprintf(value, sizeof(value), "%s.%s", z->tokens[type],
                    ca->accounts[o->account].thumbprint);
    (void) snprintf(record, sizeof(record), "%s", z->name);

    EVP_Digest(value, strlen(value), digest, NULL, EVP_sha256(), NULL);

    if (type == ACME_CHALLENGE_DNS) {
        torii_base64url_add(&text, digest, 32);
        (void) snprintf(value, sizeof(value), "%.*s", (int) text.len,
                        (char *) text.data);
        (void) snprintf(record, sizeof(record), "_acme-challenge.%s", z->name);
        torii_buf_free(&text);

    } else if (type == ACME_CHALLENGE_DNS_PERSIST) {
        (void) snprintf(value, sizeof(value), "ca.example; accounturi=" CA_URL
                        "/account/%u%s", o->account,
                        z->wildcard ? "; policy=wildcard" : "");
        (void) snprintf(record, sizeof(record), "_validation-persist.%s",
                        z->name);
    }

    for (i = 0; i < ca->nseen; i++) {
        if (ca->seen[i].type == (int) type
            && strcmp(ca->seen[i].record, record) == 0
            && strcmp(ca->seen[i].value, value) == 0
            && (type == ACME_CHALLENGE_DNS_PERSIST
                || memcmp(ca->seen[i].digest, digest, 32) == 0))
        {
            return 1;
        }
    }

    return 0;
}


static inline void
ca_challenge(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned     i, type;
    ca_order_t  *o;
    ca_authz_t  *z;

    o = ca_order_of(ca, r, &i);

    if (o == NULL || i >= o->n) {
        ca_problem(ca, res, 404, "malformed", NULL);
        return;
    }

    type = r->path.data[r->path.len - 1] - '0';
    z = &o->authz[i];

    if (!torii_str_eqs(r->text, "{}")) {
        ca_fault(ca, "a challenge was not answered with {}");
    }

    z->posts++;

    if (z->posted) {
        ca_problem(ca, res, 400, "malformed", NULL);
        return;
    }

    z->posted = type + 1;

    /* all of an order can be seen, or none is asked for */

    for (i = 0; i < o->n; i++) {
        if (strcmp(o->authz[i].status, "pending") == 0
            && !ca_sees(ca, o, &o->authz[i], ACME_CHALLENGE_HTTP)
            && !ca_sees(ca, o, &o->authz[i], ACME_CHALLENGE_ALPN)
            && !ca_sees(ca, o, &o->authz[i], ACME_CHALLENGE_DNS)
            && !ca_sees(ca, o, &o->authz[i], ACME_CHALLENGE_DNS_PERSIST))
        {
            ca_fault(ca, "a challenge was answered that nobody sees");
        }
    }

    if (!ca_sees(ca, o, z, type)) {
        ca_fault(ca, "another challenge was presented");
    }

    ca_challenge_text(ca, o, (unsigned) (z - o->authz), type);
    (void) snprintf(ca->link, sizeof(ca->link), "<" CA_URL "/dir>;rel=\"index\""
                    ", <" CA_URL "/authz/0/0>;rel=\"up\"");

    res->status = 200;
}


static inline char *
ca_pem(X509 *leaf, X509 *intermediate)
{
    BIO   *bio;
    long   len;
    char  *p, *text;

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, leaf);
    BIO_puts(bio, "\n");
    PEM_write_bio_X509(bio, intermediate);

    len = BIO_get_mem_data(bio, &p);
    text = torii_malloc(len + 1);
    memcpy(text, p, len);
    text[len] = '\0';
    BIO_free(bio);

    return text;
}


static inline int
ca_issue(ca_t *ca, ca_order_t *o, torii_str_t der)
{
    int                   ok;
    X509                 *leaf;
    unsigned              i;
    EVP_PKEY             *key;
    X509_REQ             *csr;
    torii_buf_t           names = { NULL, 0, 0 };
    const unsigned char  *p;

    p = der.data;
    csr = d2i_X509_REQ(NULL, &p, (long) der.len);

    if (csr == NULL) {
        return 0;
    }

    key = X509_REQ_get_pubkey(csr);
    ok = X509_REQ_verify(csr, key) == 1;

    for (i = 0; i < o->n; i++) {
        torii_buf_printf(&names, "%s%s:%s", i ? "," : "",
                         acme_name_is_ip(torii_str(o->names[i])) ? "IP" : "DNS",
                         ca->is.wrong_names ? "other.example" : o->names[i]);
    }

    torii_buf_add(&names, "", 1);

    leaf = ca_certificate(key, NULL, ca->key, "Intermediate",
                          (char *) names.data, ca->now / 1000 - 3600,
                          ca->now / 1000 + 90 * 86400);

    o->chains[0] = ca_pem(leaf, ca->intermediate[0]);
    o->chains[1] = ca_pem(leaf, ca->intermediate[1]);

    X509_free(leaf);
    X509_REQ_free(csr);
    EVP_PKEY_free(key);
    torii_buf_free(&names);

    return ok;
}


static inline void
ca_finalize(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned      i;
    ca_order_t   *o;
    torii_str_t   der;

    o = ca_order_of(ca, r, &i);

    if (o == NULL) {
        ca_problem(ca, res, 404, "malformed", NULL);
        return;
    }

    if (strcmp(ca_order_status(ca, o), "ready") != 0) {
        ca_problem(ca, res, 403, "orderNotReady", NULL);
        return;
    }

    if (torii_base64url_decode(r->arena, ca_text(r->payload, "csr"), &der)
        != TORII_OK
        || !ca_issue(ca, o, der))
    {
        ca_fault(ca, "the CSR is wrong");
        ca_problem(ca, res, 400, "badCSR", NULL);
        return;
    }

    o->finalized++;
    o->polled = ca->now;
    o->status = "processing";
    res->status = 200;

    if (ca->is.poor_finalize) {
        return;
    }

    ca_order_text(ca, o, o->status);
}


static inline void
ca_download(ca_t *ca, ca_request_t *r, acme_response_t *res)
{
    unsigned     i;
    ca_order_t  *o;

    o = ca_order_of(ca, r, &i);

    if (o == NULL || strcmp(o->status, "valid") != 0) {
        ca_problem(ca, res, 404, "malformed", NULL);
        return;
    }

    if (r->text.len) {
        ca_fault(ca, "the certificate was read with a payload");
    }

    torii_buf_adds(&ca->body, o->chains[r->kind == CA_OTHER_CHAIN]);

    (void) snprintf(ca->link, sizeof(ca->link), "<" CA_URL "/dir>;rel=index%s",
                    !ca->is.other_chain ? ""
                    : ", </certificate/99>; title=\"a, b\"; rel=\"up alternate"
                      "\", <../other-chain/0>; rel=alternate, </other-chain/"
                      "0>; REL=alternate");

    res->status = 200;
    res->content_type = torii_str("application/pem-certificate-chain;"
                                  " charset=utf-8");
}


#endif /* _CA_MAKE_ORDER_H_INCLUDED_ */
