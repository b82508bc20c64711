
/*
 * The routing table: a flat, read-only, position-independent file, written by
 * the helper and mapped by the workers.  All records have a fixed size and lie
 * in arrays ("sections"); strings, packed arrays (8-aligned) and certificates
 * lie in one pool and are named by ingress_ref_t, whose offset counts from the
 * pool's start.  Integers are in the byte order of the machine, which the
 * header records: the file never leaves the machine (or pod) that made it.
 *
 * ingress_table_open() checks everything once: magic, version, byte order,
 * checksum, every offset, every index.  A lookup needs no check after that.
 */

#ifndef _INGRESS_TABLE_H_INCLUDED_
#define _INGRESS_TABLE_H_INCLUDED_


#include "ingress_annotation.h"
#include "ingress_login.h"


#define INGRESS_TABLE_MAGIC     0x656c626169726f74ULL    /* "toriable" */
#define INGRESS_TABLE_VERSION   4
#define INGRESS_TABLE_ORDER     0x01020304
#define INGRESS_NONE            0xffffffffU


typedef enum {
    INGRESS_SECTION_BUCKETS = 0,   /* uint32_t, a power of two of them:
                                      1 + index into names, or 0; probed
                                      one by one from hash & (n - 1), at
                                      least one is 0 */
    INGRESS_SECTION_NAMES,         /* ingress_table_name_t */
    INGRESS_SECTION_ALIASES,       /* ingress_table_alias_t: regex names */
    INGRESS_SECTION_HOSTS,         /* ingress_table_host_t */
    INGRESS_SECTION_PATHS,         /* ingress_table_path_t */
    INGRESS_SECTION_ROUTES,        /* ingress_table_route_t */
    INGRESS_SECTION_POLICIES,      /* ingress_policy_t, distinct ones; at
                                      least one, the first of which is for
                                      requests without a route */
    INGRESS_SECTION_INGRESSES,     /* ingress_table_ingress_t */
    INGRESS_SECTION_BACKENDS,      /* ingress_table_backend_t */
    INGRESS_SECTION_ENDPOINTS,     /* ingress_table_endpoint_t */
    INGRESS_SECTION_CERTS,         /* ingress_table_cert_t */
    INGRESS_SECTION_TLS,           /* ingress_table_tls_t */
    INGRESS_SECTION_CHALLENGES_HTTP,   /* ingress_table_challenge_t, sorted by
                                          bytes of the name, each name once */
    INGRESS_SECTION_CHALLENGES_ALPN,   /* the same */
    INGRESS_SECTION_PROVIDERS,     /* ingress_table_provider_t */
    INGRESS_SECTION_LOGINS,        /* ingress_table_login_t, distinct ones */
    INGRESS_SECTION_USERS,         /* ingress_table_users_t */
    INGRESS_SECTION_POOL,          /* bytes */
    INGRESS_SECTION_MAX
} ingress_section_e;

typedef struct {
    uint64_t           off;        /* from the file's start, 8-aligned */
    uint32_t           n;          /* of records; POOL: of bytes */
    uint32_t           size;       /* of one record */
} ingress_section_t;

typedef struct {
    uint64_t           magic;
    uint32_t           order;
    uint32_t           version;
    uint64_t           size;       /* of the file */
    uint64_t           checksum;   /* torii_hash() of all bytes behind here */
    uint32_t           header;     /* sizeof(ingress_table_header_t) */
    uint32_t           default_host;     /* index of "_", always there */
    uint32_t           default_backend;  /* global one, or INGRESS_NONE */
    uint32_t           default_cert;     /* or INGRESS_NONE: self-signed */
    uint32_t           errors;     /* findings of each severity */
    uint32_t           warnings;
    ingress_ref_t      findings;   /* JSON array */
    ingress_ref_t      classes;    /* ingress_table_class_t[] */
    ingress_ref_t      watch_namespace;  /* empty: all are served; or those of
                                            a list, ",a,b", which may be "," */
    uint32_t           flags;      /* INGRESS_TABLE_… */
    uint32_t           pad;
    ingress_global_t   global;
    ingress_section_t  sections[INGRESS_SECTION_MAX];
} ingress_table_header_t;


/* What admission needs to know of the gateway, beside its routes. */

