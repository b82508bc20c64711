
/*
 * For tests of the scheduler: a CA with as many orders as one likes, limits
 * like Let's Encrypt's and outages, and an owner who keeps files and
 * certificates; all answer at once, time is a parameter.  What the protocol
 * demands is checked by ca_make.h, not here.
 */

#ifndef _ACME_WORLD_H_INCLUDED_
#define _ACME_WORLD_H_INCLUDED_


#include <stdio.h>
#include <stdlib.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "acme.h"
#include "acme_cert.h"
#include "acme_date.h"
#include "torii_tree.h"


#define WORLD_NOW    1795359600000ULL       /* 2026-11-22T15:00:00Z */
#define WORLD_URL    "https://ca.test"
#define WORLD_CAS    2
#define WORLD_NAMES  4
#define WORLD_RESAY  60000                  /* ms after a certificate */
#define WORLD_KEYS   8                      /* that are made at a time */

#define SECOND       1000ULL
#define MINUTE       60000ULL
#define HOUR         3600000ULL
#define DAY          86400000ULL

#define HTTP         (ACME_CHALLENGE_HTTP + 1)
#define ALPN         (ACME_CHALLENGE_ALPN + 1)
#define DNS          (ACME_CHALLENGE_DNS + 1)
#define PERSIST      (ACME_CHALLENGE_DNS_PERSIST + 1)

#define WORLD_RECORDS  4


typedef struct {
    char            names[WORLD_NAMES][128];
    uint32_t        n;
    uint64_t        set;
    uint64_t        expires;
    const char     *status;
    const char     *authz[WORLD_NAMES];
    int             type[WORLD_NAMES];      /* that failed */
    torii_buf_t     chain;
} world_order_t;

typedef struct {
    uint64_t        key;
    uint64_t        full;
} world_limit_t;

typedef struct {
    EVP_PKEY       *key;
    torii_str_t     chain;
    uint64_t        life;                   /* s */

    /* what it does wrong */
    int             status;                 /* of all, 0: none; -1: no answer */
    const char     *retry_after;
    const char     *refuse;                 /* problem type of newOrder */
    const char     *detail;
    uint32_t        refuse_status;
    const char     *failing;                /* names that contain this … */
    int             failing_type;           /* … by this type; 0: any */
    const char     *window;                 /* body of renewalInfo */
    int             forgetful;              /* no older order is given again */
    int             persist;                /* dns-persist-01 is offered */
    const char     *caa;                    /* caaIdentities, JSON */

    world_order_t  *orders;
    uint32_t        norders;
    world_limit_t   account;
    world_limit_t  *limits;                 /* of sets and names */
    uint32_t        nlimits;
    uint32_t        accounts;
    uint32_t        requests;
    uint32_t        asked;                  /* newOrder */
    uint32_t        replaced;               /* of them with "replaces" */
    uint32_t        limited;                /* refused by its limits */
    uint32_t        issued;
    uint32_t        polls;                  /* renewalInfo */
} world_ca_t;

typedef struct {
    char            name[256];
    torii_buf_t     data;
} world_file_t;

typedef struct {
    char            id[64];
    const char     *names;                  /* blank-separated */
    const char     *issuers;
    uint8_t         types[4];
    const char     *solver;
    acme_want_t     want;                   /* flags and spans */
    torii_buf_t     chain;
    torii_buf_t     key;
    torii_str_t     given_chain;            /* shared, not owned */
    torii_str_t     given_key;
    int             asked;
    uint32_t        presented;
} world_want_t;

typedef struct {
    uint32_t          ticket;
    torii_key_type_e  type;
    uint64_t          due;
} world_key_t;

typedef struct {
    acme_t         *acme;
    acme_conf_t     conf;
    uint64_t        now;
    uint64_t        seed;
    world_ca_t      ca[WORLD_CAS];
    acme_issuer_conf_t  issuers[5];
    uint32_t        nissuers;
    torii_buf_t     account_key[5];
    world_want_t   *wants;
    uint32_t        nwants;
    world_file_t   *files;
    uint32_t        nfiles;
    uint64_t        resay;
    int             disk_full;
    int             full_then;              /* when something is issued */
    int             present_fails;
    uint64_t        key_time;               /* ms, to make one; 0: at once */
    uint32_t        key_fails;              /* so many cannot be made */
    world_key_t     keys[WORLD_KEYS];       /* being made, in order */
    uint32_t        nkeys;
    uint32_t        most_keys;              /* at once */
    uint32_t        made;                   /* KEY */
    const char     *records[WORLD_RECORDS]; /* "name value", in DNS */
    const char     *look_error;
    uint32_t        looks;                  /* LOOK */
    uint32_t        visits[ACME_CHALLENGE_MAX + 1];     /* that are seen of
                                               a validation */
    uint32_t        budget;                 /* actions until it ends, 0: none */
    int             half;                   /* the last one is done, not told */
    int             dies;                   /* when an order was asked for */
    uint32_t        steps;
    uint32_t        most;                   /* orders in flight */
    uint32_t        shown;                  /* PRESENT less WITHDRAW */
    uint32_t        kept;                   /* CERTIFICATE */
    uint32_t        events[16];
    char            last_event[1024];
    char            fault[256];
    torii_buf_t     body;
    char            location[200];
    char            retry[32];
} world_t;


