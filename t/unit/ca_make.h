
/*
 * For tests: a certification authority that speaks ACME, in memory, and is
 * strict.  What a client does against RFC 8555 ends in ca.fault; what the CA
 * shall do wrong is a table of ca_wrong_t.
 */

#ifndef _CA_MAKE_H_INCLUDED_
#define _CA_MAKE_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "acme_cert.h"
#include "acme_client.h"
#include "torii_tree.h"


#define CA_URL        "https://ca.example"
#define CA_NONCES     256
#define CA_ACCOUNTS   8
#define CA_ORDERS     64
#define CA_NAMES      8
#define CA_WRONGS     4
#define CA_TYPES      4

#define CA_ACME       "urn:ietf:params:acme:error:"


/* The kinds of requests, by the first part of the path. */

typedef enum {
    CA_DIRECTORY = 0,
    CA_NONCE,
    CA_REGISTER,
    CA_NEW_ORDER,
    CA_REVOKE,
    CA_KEY_CHANGE,
    CA_RENEWAL,
    CA_ACCOUNT,
    CA_ORDER,
    CA_AUTHZ,
    CA_CHALLENGE,
    CA_FINALIZE,
    CA_CERTIFICATE,
    CA_OTHER_CHAIN,
    CA_KINDS
} ca_kind_e;

/* From the nth (1 …) request of a kind on, so many times. */

typedef struct {
    ca_kind_e      kind;
    unsigned       nth;
    unsigned       times;
    uint32_t       status;      /* 0: no answer */
    int            done;        /* but it is done */
    const char    *type;        /* of the problem */
    const char    *more;        /* of the problem: ",\"instance\":…" */
    const char    *retry_after;
    const char    *body;        /* instead */
    const char    *content_type;
} ca_wrong_t;

typedef struct {
    EVP_PKEY      *key;
    char           thumbprint[64];
    const char    *status;
} ca_account_t;

typedef struct {
    char           name[256];
    int            wildcard;
    const char    *status;
    int            posted;      /* type + 1 */
    unsigned       posts;
    unsigned       polls;
    char           tokens[CA_TYPES][64];
} ca_authz_t;

typedef struct {
    unsigned       account;
    const char    *status;
    unsigned       n;
    char           names[CA_NAMES][256];
    ca_authz_t     authz[CA_NAMES];
    unsigned       finalized;
    unsigned       polls;
    uint64_t       polled;
    char          *chains[2];
} ca_order_t;

/* What can be seen from outside. */

typedef struct {
    char           record[300]; /* DNS; or the identifier */
    char           value[300];  /* of the record; or the answer's body */
    unsigned char  digest[32];
    int            type;
} ca_seen_t;

/* How it behaves. */

typedef struct {
    unsigned           bad_nonces;      /* % */
    unsigned           slow_authz;      /* polls until it is final */
    unsigned           slow_order;      /* polls until it is issued */
    unsigned           offers;          /* 1 << acme_challenge_e */
    unsigned           reuse;           /* authorizations are valid at once */
    unsigned           other_chain;
    unsigned           no_ari;
    unsigned           wrong_names;     /* in the certificate */
    unsigned           wrong_authz;
    unsigned           no_expiry;
    unsigned           poor_finalize;   /* its answer has no body */
    const char        *token;           /* instead of a good one */
    const char        *terms;
    const char        *eab_key;         /* required, with kid "kid-1" */
    const char        *failing;         /* this name's validation fails … */
    const char        *failing_type;    /* … in this way */
    const char        *authz_status;    /* of all that is read */
    ca_wrong_t         wrong[CA_WRONGS];
} ca_ways_t;

typedef struct {
    ca_ways_t          is;

    /* what it has */
    char               nonces[CA_NONCES][24];
    unsigned           last_nonce;
    ca_account_t       accounts[CA_ACCOUNTS];
    unsigned           naccounts;
    ca_order_t         orders[CA_ORDERS];
    unsigned           norders;
    ca_seen_t          seen[CA_NAMES * CA_TYPES];
    unsigned           nseen;
    unsigned           counts[CA_KINDS];
    EVP_PKEY          *key;             /* of the intermediate */
    X509              *intermediate[2];
    EVP_PKEY          *revoked_by;
    uint64_t           seed;
    uint64_t           now;
    char               last_payload[2048];  /* by the last newAccount */
    char               order_payload[2048];
    char               fault[300];

    /* the answer */
    torii_buf_t        body;
    char               nonce[24];
    char               location[300];
    char               link[600];
    char               retry_after[64];
} ca_t;