#define INGRESS_TABLE_ALL      0x01  /* Ingresses of any class are served, but
                                        not those of a foreign one */
#define INGRESS_TABLE_STRICT   0x02  /* strict-validate-path-type */
#define INGRESS_TABLE_CROSS    0x04  /* allow-cross-namespace-resources */
#define INGRESS_TABLE_LOGIN    0x08  /* global-auth-url: a login for all */
#define INGRESS_TABLE_FLAGS    0x0f

#define INGRESS_TABLE_CLASS_FIELD       0x01  /* ours in spec */
#define INGRESS_TABLE_CLASS_ANNOTATION  0x02  /* ours in the annotation */
#define INGRESS_TABLE_CLASS_FOREIGN     0x04  /* another controller's */
#define INGRESS_TABLE_CLASS_FLAGS       0x07

typedef struct {
    ingress_ref_t      name;
    uint32_t           flags;      /* INGRESS_TABLE_CLASS_… */
    uint32_t           pad;
} ingress_table_class_t;


/* A server name: exact ("a.example") or wildcard ("*.example", one label). */

typedef struct {
    ingress_ref_t      name;
    uint32_t           host;
    uint32_t           hash;       /* low half of torii_hash(name, len, 0) */
} ingress_table_name_t;

/*
 * server-alias "~regex", kept without its "~": caseless and unanchored, tried
 * in order when no name matches.
 */

typedef struct {
    ingress_ref_t      pattern;
    uint32_t           host;
    uint32_t           pad;
} ingress_table_alias_t;


#define INGRESS_HOST_TLS     0x01  /* a certificate entry exists: redirects */
#define INGRESS_HOST_REGEX   0x02  /* all paths are regexes, in order */

/*
 * Paths of a host: exact ones sorted by bytes, then prefixes sorted by bytes
 * (each ends in "/"), or with INGRESS_HOST_REGEX all in order of trial.  No two
 * of a list are equal, and no path belongs to two hosts.
 *
 * "Prefix /foo" is the exact "/foo" and the prefix "/foo/", "Prefix /foo/" is
 * the exact "/foo/" and the prefix "/foo/": so a request for "/foo" that finds
 * no exact "/foo", but an entry "/foo/" of either list, lacks the slash that
 * the author wrote, and is redirected.  The entries need no mark for it.
 */

typedef struct {
    ingress_ref_t      name;       /* "_": the catch-all */
    uint32_t           flags;
    uint32_t           exact;      /* first of exact paths */
    uint32_t           nexact;
    uint32_t           prefix;     /* first of prefixes, or of regexes */
    uint32_t           nprefix;
    uint32_t           cert;       /* INGRESS_NONE: the default certificate */
    uint32_t           cert2;      /* of another key type, or INGRESS_NONE */
    uint32_t           ssl_prefer_server_ciphers;
    ingress_ref_t      ssl_ciphers;
    ingress_ref_t      app_root;
    ingress_ref_t      www_target; /* from-to-www: this host only redirects
                                      to that one */
} ingress_table_host_t;

typedef struct {
    ingress_ref_t      text;
    uint32_t           route;
    uint32_t           parent;     /* longest other prefix of this prefix in
                                      the same host (index into paths, below
                                      its own), or INGRESS_NONE */
} ingress_table_path_t;


#define INGRESS_ROUTE_AUTO       0x01  /* "/" that no rule defines */
#define INGRESS_ROUTE_CATCHALL   0x02  /* of the host "_" */

typedef struct {
    uint32_t           policy;
    uint32_t           backend;    /* INGRESS_NONE: no Service: 503, or with
                                      AUTO: the default backend */
    uint32_t           ingress;    /* INGRESS_NONE: none */
    uint32_t           flags;
    ingress_ref_t      path;       /* as in the Ingress */
    ingress_ref_t      service;    /* name and port as in the Ingress */
    ingress_ref_t      port;
    ingress_ref_t      host;       /* of the rule, "" for every host */
    uint32_t           line;
    uint32_t           type;       /* ingress_path_type_e */
} ingress_table_route_t;

typedef struct {
    ingress_ref_t      namespace;
    ingress_ref_t      name;
    ingress_ref_t      file;
} ingress_table_ingress_t;