static const char *const  world_reasons[] = {
    "Issuing", "Issued", "Failed", "RateLimited", "BadConfig", "Adopted",
    "WindowMoved", "ClockSkew", "Revoked", "RolledOver", "RecordMissing", NULL
};

static const torii_tree_limits_t  world_limits = { 1 << 20, 20000, 16 };


static inline uint32_t
world_events(const world_t *w, const char *reason)
{
    uint32_t  i;

    for (i = 0; world_reasons[i] != NULL; i++) {
        if (strcmp(world_reasons[i], reason) == 0) {
            return w->events[i];
        }
    }

    return 0;
}


/* A token bucket; the seconds until it has n, which are taken; 0: at once. */

static inline uint64_t
world_take(world_limit_t *l, uint32_t burst, uint64_t interval, uint64_t now,
    uint32_t n)
{
    if (l->full < now) {
        l->full = now;
    }

    if (l->full - now > (burst - 1) * interval) {
        return (l->full - now - (burst - 1) * interval) / 1000 + 1;
    }

    l->full += n * interval;

    return 0;
}


static inline world_limit_t *
world_limit(world_ca_t *ca, uint64_t key)
{
    uint32_t  i;

    for (i = 0; i < ca->nlimits; i++) {
        if (ca->limits[i].key == key) {
            return &ca->limits[i];
        }
    }

    ca->limits = realloc(ca->limits, (i + 1) * sizeof(world_limit_t));
    ca->limits[i].key = key;
    ca->limits[i].full = 0;
    ca->nlimits++;

    return &ca->limits[i];
}


static inline void
world_ca_start(world_ca_t *ca, uint64_t now)
{
    X509            *x;
    BIO             *bio;
    char            *text;
    long             len;
    X509_NAME       *name;
    X509V3_CTX       ctx;
    X509_EXTENSION  *ext;
    unsigned         i;

    static const struct { int nid; const char *value; }  exts[] = {
        { NID_basic_constraints, "critical,CA:TRUE" },
        { NID_key_usage, "critical,keyCertSign" },
        { NID_subject_key_identifier, "hash" }
    };

    memset(ca, 0, sizeof(world_ca_t));

    ca->key = torii_key_generate(TORII_KEY_EC_P256);
    ca->life = 90 * 86400;

    x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    ASN1_TIME_set(X509_getm_notBefore(x), (time_t) (now / 1000) - 86400);
    ASN1_TIME_set(X509_getm_notAfter(x), (time_t) (now / 1000) + 864000000);
    X509_set_pubkey(x, ca->key);
    name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (unsigned char *) "World", -1, -1, 0);
    X509_set_issuer_name(x, name);

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);

    for (i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
        ext = X509V3_EXT_conf_nid(NULL, &ctx, exts[i].nid, exts[i].value);
        X509_add_ext(x, ext, -1);
        X509_EXTENSION_free(ext);
    }

    X509_sign(x, ca->key, EVP_sha256());

    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    len = BIO_get_mem_data(bio, &text);
    ca->chain.data = malloc(len);
    ca->chain.len = len;
    memcpy(ca->chain.data, text, len);
    BIO_free(bio);
    X509_free(x);
}


static inline void
world_ca_stop(world_ca_t *ca)
{
    uint32_t  i;

    for (i = 0; i < ca->norders; i++) {
        torii_buf_free(&ca->orders[i].chain);
    }

    free(ca->orders);
    free(ca->limits);
    free(ca->chain.data);
    EVP_PKEY_free(ca->key);
}


/* A certificate for a key and blank-separated names, by the CA or itself. */

static inline void
world_sign(world_ca_t *ca, EVP_PKEY *key, torii_str_t list, int64_t from,
    int64_t to, torii_buf_t *pem)
{
    char          error[256];
    torii_str_t   names[WORLD_NAMES], piece, none;
    acme_names_t  all;

    none = torii_str("");
    all.names = names;
    all.n = 0;

    while (torii_str_next(&list, " ", &piece)) {
        names[all.n++] = piece;
    }

    pem->len = 0;

    if (acme_sign(key, &all, none, from, to, ca->chain, ca->key, pem, error)
        != TORII_OK)
    {
        fprintf(stderr, "acme_sign(): %s\n", error);
        abort();
    }
}