typedef struct {
    torii_arena_t     *arena;
    torii_str_t        url;
    torii_str_t        path;            /* behind the kind */
    ca_kind_e          kind;
    torii_node_t      *payload;         /* NULL: POST-as-GET */
    torii_str_t        text;            /* of the payload */
    EVP_PKEY          *jwk;
    torii_str_t        jwk_text;
    int                account;         /* of kid, -1: signed by jwk */
} ca_request_t;


static const char *const  ca_kinds[CA_KINDS] = {
    "dir", "nonce", "register", "new-order", "revoke", "key-change",
    "renewal", "account", "order", "authz", "challenge", "finalize",
    "certificate", "other-chain"
};

static const char *const  ca_types[CA_TYPES] = {
    "http-01", "tls-alpn-01", "dns-01", "dns-persist-01"
};

static const torii_tree_limits_t  ca_limits = { 1 << 20, 20000, 16 };


static inline void
ca_fault(ca_t *ca, const char *text)
{
    if (ca->fault[0] == '\0') {
        (void) snprintf(ca->fault, sizeof(ca->fault), "%s", text);
    }
}


static inline unsigned
ca_random(ca_t *ca, unsigned n)
{
    ca->seed = ca->seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return (unsigned) (ca->seed >> 33) % n;
}


static inline torii_str_t
ca_text(const torii_node_t *map, const char *key)
{
    torii_node_t  *node;

    node = torii_node_get(map, key);

    return node && node->type == TORII_NODE_STRING ? node->text
                                                   : torii_str("");
}


static inline X509 *
ca_certificate(EVP_PKEY *key, const char *name, EVP_PKEY *issuer_key,
    const char *issuer, const char *names, int64_t from, int64_t to)
{
    X509            *x;
    X509_NAME       *n;
    X509V3_CTX       ctx;
    X509_EXTENSION  *ext;

    x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 4711);
    ASN1_TIME_set(X509_getm_notBefore(x), from);
    ASN1_TIME_set(X509_getm_notAfter(x), to);
    X509_set_pubkey(x, key);

    n = X509_get_subject_name(x);
    if (name) {
        X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC,
                                   (unsigned char *) name, -1, -1, 0);
    }

    n = X509_NAME_new();
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (unsigned char *) issuer,
                               -1, -1, 0);
    X509_set_issuer_name(x, n);
    X509_NAME_free(n);

    X509V3_set_ctx_nodb(&ctx);
    ext = names ? X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, names)
                : X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints,
                                      "critical,CA:TRUE");
    X509_add_ext(x, ext, -1);
    X509_EXTENSION_free(ext);

    X509_sign(x, issuer_key, EVP_sha256());

    return x;
}


static inline void
ca_start(ca_t *ca, uint64_t now)
{
    EVP_PKEY  *root;

    memset(ca, 0, sizeof(ca_t));

    ca->seed = 1;
    ca->now = now;
    ca->key = EVP_EC_gen("P-256");

    root = EVP_EC_gen("P-256");

    ca->intermediate[0] = ca_certificate(ca->key, "Intermediate", root,
                                         "Root", NULL, now / 1000 - 86400,
                                         now / 1000 + 86400 * 3650);
    ca->intermediate[1] = ca_certificate(ca->key, "Intermediate", root,
                                         "Other Root", NULL,
                                         now / 1000 - 86400,
                                         now / 1000 + 86400 * 3650);
    EVP_PKEY_free(root);
}


static inline void
ca_stop(ca_t *ca)
{
    unsigned  i;

    for (i = 0; i < ca->naccounts; i++) {
        EVP_PKEY_free(ca->accounts[i].key);
    }

    for (i = 0; i < ca->norders; i++) {
        free(ca->orders[i].chains[0]);
        free(ca->orders[i].chains[1]);
    }

    EVP_PKEY_free(ca->key);
    EVP_PKEY_free(ca->revoked_by);
    X509_free(ca->intermediate[0]);
    X509_free(ca->intermediate[1]);
    torii_buf_free(&ca->body);
}