#define INGRESS_BACKEND_ENDPOINTS      0
#define INGRESS_BACKEND_EXTERNALNAME   1
#define INGRESS_BACKEND_MISSING        2   /* there is no such Service */

typedef struct {
    uint64_t           id;         /* hash of the name: the same over tables */
    ingress_ref_t      name;       /* "namespace-service-port" */
    uint32_t           type;
    uint32_t           first;      /* of endpoints; EXTERNALNAME: of what the
                                      name resolved to */
    uint32_t           n;          /* 0: requests are answered 503 */
    uint32_t           pad;
    ingress_ref_t      external;   /* EXTERNALNAME: the name, for people */
} ingress_table_backend_t;

#define INGRESS_ENDPOINT_DRAINING   0x01   /* terminating but serving: used
                                              only when nothing else is there */

typedef struct {
    uint8_t            addr[16];   /* IPv4: ::ffff:a.b.c.d */
    uint16_t           port;
    uint16_t           flags;
    uint32_t           pad;
} ingress_table_endpoint_t;


typedef struct {
    uint8_t            id[32];     /* SHA-256 over chain and key */
    ingress_ref_t      chain;      /* DER certificates, leaf first */
    ingress_ref_t      key;        /* DER private key (PKCS#8 or traditional) */
    uint64_t           not_before; /* of the leaf, seconds since 1970 */
    uint64_t           not_after;
    ingress_ref_t      namespace;  /* of the Secret */
    ingress_ref_t      secret;
    ingress_ref_t      host;       /* one it serves, for metrics */
} ingress_table_cert_t;

/* TLS identity towards a backend. */

typedef struct {
    uint8_t            id[32];     /* SHA-256 over cert, key, ca */
    ingress_ref_t      cert;       /* PEM, may be empty */
    ingress_ref_t      key;        /* PEM, may be empty */
    ingress_ref_t      ca;         /* PEM, may be empty */
} ingress_table_tls_t;


/*
 * What a CA is to be answered that validates a name: by http-01 for a token, or
 * by tls-alpn-01 for a server name.
 */

typedef struct {
    ingress_ref_t      name;       /* the token, or the name in lower case */
    ingress_ref_t      value;      /* key authorization, or DER certificate */
    ingress_ref_t      key;        /* ALPN: DER private key */
} ingress_table_challenge_t;


/* An opened table; many may be open at once. */

typedef struct {
    const unsigned char               *map;
    size_t                             size;
    const ingress_table_header_t      *header;
    const uint32_t                    *buckets;
    const ingress_table_name_t        *names;
    const ingress_table_alias_t       *aliases;
    const ingress_table_host_t        *hosts;
    const ingress_table_path_t        *paths;
    const ingress_table_route_t       *routes;
    const ingress_policy_t            *policies;
    const ingress_table_ingress_t     *ingresses;
    const ingress_table_backend_t     *backends;
    const ingress_table_endpoint_t    *endpoints;
    const ingress_table_cert_t        *certs;
    const ingress_table_tls_t         *tls;
    const ingress_table_challenge_t   *challenges_http;
    const ingress_table_challenge_t   *challenges_alpn;
    const ingress_table_provider_t    *providers;
    const ingress_table_login_t       *logins;
    const ingress_table_users_t       *users;
    const unsigned char               *pool;
} ingress_table_t;

#define ingress_table_n(t, section)                                           \
    ((t)->header->sections[INGRESS_SECTION_##section].n)


/*
 * Check bytes (8-aligned, they must outlive t) and set up t.  TORII_ERROR: not
 * a sound table of this version; error says why, in words.
 */
int ingress_table_check(ingress_table_t *t, const void *data, size_t size,
    char error[128]);

/* Map a file and check it; ingress_table_close() unmaps. */
int ingress_table_open(ingress_table_t *t, const char *path, char error[128]);
void ingress_table_close(ingress_table_t *t);

/*
 * The string of a ref, pointing into the map.  A NUL follows each, strings and
 * packed arrays alike; an empty one is "" wherever its offset points.
 */
torii_str_t ingress_table_str(const ingress_table_t *t, ingress_ref_t ref);


#endif /* _INGRESS_TABLE_H_INCLUDED_ */