static inline torii_str_t
world_str(const torii_buf_t *b)
{
    torii_str_t  s;

    s.data = b->data;
    s.len = b->len;

    return s;
}


static inline void
world_problem(world_t *w, acme_response_t *res, uint32_t status,
    const char *type, const char *name, const char *detail)
{
    w->body.len = 0;
    torii_buf_printf(&w->body, "{\"type\":\"urn:ietf:params:acme:error:%s\","
                     "\"status\":%u,\"detail\":", type, status);
    torii_buf_add_json(&w->body, torii_str(detail));

    if (name != NULL) {
        torii_buf_printf(&w->body, ",\"identifier\":{\"type\":\"dns\","
                         "\"value\":\"%s\"}", name);
    }

    torii_buf_adds(&w->body, "}");

    res->status = status;
    res->content_type = torii_str("application/problem+json");
}


static inline void
world_wait(world_t *w, acme_response_t *res, uint64_t seconds,
    const char *detail)
{
    world_problem(w, res, 429, "rateLimited", NULL, detail);
    (void) snprintf(w->retry, sizeof(w->retry), "%llu",
                    (unsigned long long) seconds);
    res->retry_after = torii_str(w->retry);
}


static inline void
world_order_text(world_t *w, unsigned n, const world_order_t *o,
    uint32_t index)
{
    uint32_t  i;

    torii_buf_printf(&w->body, "{\"status\":\"%s\",\"expires\":\"", o->status);
    acme_date_rfc3339_add(&w->body, (int64_t) (o->expires / 1000));
    torii_buf_printf(&w->body, "\",\"finalize\":\"" WORLD_URL "%u/fin/%u\","
                     "\"authorizations\":[", n, index);

    for (i = 0; i < o->n; i++) {
        torii_buf_printf(&w->body, "%s\"" WORLD_URL "%u/authz/%u/%u\"",
                         i ? "," : "", n, index, i);
    }

    torii_buf_adds(&w->body, "]");

    if (strcmp(o->status, "valid") == 0) {
        torii_buf_printf(&w->body, ",\"certificate\":\"" WORLD_URL
                         "%u/cert/%u\"", n, index);
    }

    torii_buf_adds(&w->body, "}");
}


/* Names of the order; the sum of their hashes is the same in any order. */

static inline void
world_order_names(world_order_t *o, const torii_node_t *payload)
{
    uint32_t       i;
    torii_node_t  *list, *value;

    list = torii_node_get(payload, "identifiers");

    for (i = 0; list != NULL && i < list->n && i < WORLD_NAMES; i++) {
        value = torii_node_get(list->items[i], "value");
        (void) snprintf(o->names[i], sizeof(o->names[i]), "%.*s",
                        torii_str_arg(value->text));
        o->set += torii_hash(value->text.data, value->text.len, 5);
        o->authz[i] = "pending";
        o->n++;
    }
}


static inline void
world_new_order(world_t *w, unsigned n, const torii_node_t *payload,
    acme_response_t *res)
{
    uint32_t        i;
    uint64_t        wait;
    world_ca_t     *ca;
    world_order_t   o;

    ca = &w->ca[n];
    ca->asked++;
    ca->replaced += (torii_node_get(payload, "replaces") != NULL);

    if (ca->refuse != NULL) {
        world_problem(w, res, ca->refuse_status, ca->refuse, NULL, ca->detail);
        res->retry_after = torii_str(ca->retry_after);
        return;
    }

    memset(&o, 0, sizeof(o));
    world_order_names(&o, payload);
    o.status = "pending";
    o.expires = w->now + 7 * DAY;

    for (i = ca->norders; i > 0; i--) {

        /* an older one that is like it */

        if (!ca->forgetful && ca->orders[i - 1].set == o.set
            && strcmp(ca->orders[i - 1].status, "pending") == 0)
        {
            break;
        }
    }

    if (i == 0) {
        if (torii_node_get(payload, "replaces") == NULL) {
            wait = world_take(&ca->account, 300, 36 * SECOND, w->now, 1);

            if (wait) {
                ca->limited++;
                world_wait(w, res, wait, "too many new orders (300) from this "
                           "account in the last 3h0m0s");
                return;
            }

            wait = world_take(world_limit(ca, o.set), 5, 34 * HOUR, w->now,
                              0);

            if (wait) {
                ca->limited++;
                world_wait(w, res, wait, "too many certificates (5) already "
                           "issued for this exact set of identifiers in the "
                           "last 168h0m0s");
                return;
            }
        }

        ca->orders = realloc(ca->orders,
                             (ca->norders + 1) * sizeof(world_order_t));
        ca->orders[ca->norders++] = o;
        i = ca->norders;
    }

    world_order_text(w, n, &ca->orders[i - 1], i - 1);
    (void) snprintf(w->location, sizeof(w->location), WORLD_URL "%u/order/%u",
                    n, i - 1);
    res->location = torii_str(w->location);
    res->status = 201;
}