/* What the challenge's answerers show; all at once, as the client wants it. */

static inline void
ca_present(ca_t *ca, const acme_challenge_t *challenges, uint32_t n)
{
    uint32_t                 i;
    ca_seen_t               *s;
    const acme_challenge_t  *ch;

    ca->nseen = 0;

    for (i = 0; i < n && i < CA_NAMES * CA_TYPES; i++) {
        ch = &challenges[i];
        s = &ca->seen[ca->nseen++];

        s->type = ch->type;
        memcpy(s->digest, ch->digest, 32);

        (void) snprintf(s->record, sizeof(s->record), "%.*s",
                        torii_str_arg(ch->type >= ACME_CHALLENGE_DNS
                                      ? ch->record : ch->identifier));
        (void) snprintf(s->value, sizeof(s->value), "%.*s",
                        torii_str_arg(ch->type >= ACME_CHALLENGE_DNS
                                      ? ch->value : ch->key_auth));
    }
}


static inline void
ca_problem(ca_t *ca, acme_response_t *res, uint32_t status, const char *type,
    const char *more)
{
    ca->body.len = 0;
    ca->location[0] = '\0';
    ca->link[0] = '\0';
    ca->retry_after[0] = '\0';

    torii_buf_printf(&ca->body, "{\"type\":\"" CA_ACME "%s\",\"detail\":"
                     "\"the reason of %s\"%s}", type, type, more ? more : "");

    res->status = status;
    res->content_type = torii_str("application/problem+json");
}


static inline EVP_PKEY *
ca_jwk(torii_arena_t *a, const torii_node_t *jwk)
{
    EVP_PKEY       *key;
    OSSL_PARAM      params[3];
    torii_str_t     x, y;
    EVP_PKEY_CTX   *ctx;
    unsigned char   point[65];

    if (!torii_str_eqs(ca_text(jwk, "kty"), "EC")
        || !torii_str_eqs(ca_text(jwk, "crv"), "P-256") || jwk->n != 4
        || torii_base64url_decode(a, ca_text(jwk, "x"), &x) != TORII_OK
        || torii_base64url_decode(a, ca_text(jwk, "y"), &y) != TORII_OK
        || x.len != 32 || y.len != 32)
    {
        return NULL;
    }

    point[0] = 4;
    memcpy(point + 1, x.data, 32);
    memcpy(point + 33, y.data, 32);

    params[0] = OSSL_PARAM_construct_utf8_string("group", "prime256v1", 0);
    params[1] = OSSL_PARAM_construct_octet_string("pub", point, 65);
    params[2] = OSSL_PARAM_construct_end();

    key = NULL;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    if (EVP_PKEY_fromdata_init(ctx) <= 0
        || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
    {
        key = NULL;
    }

    EVP_PKEY_CTX_free(ctx);

    return key;
}


static inline int
ca_verify(EVP_PKEY *key, torii_str_t input, torii_str_t sig)
{
    int             ok, len;
    EVP_MD_CTX     *ctx;
    ECDSA_SIG      *ec;
    unsigned char  *der;

    if (sig.len != 64) {
        return 0;
    }

    ec = ECDSA_SIG_new();
    ECDSA_SIG_set0(ec, BN_bin2bn(sig.data, 32, NULL),
                   BN_bin2bn(sig.data + 32, 32, NULL));
    der = NULL;
    len = i2d_ECDSA_SIG(ec, &der);
    ECDSA_SIG_free(ec);

    ctx = EVP_MD_CTX_new();
    ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
         && EVP_DigestVerify(ctx, der, len, input.data, input.len) == 1;

    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);

    return ok;
}


/* The parts of a JWS; TORII_ERROR: it is none. */