static inline void
world_authz(world_t *w, unsigned n, uint32_t index, uint32_t i,
    const torii_node_t *payload, acme_response_t *res)
{
    int             wild;
    uint32_t        t;
    world_order_t  *o;

    static const char *const  types[] = {
        "http-01", "tls-alpn-01", "dns-01", "dns-persist-01"
    };

    o = &w->ca[n].orders[index];

    if (torii_node_get(payload, "status") != NULL) {
        o->authz[i] = "deactivated";
        o->status = "invalid";
    }

    wild = (strncmp(o->names[i], "*.", 2) == 0);

    torii_buf_printf(&w->body, "{\"identifier\":{\"type\":\"%s\",\"value\":"
                     "\"%s\"},\"status\":\"%s\",%s\"challenges\":[",
                     acme_name_is_ip(torii_str(o->names[i])) ? "ip" : "dns",
                     o->names[i] + 2 * wild, o->authz[i],
                     wild ? "\"wildcard\":true," : "");

    for (t = wild ? 2 : 0; t < 3 + (w->ca[n].persist != 0); t++) {
        torii_buf_printf(&w->body, "%s{\"type\":\"%s\",\"url\":\"" WORLD_URL
                         "%u/chal/%u/%u/%u\",\"status\":\"%s\",",
                         t > (wild ? 2 : 0) ? "," : "", types[t], n, index, i,
                         t + 1,
                         strcmp(o->authz[i], "invalid") == 0
                         && o->type[i] == (int) t + 1 ? "invalid" : "pending");

        if (t == ACME_CHALLENGE_DNS_PERSIST) {
            torii_buf_printf(&w->body, "\"issuer-domain-names\":[\"ca.test\","
                             "\"other.test\"],\"accounturi\":\"" WORLD_URL
                             "%u/acct/1\"", n);

        } else {
            torii_buf_printf(&w->body,
                             "\"token\":\"token-%010u-%04u-%04u-of-the-world\"",
                             index, i, t);
        }

        if (strcmp(o->authz[i], "invalid") == 0 && o->type[i] == (int) t + 1) {
            torii_buf_adds(&w->body, ",\"error\":{\"type\":\"urn:ietf:params:"
                           "acme:error:unauthorized\",\"status\":403,"
                           "\"detail\":\"it answered 404\"}");
        }

        torii_buf_adds(&w->body, "}");
    }

    torii_buf_adds(&w->body, "]}");
    res->status = 200;
}


/* A validator comes, as far as the gateway sees. */

static inline void
world_visit(world_t *w, const char *name, int type)
{
    uint32_t  i;

    for (i = 0; i < w->nwants && w->visits[type]; i++) {
        if (strstr(w->wants[i].names, name) != NULL) {
            acme_seen(w->acme, w->now, torii_str(w->wants[i].id),
                      (acme_challenge_e) (type - 1), torii_str(name),
                      w->visits[type], (w->visits[type] + 1) / 2);
        }
    }
}


/* Is it there, exactly as it should be said to people? */

static inline int
world_persists(const world_t *w, unsigned n, const char *name)
{
    int       wild;
    char      line[512];
    uint32_t  i;

    wild = (strncmp(name, "*.", 2) == 0);

    (void) snprintf(line, sizeof(line), "_validation-persist.%s ca.test; "
                    "accounturi=" WORLD_URL "%u/acct/1%s", name + 2 * wild, n,
                    wild ? "; policy=wildcard" : "");

    for (i = 0; i < WORLD_RECORDS; i++) {
        if (w->records[i] != NULL
            && strncmp(w->records[i], line, strlen(line)) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static inline void
world_challenge(world_t *w, unsigned n, uint32_t index, uint32_t i, int type,
    acme_response_t *res)
{
    uint32_t        j, ready;
    uint64_t        key;
    world_ca_t     *ca;
    world_order_t  *o;

    ca = &w->ca[n];
    o = &ca->orders[index];

    world_visit(w, o->names[i], type);

    if (w->shown == 0) {
        (void) snprintf(w->fault, sizeof(w->fault),
                        "a challenge that nobody answers");
    }

    if ((ca->failing != NULL && strstr(o->names[i], ca->failing) != NULL
         && (ca->failing_type == 0 || ca->failing_type == type))
        || (type == PERSIST && !world_persists(w, n, o->names[i])))
    {
        key = torii_hash(o->names[i], strlen(o->names[i]), 6);
        ca->limited += (world_take(world_limit(ca, key), 5, 12 * MINUTE, w->now,
                                   1)
                        != 0);
        o->authz[i] = "invalid";
        o->status = "invalid";
        o->type[i] = type;

    } else {
        o->authz[i] = "valid";
    }

    for (j = 0, ready = 0; j < o->n; j++) {
        ready += (strcmp(o->authz[j], "valid") == 0);
    }

    if (ready == o->n && strcmp(o->status, "pending") == 0) {
        o->status = "ready";
    }

    torii_buf_adds(&w->body, "{\"status\":\"processing\"}");
    res->status = 200;
}


static inline void
world_finalize(world_t *w, unsigned n, uint32_t index,
    const torii_node_t *payload, acme_response_t *res)
{
    uint32_t              i;
    X509_REQ             *req;
    EVP_PKEY             *key;
    world_ca_t           *ca;
    torii_str_t           der, s;
    torii_buf_t           names = { NULL, 0, 0 };
    torii_arena_t        *a;
    world_order_t        *o;
    const unsigned char  *p;

    ca = &w->ca[n];
    o = &ca->orders[index];

    if (strcmp(o->status, "ready") != 0) {
        world_problem(w, res, 403, "orderNotReady", NULL, "not now");
        return;
    }

    a = torii_arena_create(4096);
    (void) torii_base64url_decode(a, torii_node_get(payload, "csr")->text,
                                  &der);
    p = der.data;
    req = d2i_X509_REQ(NULL, &p, (long) der.len);
    key = X509_REQ_get_pubkey(req);

    for (i = 0; i < o->n; i++) {
        torii_buf_printf(&names, "%s%s", i ? " " : "", o->names[i]);
    }

    s = world_str(&names);
    world_sign(ca, key, s, (int64_t) (w->now / 1000) - 3600,
               (int64_t) (w->now / 1000 + ca->life) - 3600, &o->chain);

    EVP_PKEY_free(key);
    X509_REQ_free(req);
    torii_buf_free(&names);
    torii_arena_destroy(a);

    (void) world_take(world_limit(ca, o->set), 5, 34 * HOUR, w->now, 1);
    o->status = "valid";
    ca->issued++;
    w->disk_full |= w->full_then;
    world_order_text(w, n, o, index);
    res->status = 200;
}


static inline void
world_directory(world_t *w, unsigned n)
{
    torii_buf_printf(&w->body,
        "{\"newNonce\":\"" WORLD_URL "%u/nonce\","
        "\"newAccount\":\"" WORLD_URL "%u/register\","
        "\"newOrder\":\"" WORLD_URL "%u/new\","
        "\"revokeCert\":\"" WORLD_URL "%u/revoke\","
        "\"keyChange\":\"" WORLD_URL "%u/key\","
        "\"renewalInfo\":\"" WORLD_URL "%u/ari\","
        "\"meta\":{\"caaIdentities\":%s,\"profiles\":{\"classic\":\"\"}}}", n,
        n, n, n, n, n, w->ca[n].caa ? w->ca[n].caa : "null");
}


static inline void
world_register(world_t *w, unsigned n, const torii_node_t *payload,
    acme_response_t *res)
{
    if (torii_node_get(payload, "onlyReturnExisting") != NULL
        && w->ca[n].accounts == 0)
    {
        world_problem(w, res, 400, "accountDoesNotExist", NULL, "no");
        return;
    }

    w->ca[n].accounts++;
    (void) snprintf(w->location, sizeof(w->location), WORLD_URL "%u/acct/1",
                    n);
    res->location = torii_str(w->location);
    torii_buf_adds(&w->body, "{\"status\":\"valid\"}");
    res->status = w->ca[n].accounts > 1 ? 200 : 201;
}


static inline void
world_route(world_t *w, unsigned n, const char *path,
    const torii_node_t *payload, acme_response_t *res)
{
    unsigned     i, j, k;
    world_ca_t  *ca;

    ca = &w->ca[n];
    res->status = 200;
    res->content_type = torii_str("application/json");

    if (strncmp(path, "dir", 3) == 0) {
        world_directory(w, n);

    } else if (strncmp(path, "register", 8) == 0) {
        world_register(w, n, payload, res);

    } else if (strncmp(path, "new", 3) == 0) {
        world_new_order(w, n, payload, res);

    } else if (sscanf(path, "order/%u", &i) == 1 && i < ca->norders) {
        world_order_text(w, n, &ca->orders[i], i);

    } else if (sscanf(path, "authz/%u/%u", &i, &j) == 2) {
        world_authz(w, n, i, j, payload, res);

    } else if (sscanf(path, "chal/%u/%u/%u", &i, &j, &k) == 3) {
        world_challenge(w, n, i, j, (int) k, res);

    } else if (sscanf(path, "fin/%u", &i) == 1) {
        world_finalize(w, n, i, payload, res);

    } else if (sscanf(path, "cert/%u", &i) == 1) {
        torii_buf_add_str(&w->body, world_str(&ca->orders[i].chain));
        res->content_type = torii_str("application/pem-certificate-chain");

    } else if (strncmp(path, "ari/", 4) == 0) {
        ca->polls++;
        torii_buf_adds(&w->body, ca->window ? ca->window : "{}");
        res->retry_after = torii_str("21600");

    } else {
        torii_buf_adds(&w->body, "{\"status\":\"valid\"}");
    }
}


static inline torii_node_t *
world_payload(torii_arena_t *a, torii_str_t body)
{
    torii_str_t          text;
    torii_node_t        *doc;
    torii_tree_error_t   error;

    if (body.len == 0
        || torii_tree_json(a, body, &world_limits, &doc, &error) != TORII_OK
        || torii_base64url_decode(a, torii_node_get(doc, "payload")->text,
                                  &text)
           != TORII_OK
        || text.len == 0
        || torii_tree_json(a, text, &world_limits, &doc, &error) != TORII_OK)
    {
        return NULL;
    }

    return doc;
}


static inline void
world_send(world_t *w, const acme_request_t *req)
{
    char             url[512], *path;
    unsigned         n;
    world_ca_t      *ca;
    torii_arena_t   *a;
    acme_response_t  res;

    (void) snprintf(url, sizeof(url), "%.*s", torii_str_arg(req->url));
    n = (unsigned) (url[strlen(WORLD_URL)] - '0');
    path = url + strlen(WORLD_URL) + 2;
    ca = &w->ca[n];
    ca->requests++;

    memset(&res, 0, sizeof(res));
    w->body.len = 0;

    if (ca->status == -1) {
        res.error = "connection refused";

    } else if (ca->status) {
        res.status = (uint32_t) ca->status;
        res.retry_after = torii_str(ca->retry_after);

    } else {
        a = torii_arena_create(4096);
        world_route(w, n, path, world_payload(a, req->body), &res);
        torii_arena_destroy(a);
        res.nonce = torii_str("nonce");
        res.body = world_str(&w->body);
    }

    acme_answer(w->acme, w->now, req->id, &res);
}


static inline void
world_keep_file(world_t *w, torii_str_t name, torii_str_t data)
{
    uint32_t  i;

    for (i = 0; i < w->nfiles; i++) {
        if (torii_str_eqs(name, w->files[i].name)) {
            break;
        }
    }

    if (i == w->nfiles) {
        w->files = realloc(w->files, (i + 1) * sizeof(world_file_t));
        memset(&w->files[i], 0, sizeof(world_file_t));
        (void) snprintf(w->files[i].name, sizeof(w->files[i].name), "%.*s",
                        torii_str_arg(name));
        w->nfiles++;
    }

    w->files[i].data.len = 0;
    torii_buf_add_str(&w->files[i].data, data);
}


static inline world_want_t *
world_want_of(world_t *w, torii_str_t id)
{
    uint32_t  i;

    for (i = 0; i < w->nwants; i++) {
        if (torii_str_eqs(id, w->wants[i].id)) {
            return &w->wants[i];
        }
    }

    return NULL;
}


static inline void
world_keep_certificate(world_t *w, const acme_action_t *act)
{
    world_want_t  *to;

    to = world_want_of(w, act->want);

    if (to == NULL) {
        return;
    }

    to->chain.len = 0;
    to->key.len = 0;
    torii_buf_add_str(&to->chain, act->chain);
    torii_buf_add_str(&to->key, act->key);
    w->kept++;
    w->resay = w->resay ? w->resay : w->now + WORLD_RESAY;
}


static inline void
world_keep_key(world_t *w, const acme_action_t *act)
{
    uint32_t  i;

    for (i = 0; i < w->nissuers; i++) {
        if (torii_str_eq(w->issuers[i].name, act->issuer)) {
            w->account_key[i].len = 0;
            torii_buf_add_str(&w->account_key[i], act->data);
        }
    }
}


static inline void
world_event(world_t *w, const acme_action_t *act)
{
    uint32_t  i;

    for (i = 0; world_reasons[i] != NULL; i++) {
        w->events[i] += (strcmp(world_reasons[i], act->reason) == 0);
    }

    (void) snprintf(w->last_event, sizeof(w->last_event), "%s %.*s: %.*s",
                    act->reason, torii_str_arg(act->want),
                    torii_str_arg(act->text));

    if (getenv("WORLD_TRACE") != NULL) {
        printf("# %llu %s\n",
               (unsigned long long) (w->now - WORLD_NOW) / 1000,
               w->last_event);
    }
}


/* An RSA key in its time, one after the other; any other at once. */

static inline void
world_ask_key(world_t *w, const acme_action_t *act)
{
    uint64_t      from;
    world_key_t  *k;

    w->made++;

    if (w->key_fails) {
        w->key_fails--;
        acme_key(w->acme, w->now, act->ticket, NULL);
        return;
    }

    if (w->key_time == 0 || act->key_type < TORII_KEY_RSA_2048) {
        acme_key(w->acme, w->now, act->ticket,
                 torii_key_generate(act->key_type));
        return;
    }

    if (w->nkeys == WORLD_KEYS) {
        (void) snprintf(w->fault, sizeof(w->fault), "too many keys at a time");
        return;
    }

    from = w->nkeys ? w->keys[w->nkeys - 1].due : w->now;

    k = &w->keys[w->nkeys++];
    k->ticket = act->ticket;
    k->type = act->key_type;
    k->due = from + w->key_time;

    w->most_keys = w->nkeys > w->most_keys ? w->nkeys : w->most_keys;
}


static inline void
world_give_keys(world_t *w)
{
    world_key_t  k;

    while (w->nkeys && w->keys[0].due <= w->now) {
        k = w->keys[0];
        memmove(w->keys, w->keys + 1, --w->nkeys * sizeof(world_key_t));
        acme_key(w->acme, w->now, k.ticket, torii_key_generate(k.type));
    }
}


static inline void
world_look(world_t *w, const acme_action_t *act)
{
    size_t         len;
    uint32_t       i, k;
    torii_str_t    values[WORLD_NAMES][WORLD_RECORDS];
    acme_found_t   found[WORLD_NAMES];

    memset(found, 0, sizeof(found));
    w->looks++;

    for (i = 0; i < act->n && i < WORLD_NAMES; i++) {
        found[i].values = values[i];
        found[i].error = w->look_error;
        len = act->records[i].len;

        for (k = 0; k < WORLD_RECORDS && !w->look_error; k++) {
            if (w->records[k] != NULL
                && strncmp(w->records[k], (char *) act->records[i].data, len)
                   == 0
                && w->records[k][len] == ' ')
            {
                values[i][found[i].n++] = torii_str(w->records[k] + len + 1);
            }
        }
    }

    acme_looked(w->acme, w->now, act->ticket, found);
}


/* 1: the process ends here. */

static inline int
world_do(world_t *w, const acme_action_t *act)
{
    int       last;
    uint32_t  asked;

    w->steps++;
    last = (w->budget && --w->budget == 0);

    if (last && !w->half) {
        return 1;
    }

    switch (act->what) {

    case ACME_DO_SEND:
        asked = w->ca[0].asked;
        world_send(w, &act->request);
        last |= (w->dies && w->ca[0].asked != asked);
        break;

    case ACME_DO_SAVE:
        if (!w->disk_full) {
            world_keep_file(w, act->name, act->data);
        }

        if (!last) {
            acme_saved(w->acme, w->now, act->ticket, !w->disk_full);
        }

        break;

    case ACME_DO_ACCOUNT:
        world_keep_key(w, act);

        if (!last) {
            acme_saved(w->acme, w->now, act->ticket, 1);
        }

        break;

    case ACME_DO_LOOK:
        if (!last) {
            world_look(w, act);
        }

        break;

    case ACME_DO_PRESENT:
        w->shown++;

        if (!last) {
            acme_presented(w->acme, w->now, act->ticket, !w->present_fails,
                           "the zone is not ours");
        }

        break;

    case ACME_DO_WITHDRAW:
        w->shown--;
        break;

    case ACME_DO_CERTIFICATE:
        if (!w->disk_full) {
            world_keep_certificate(w, act);
        }

        if (!last) {
            acme_saved(w->acme, w->now, act->ticket, !w->disk_full);
        }

        break;

    case ACME_DO_KEY:
        if (!last) {
            world_ask_key(w, act);
        }

        break;

    case ACME_DO_EVENT:
        world_event(w, act);
        break;
    }

    return last;
}


static inline void
world_say_want(world_t *w, world_want_t *from)
{
    uint32_t          i;
    acme_want_t       want;
    torii_str_t       rest, piece, issuers[4];
    acme_want_name_t  names[WORLD_NAMES];

    want = from->want;
    want.id = torii_str(from->id);
    want.issuers = issuers;
    want.nissuers = 0;
    want.names = names;
    want.n = 0;

    rest = torii_str(from->issuers);

    while (torii_str_next(&rest, " ", &piece)) {
        issuers[want.nissuers++] = piece;
    }

    rest = torii_str(from->names);

    while (torii_str_next(&rest, " ", &piece)) {
        memset(&names[want.n], 0, sizeof(acme_want_name_t));
        names[want.n].name = piece;
        names[want.n].solver = torii_str(from->solver);
        names[want.n].asked = from->asked;

        for (i = 0; i < 4; i++) {
            names[want.n].types[i] = from->types[i];
        }

        want.n++;
    }

    want.chain = from->chain.len ? world_str(&from->chain) : from->given_chain;
    want.key = from->key.len ? world_str(&from->key) : from->given_key;

    acme_want(w->acme, &want);
}


static inline void
world_say(world_t *w)
{
    uint32_t  i;

    w->resay = 0;
    acme_begin(w->acme);

    for (i = 0; i < w->nissuers; i++) {
        w->issuers[i].key = world_str(&w->account_key[i]);
        acme_issuer(w->acme, &w->issuers[i]);
    }

    for (i = 0; i < w->nwants; i++) {
        world_say_want(w, &w->wants[i]);
    }

    acme_end(w->acme, w->now);
}


static inline void
world_begin(world_t *w)
{
    uint32_t  i;

    w->conf.seed = ++w->seed;
    w->acme = acme_create(&w->conf, w->now);
    w->shown = 0;
    w->nkeys = 0;

    for (i = 0; i < w->nfiles; i++) {
        if (w->files[i].data.len) {
            acme_load(w->acme, torii_str(w->files[i].name),
                      world_str(&w->files[i].data));
        }
    }

    world_say(w);
}


/* As after a crash: what was saved is all there is. */

static inline void
world_restart(world_t *w)
{
    acme_free(w->acme);
    world_begin(w);
}


/* Until a moment, or 1: the budget is spent. */

static inline int
world_run(world_t *w, uint64_t until)
{
    uint32_t              wait;
    acme_action_t         act;
    acme_issuer_status_t  status;

    for ( ;; ) {
        world_give_keys(w);

        if (acme_next(w->acme, w->now, &act, &wait) == TORII_OK) {
            if (world_do(w, &act)) {
                return 1;
            }

            if (act.what == ACME_DO_PRESENT
                && acme_issuer_status(w->acme, 0, &status) == TORII_OK
                && status.orders > w->most)
            {
                w->most = status.orders;
            }

            continue;
        }

        if (wait == 0) {
            continue;
        }

        if (w->nkeys && w->now + wait > w->keys[0].due) {
            wait = (uint32_t) (w->keys[0].due - w->now);
        }

        if (w->resay && w->now + wait > w->resay) {
            w->now = w->now > w->resay ? w->now : w->resay;

            if (w->now >= until) {
                return 0;
            }

            world_say(w);
            continue;
        }

        if (w->now + wait > until) {
            w->now = until;
            return 0;
        }

        w->now += wait;
    }
}


static inline acme_issuer_conf_t *
world_issuer(world_t *w, const char *name, acme_issuer_e type)
{
    acme_issuer_conf_t  *issuer;

    issuer = &w->issuers[w->nissuers++];
    memset(issuer, 0, sizeof(acme_issuer_conf_t));

    issuer->name = torii_str(name);
    issuer->type = type;
    issuer->agreed = 1;
    issuer->ari = 1;
    issuer->directory = torii_str(w->nissuers == 1 ? WORLD_URL "0/dir"
                                                   : WORLD_URL "1/dir");

    return issuer;
}


static inline void
world_start(world_t *w)
{
    uint32_t  i;

    memset(w, 0, sizeof(world_t));

    w->now = WORLD_NOW;
    w->seed = 1;

    for (i = 0; i < WORLD_CAS; i++) {
        world_ca_start(&w->ca[i], w->now);
    }

    (void) world_issuer(w, "ClusterIssuer/le", ACME_ISSUER_ACME);
}


static inline world_want_t *
world_add(world_t *w, const char *id, const char *names)
{
    world_want_t  *want;

    w->wants = realloc(w->wants, (w->nwants + 1) * sizeof(world_want_t));
    want = &w->wants[w->nwants++];
    memset(want, 0, sizeof(world_want_t));

    (void) snprintf(want->id, sizeof(want->id), "%s", id);
    want->names = names;
    want->issuers = "ClusterIssuer/le";
    want->types[0] = HTTP;
    want->types[1] = ALPN;
    want->solver = "";
    want->want.in_use = 1;

    return want;
}


static inline void
world_stop(world_t *w)
{
    uint32_t  i;

    acme_free(w->acme);

    for (i = 0; i < WORLD_CAS; i++) {
        world_ca_stop(&w->ca[i]);
    }

    for (i = 0; i < w->nwants; i++) {
        torii_buf_free(&w->wants[i].chain);
        torii_buf_free(&w->wants[i].key);
    }

    for (i = 0; i < w->nfiles; i++) {
        torii_buf_free(&w->files[i].data);
    }

    for (i = 0; i < 5; i++) {
        torii_buf_free(&w->account_key[i]);
    }

    torii_buf_free(&w->body);
    free(w->wants);
    free(w->files);
}


static inline acme_status_t
world_status(world_t *w, const char *id)
{
    uint32_t       i;
    acme_status_t  s;

    for (i = 0; acme_status(w->acme, i, &s) == TORII_OK; i++) {
        if (torii_str_eqs(s.id, id)) {
            return s;
        }
    }

    memset(&s, 0, sizeof(s));
    s.state = (acme_state_e) 99;

    return s;
}


#endif /* _ACME_WORLD_H_INCLUDED_ */