static inline int
ca_jws(torii_arena_t *a, const torii_node_t *doc, torii_node_t **header,
    torii_str_t *payload, torii_str_t *input, torii_str_t *sig)
{
    torii_str_t         text;
    torii_tree_error_t  error;

    *input = torii_arena_printf(a, "%.*s.%.*s",
                                torii_str_arg(ca_text(doc, "protected")),
                                torii_str_arg(ca_text(doc, "payload")));

    return doc->type == TORII_NODE_MAP && doc->n == 3
           && torii_node_get(doc, "payload")
           && torii_base64url_decode(a, ca_text(doc, "protected"), &text)
              == TORII_OK
           && torii_base64url_decode(a, ca_text(doc, "payload"), payload)
              == TORII_OK
           && torii_base64url_decode(a, ca_text(doc, "signature"), sig)
              == TORII_OK
           && torii_tree_json(a, text, &ca_limits, header, &error) == TORII_OK
           ? TORII_OK : TORII_ERROR;
}


static inline int
ca_take_nonce(ca_t *ca, torii_str_t nonce)
{
    unsigned  i;

    for (i = 0; i < CA_NONCES; i++) {
        if (ca->nonces[i][0] && torii_str_eqs(nonce, ca->nonces[i])) {
            ca->nonces[i][0] = '\0';
            return ca->is.bad_nonces == 0
                   || ca_random(ca, 100) >= ca->is.bad_nonces;
        }
    }

    return 0;
}


static inline int
ca_find_account(ca_t *ca, torii_str_t kid)
{
    unsigned  i;
    char      url[64];

    for (i = 0; i < ca->naccounts; i++) {
        (void) snprintf(url, sizeof(url), CA_URL "/account/%u", i);

        if (ca->accounts[i].key && torii_str_eqs(kid, url)) {
            return i;
        }
    }

    return -1;
}


/* TORII_OK, or *res is an answer. */

static inline int
ca_authenticate(ca_t *ca, const acme_request_t *req, ca_request_t *r,
    acme_response_t *res)
{
    int                  jwk;
    EVP_PKEY            *key;
    torii_str_t          payload, input, sig;
    torii_node_t        *doc, *header;
    torii_tree_error_t   error;

    if (torii_tree_json(r->arena, req->body, &ca_limits, &doc, &error)
        != TORII_OK
        || ca_jws(r->arena, doc, &header, &payload, &input, &sig) != TORII_OK)
    {
        ca_fault(ca, "the body is no JWS");
        ca_problem(ca, res, 400, "malformed", NULL);
        return TORII_ERROR;
    }

    jwk = torii_node_get(header, "jwk") != NULL;

    if (!torii_str_eqs(ca_text(header, "alg"), "ES256")
        || !torii_str_eq(ca_text(header, "url"), r->url)
        || jwk == (torii_node_get(header, "kid") != NULL) || header->n != 4
        || (jwk && r->kind != CA_REGISTER && r->kind != CA_REVOKE)
        || (!jwk && r->kind == CA_REGISTER))
    {
        ca_fault(ca, "the header of the JWS is wrong");
    }

    r->text = torii_arena_str(r->arena, payload);

    if (payload.len && (torii_tree_json(r->arena, payload, &ca_limits,
                                        &r->payload, &error) != TORII_OK
                        || r->payload->type != TORII_NODE_MAP))
    {
        ca_fault(ca, "the payload is no JSON object");
    }

    if (!ca_take_nonce(ca, ca_text(header, "nonce"))) {
        ca_problem(ca, res, 400, "badNonce", NULL);
        return TORII_ERROR;
    }

    r->account = -1;

    if (jwk) {
        r->jwk = ca_jwk(r->arena, torii_node_get(header, "jwk"));
        key = r->jwk;

    } else {
        r->account = ca_find_account(ca, ca_text(header, "kid"));

        if (r->account < 0) {
            ca_problem(ca, res, 400, "accountDoesNotExist", NULL);
            return TORII_ERROR;
        }

        key = ca->accounts[r->account].key;
    }

    if (key == NULL || !ca_verify(key, input, sig)) {
        ca_fault(ca, "the signature is wrong");
        ca_problem(ca, res, 400, "malformed", NULL);
        return TORII_ERROR;
    }

    if (r->account >= 0
        && strcmp(ca->accounts[r->account].status, "valid") != 0)
    {
        ca_problem(ca, res, 401, "unauthorized", NULL);
        return TORII_ERROR;
    }

    return TORII_OK;
}


#endif /* _CA_MAKE_H_INCLUDED_ */
