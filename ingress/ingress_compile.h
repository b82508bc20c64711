
/*
 * What the store and the parts of compile share; private to them.
 *
 * An entry is an object, or the place where one is missed: whatever refers to
 * an object points to its entry and holds it by a count.  What is worked out
 * of an object hangs on its entry and lives until the object changes.  What is
 * only of the table being built is marked with the number of its round, so
 * that nothing has to be cleared between two compiles.
 */

#ifndef _INGRESS_COMPILE_H_INCLUDED_
#define _INGRESS_COMPILE_H_INCLUDED_


#include "ingress_store.h"
#include "torii_regex.h"
#include "ingress_hash.h"
#include "ingress_cert.h"


#define INGRESS_FINDINGS_WRITTEN  10000

typedef struct ingress_item_s     ingress_item_t;
typedef struct ingress_copy_s      ingress_copy_t;
typedef struct ingress_plan_s      ingress_plan_t;
typedef struct ingress_upstream_s  ingress_upstream_t;
typedef struct ingress_compile_s   ingress_compile_t;


/* A growing array; elements are of one size that its user knows. */

typedef struct {
    ingress_item_t           **elts;
    uint32_t                   n;
    uint32_t                   size;
} ingress_items_t;


/* The same object in several files; the first file by name is in force. */

struct ingress_copy_s {
    ingress_object_t          *object;
    ingress_copy_t            *next;
};


/* Certificate and key of a Secret for clients, checked. */

typedef struct {
    ingress_cert_t            *cert;
    uint64_t                   round;
    uint32_t                   index;       /* in CERTS, or INGRESS_NONE */
} ingress_item_cert_t;

/* The same Secret as identity towards a backend. */

typedef struct {
    uint64_t                   round;
    uint32_t                   index;       /* in TLS */
    unsigned                   checked:1;
    const char                *problem;
    unsigned char              id[32];
} ingress_item_identity_t;


/* The same Secret as provider of logins. */

typedef struct {
    uint64_t                   round;       /* somebody uses it */
    uint32_t                   index;       /* in PROVIDERS */
    unsigned                   fits:1;      /* and is there */
} ingress_item_login_t;

/* The same as list of users. */

typedef struct {
    uint64_t                   round;
    uint32_t                   index;       /* 1 + index in USERS, or 0 */
    const char                *problem;
} ingress_item_users_t;


/* What compile looks at comes first, in one or two lines of the cache. */

struct ingress_item_s {
    ingress_link_t             link;
    ingress_object_t          *active;      /* NULL: missed */
    ingress_kind_e             kind;
    uint32_t                   refs;

    union {
        struct {
            ingress_plan_t      *plan;
            int64_t              created;
            uint64_t             classes;   /* version that served is of */
            unsigned             served:1;
            unsigned             ordered:1; /* is in store->order */
        } ingress;

        struct {
            ingress_item_t      *slices;
            ingress_item_t      *endpoints;
            ingress_upstream_t  *upstreams;
            uint64_t             stamp;
        } service;

        struct {                            /* SLICE and ENDPOINTS */
            ingress_item_t      *service;
            ingress_item_t      *next;
            ingress_item_t     **prev;
        } slice;

        struct {
            ingress_item_cert_t       server;
            ingress_item_identity_t   client;
            ingress_item_login_t      login;
            ingress_item_users_t      users[2];     /* by form */
        } secret;

        struct {
            uint64_t             round;
            ingress_ref_t        params;    /* in the table's pool */
            const char          *problem;
            torii_str_t          culprit;   /* a key */
        } configmap;
    } u;

    ingress_copy_t            *copies;
    unsigned                   noted:1;     /* is in store->noted */
    unsigned                   external:1;  /* holds names to resolve */
    unsigned                   provider:1;  /* is in store->providers */
    torii_str_t                key;         /* "namespace/name" */
    torii_str_t                namespace;
    torii_str_t                name;
};


/* The head of a record that any number of Ingresses share. */

typedef struct {
    ingress_link_t             link;
    uint32_t                   refs;
    torii_buf_t                pool;        /* what its own refs point into */
} ingress_shared_t;


typedef struct {
    ingress_shared_t           head;
    uint64_t                   round;
    uint32_t                   index[2];    /* in POLICIES, by no_tls_redirect,
                                               or INGRESS_NONE */
    uint32_t                   base;        /* of pool in the table's pool */
    ingress_policy_t           policy;
} ingress_interned_t;


typedef struct {
    ingress_shared_t           head;
    ingress_login_setting_t    setting;
} ingress_login_shared_t;

/* Who may enter the paths of an Ingress. */

typedef struct {
    ingress_login_shared_t    *shared;      /* NULL: no login */
    ingress_item_t            *provider;    /* named by torii/oauth2 */
    ingress_item_t            *headers;     /* ConfigMap */
    ingress_item_t            *users;       /* Secret */
    unsigned                   map:1;       /* its form */

    /* in the table being built */
    ingress_item_t            *chosen;      /* provider; NULL: a server */
    uint32_t                   deny;
    uint32_t                   login;       /* 1 + index in LOGINS, or 0 */
    uint32_t                   list;        /* the same in USERS */
} ingress_plan_login_t;


typedef enum {
    INGRESS_UPSTREAM_OK = 0,
    INGRESS_UPSTREAM_NO_SERVICE,
    INGRESS_UPSTREAM_NO_PORT,
    INGRESS_UPSTREAM_NO_ENDPOINTS,
    INGRESS_UPSTREAM_LOCAL,                 /* its addresses are refused */
    INGRESS_UPSTREAM_UNRESOLVED
} ingress_upstream_problem_e;

#define INGRESS_UPSTREAM_INLINE  4

/* A Service's port as Ingresses refer to it. */

struct ingress_upstream_s {
    ingress_link_t             link;        /* the hash is the table's id */
    uint64_t                   round;
    uint32_t                   index;       /* in BACKENDS */
    uint32_t                   n;
    ingress_table_endpoint_t  *endpoints;
    unsigned                   stale:1;     /* Service or endpoints changed */
    unsigned                   named:1;     /* depends on resolved names */
    unsigned                   loopback:1;  /* option it was resolved with */
    unsigned                   direct:1;    /* service-upstream */
    uint16_t                   type;
    uint16_t                   problem;     /* ingress_upstream_problem_e */
    torii_str_t                name;        /* "namespace-service-port" */
    torii_str_t                external;    /* of the Service object */
    uint64_t                   names;       /* version it was resolved with */
    uint64_t                   stamp;

    ingress_table_endpoint_t   few[INGRESS_UPSTREAM_INLINE];

    uint32_t                   refs;
    uint32_t                   size;
    ingress_item_t            *service;
    ingress_upstream_t        *next;        /* of the same Service */
    ingress_upstream_t       **prev;
    torii_str_t                port;        /* "": the Service's first one */
};


/* An Ingress, ready to be laid out; its refs point into its own pool. */

typedef struct {
    ingress_ref_t              text;        /* as written */
    ingress_ref_t              slashed;     /* Prefix: with "/" at its end */
    ingress_ref_t              service;
    ingress_ref_t              port;
    ingress_upstream_t        *upstream;
    uint32_t                   line;
    uint8_t                    type;        /* ingress_path_type_e */
    uint8_t                    regex;       /* asks for regexes on the host */
    uint8_t                    open;        /* is not redirected to https */
    uint8_t                    checked;     /* as a regex, and compiles */
    uint8_t                    free;        /* needs no login */
    uint64_t                   round;
    uint32_t                   route;       /* in ROUTES */
} ingress_plan_path_t;

typedef struct {
    ingress_ref_t              name;        /* "" is every host */
    uint64_t                   hash;
    ingress_plan_path_t       *paths;
    uint32_t                   n;
    uint32_t                   line;
    uint32_t                   tls;         /* entry that lists the host … */
    uint32_t                   tls2;        /* … and the next one */
} ingress_plan_host_t;

typedef struct {
    ingress_upstream_t        *upstream;
    uint32_t                   line;        /* that names it first */
} ingress_plan_backend_t;

typedef struct {
    ingress_item_t            *secret;      /* NULL: none is given */
    ingress_item_t            *second;      /* with a key of the other kind;
                                               NULL: not asked for */
    uint32_t                   line;
    unsigned                   issued:1;    /* it is asked for here */
    uint64_t                   round;       /* its finding was made */
    uint64_t                   second_round;
} ingress_plan_tls_t;

/* A finding, and its text where that is kept. */

typedef struct {
    const ingress_finding_t   *finding;
    torii_str_t                json;
} ingress_note_t;


/*
 * One block of memory: the record, its arrays, its pool.  Ten thousand of them
 * are passed through at each compile, which is a matter of cache lines.
 */

struct ingress_plan_s {
    uint64_t                   config;      /* version it was made with */
    torii_buf_t                pool;
    uint32_t                   base;        /* of pool in the table's pool */
    uint32_t                   index;       /* in INGRESSES */
    ingress_interned_t        *interned;
    ingress_plan_host_t       *hosts;
    ingress_plan_backend_t    *backends;    /* each once */
    uint32_t                   nhosts;
    uint32_t                   nbackends;
    ingress_plan_tls_t        *tls;
    uint32_t                   ntls;
    uint32_t                   naliases;
    ingress_upstream_t        *backend;     /* spec.defaultBackend */
    ingress_item_t            *ssl_secret;
    ingress_item_t            *fastcgi;
    ingress_plan_login_t      *login;       /* NULL: everybody may enter */
    ingress_note_t            *notes;
    uint32_t                   nnotes;
    ingress_ref_t              namespace;
    ingress_ref_t              name;
    ingress_ref_t              file;
    ingress_ref_t              app_root;
    ingress_ref_t              ssl_ciphers;
    uint8_t                    ssl_prefer_server_ciphers;
    uint8_t                    from_to_www;
    uint8_t                    canary;
    uint8_t                    root_regex;  /* an auto "/" asks for regexes */
    uint32_t                   npaths;
    ingress_plan_path_t       *paths;       /* of all hosts */
    ingress_ref_t             *aliases;
    ingress_ref_t              backend_service;
    ingress_ref_t              backend_port;
    ingress_item_t            *item;
    torii_arena_t             *arena;       /* of notes, if any */

    /* in the table being built, of one with references or aliases */
    uint64_t                   aliased;     /* round they were added */
    uint32_t                   policy[4];   /* by INGRESS_POLICY_… */
    uint32_t                   deny;
    uint32_t                   identity;    /* 1 + index in TLS */
    ingress_ref_t              params;
};


/* The table's sections while they grow; the memory is kept between rounds. */

typedef struct {
    const unsigned char       *data;
    uint32_t                   len;
} ingress_blob_t;

typedef struct {
    torii_buf_t                sections[INGRESS_SECTION_MAX];
    torii_buf_t                blobs;       /* ingress_blob_t[] */
    uint64_t                   blob_len;
    uint32_t                   mask;        /* of BUCKETS */
} ingress_writer_t;

#define ingress_writer_n(w, section, type)                                    \
    ((uint32_t) ((w)->sections[INGRESS_SECTION_##section].len / sizeof(type)))

#define ingress_writer_at(w, section, type, i)                                \
    ((type *) (w)->sections[INGRESS_SECTION_##section].data + (i))


/* ingress_store_told(); few of them. */

typedef struct ingress_told_s  ingress_told_t;

struct ingress_told_s {
    ingress_told_t            *next;
    torii_str_t                name;
    torii_str_t                issuer;      /* a further one; empty: its own */
    torii_str_t                discovery;
    torii_str_t                keys;
    uint64_t                   fetched;
};


struct ingress_store_s {
    ingress_hash_t             entries;
    uint32_t                   count[INGRESS_KIND_MAX];
    uint64_t                   changes[INGRESS_KIND_MAX];
    uint64_t                   decided;     /* changes of Ingresses, when they
                                               were last compiled */
    ingress_items_t            order;       /* Ingresses, oldest first */
    ingress_items_t            pending;     /* to be merged into order */
    unsigned                   stale:1;     /* order has entries to drop */
    ingress_items_t            noted;       /* with findings or copies */
    unsigned                   noted_stale:1;

    ingress_hash_t             upstreams;
    ingress_hash_t             shared;      /* policies */
    ingress_hash_t             logins;      /* settings of them */
    ingress_items_t            providers;   /* Secrets, in order of key */

    ingress_hash_t             names;       /* resolved ones */
    uint64_t                   names_version;
    uint32_t                   external;    /* entries that hold names */

    ingress_item_t            *config_item;
    ingress_config_t          *config;
    unsigned                   config_stale:1;
    uint64_t                   config_version;
    ingress_interned_t        *config_interned;
    torii_arena_t             *config_arena;
    ingress_findings_t         config_findings;

    ingress_upstream_t        *backend;     /* the default one */

    ingress_challenge_t       *challenges;  /* sorted, each name once */
    uint32_t                   nchallenges;
    torii_arena_t             *challenge_arena;
    ingress_told_t            *told;        /* of providers of logins */

    uint64_t                   round;
    uint64_t                   stamp;
    uint64_t                   classes;     /* version of what is served */
    uint64_t                   options;     /* hash of those about classes */
    torii_buf_t                class_names; /* known ones: a byte of flags, the
                                               name, NUL */
    ingress_writer_t           writer;
    torii_buf_t                hosts;       /* ingress_host_t */
    torii_buf_t                parts;       /* ingress_part_t */
    torii_buf_t                exact;       /* ingress_candidate_t */
    torii_buf_t                prefix;
    torii_buf_t                notes;       /* ingress_note_t */
    torii_buf_t                guarded;     /* ingress_plan_t *, those that
                                               have a login */
};


/* A host of the table being built, beside its record. */

typedef struct {
    uint32_t                   first;       /* of parts, oldest first */
    uint32_t                   last;
    unsigned                   aliased:1;
    unsigned                   www:1;
    unsigned                   tls:1;
    torii_str_t                name;        /* in a plan; "" is the catch-all */
    ingress_cert_t            *cert;
    ingress_cert_t            *cert2;
    uint32_t                   copies[4];   /* for aliases, by which of both
                                               are valid, or 0 */
} ingress_host_t;

typedef struct {
    ingress_plan_t            *plan;
    ingress_plan_host_t       *host;
    uint32_t                   next;
} ingress_part_t;

/* A path that may become an entry of a host. */

typedef struct {
    torii_str_t                text;
    ingress_plan_t            *plan;
    ingress_plan_path_t       *path;        /* NULL: the auto "/" */
    ingress_ref_t              ref;         /* of text in the table's pool */
    uint32_t                   seq;
    uint32_t                   own;         /* written as this type */
} ingress_candidate_t;


struct ingress_compile_s {
    ingress_store_t           *store;
    const ingress_options_t   *options;
    int64_t                    now;
    ingress_writer_t          *w;
    ingress_config_t          *config;
    torii_arena_t             *arena;
    ingress_findings_t         findings;    /* made in this round */
    uint32_t                   count[3];    /* of all, by severity */
    ingress_hash_t             policies;    /* with references */
    ingress_hash_t             logins;      /* records */
    ingress_plan_t            *catchall;    /* of spec.defaultBackend alone */
    ingress_ref_t              root;        /* "/" */

    /* the last class looked up */
    torii_str_t                class_name;
    unsigned                   class_known:1;
    int                        class_rc;
};


/* ingress_store.c */

ingress_item_t *ingress_item_find(ingress_store_t *store,
    ingress_kind_e kind, torii_str_t namespace, torii_str_t name);
/* Finds or makes it, and counts one reference more. */
ingress_item_t *ingress_item_hold(ingress_store_t *store,
    ingress_kind_e kind, torii_str_t namespace, torii_str_t name);
void ingress_item_release(ingress_store_t *store, ingress_item_t *e);
void ingress_items_add(ingress_items_t *list, ingress_item_t *e);

/* ingress_store_order.c */

void ingress_order_changed(ingress_store_t *store, ingress_item_t *e);
/* store->order is sorted and holds active Ingresses only. */
void ingress_order_update(ingress_store_t *store);
void ingress_noted_changed(ingress_store_t *store, ingress_item_t *e);
void ingress_noted_update(ingress_store_t *store);

/* ingress_store_name.c */

/* Whether a service or slice holds names that are to be resolved. */
int ingress_name_needed(const ingress_object_t *o);
/* What a name resolved to; *n is 0 if nothing is known. */
const uint8_t (*ingress_name_addrs(ingress_store_t *store, torii_str_t name,
    uint32_t *n))[16];
void ingress_names_free(ingress_store_t *store);
int ingress_addr_parse(torii_str_t s, uint8_t addr[16]);

/* ingress_store_challenge.c */

void ingress_challenges_write(ingress_compile_t *c);
void ingress_challenges_free(ingress_store_t *store);

/* ingress_store_told.c */

/* NULL: nothing is known, or it does not fit any more. */
const ingress_told_t *ingress_told_find(ingress_compile_t *c,
    torii_str_t name);
/* Of further issuers, for the table. */
ingress_ref_t ingress_told_issuers(ingress_compile_t *c, torii_str_t name);
void ingress_told_free(ingress_store_t *store);

/* ingress_upstream.c */

/* A Service, or what lies behind it, changed. */
void ingress_upstream_changed(ingress_item_t *service);

ingress_upstream_t *ingress_upstream_hold(ingress_store_t *store,
    torii_str_t namespace, torii_str_t service, torii_str_t port, int direct);
void ingress_upstream_release(ingress_store_t *store, ingress_upstream_t *u);
/* Bring the endpoints up to date. */
void ingress_upstream_update(ingress_store_t *store, ingress_upstream_t *u,
    unsigned loopback);
/* Index in BACKENDS, written there on first use. */
uint32_t ingress_upstream_write(ingress_compile_t *c, ingress_upstream_t *u);

/* ingress_plan.c */

ingress_plan_t *ingress_plan_create(ingress_store_t *store,
    ingress_item_t *e, const ingress_config_t *config, uint64_t version);
void ingress_plan_free(ingress_store_t *store, ingress_plan_t *plan);

/* Have it near by the time it is needed. */
void ingress_plan_prefetch(const ingress_plan_t *plan);

#define ingress_plan_str(plan, ref)  ingress_pool_str(&(plan)->pool, ref)

/* ingress_shared.c */

/*
 * The one of size bytes in table whose record, len bytes at the offset at, and
 * pool are the same, made if there is none; it takes the pool.
 */
void *ingress_shared_hold(ingress_hash_t *table, size_t size, size_t at,
    const void *record, size_t len, torii_buf_t *pool);
void ingress_shared_release(ingress_hash_t *table, ingress_shared_t *shared);

/* ingress_policy_share.c */

/* The shared record of a policy; pool is what its refs point into. */
ingress_interned_t *ingress_policy_hold(ingress_store_t *store,
    const ingress_policy_t *policy, const torii_buf_t *pool);
void ingress_policy_release(ingress_store_t *store, ingress_interned_t *s);
/*
 * Index in POLICIES; plan NULL: the gateway's defaults.  variant: what is
 * particular of a path.
 */
#define INGRESS_POLICY_OPEN   0x01     /* it is not redirected to https */
#define INGRESS_POLICY_FREE   0x02     /* it needs no login */

uint32_t ingress_policy_write(ingress_compile_t *c, ingress_plan_t *plan,
    unsigned variant);
/* Find the objects that the plan's policy names, once before it is written. */
void ingress_policy_references(ingress_compile_t *c, ingress_plan_t *plan);

/* ingress_login_share.c */

/* The shared record of settings; pool is what their refs point into. */
ingress_login_shared_t *ingress_login_hold(ingress_store_t *store,
    const ingress_login_setting_t *login, const torii_buf_t *pool);
void ingress_login_release(ingress_store_t *store,
    ingress_login_shared_t *shared);

/* ingress_login_plan.c */

/* NULL: everybody may enter. */
ingress_plan_login_t *ingress_plan_login(ingress_store_t *store,
    const ingress_annotations_t *annotations);
void ingress_plan_login_free(ingress_store_t *store,
    ingress_plan_login_t *login);

/* ingress_login_compile.c */

/* Write what the plans need, when all hosts are known, but no path is. */
void ingress_compile_logins(ingress_compile_t *c);

/* ingress_login_provider.c */

/* A Secret changed, which may have become a provider, or ceased to be one. */
void ingress_provider_changed(ingress_store_t *store, ingress_item_t *e);
/* NULL: an Ingress of the namespace may use it; or what is wrong. */
const char *ingress_provider_problem(ingress_compile_t *c,
    const ingress_item_t *secret, torii_str_t namespace);
/*
 * The provider of an Ingress of the namespace that names none, or NULL;
 * *several: more than one could be meant, or the one that is meant is not
 * there.  global: the ConfigMap asks for the login.
 */
ingress_item_t *ingress_provider_default(ingress_compile_t *c,
    torii_str_t namespace, int global, int *several);
/* Whether a key of a provider is the option, whose "-" may be "_". */
int ingress_provider_named(torii_str_t key, const char *option);
/* Write all that are used in this round. */
void ingress_providers_write(ingress_compile_t *c);

/* ingress_login_users.c */

/* 1 + index in USERS, or 0 with what is wrong. */
uint32_t ingress_users_write(ingress_compile_t *c, ingress_item_t *secret,
    unsigned map, const char **problem);

/* ingress_login_report.c */

/* When all paths are known: what providers are asked for, and findings. */
void ingress_compile_logins_end(ingress_compile_t *c);

/* ingress_compile_class.c */

/* Whether all classes are to be looked at anew. */
void ingress_compile_classes(ingress_compile_t *c);
int ingress_compile_served(ingress_compile_t *c, ingress_item_t *e);
/* The same, worked out anew and without a finding. */
int ingress_compile_ours(ingress_compile_t *c, ingress_item_t *e);

/* Objects of this namespace count, as the options have it. */
int ingress_compile_namespace(ingress_compile_t *c, torii_str_t namespace);
/* What the table tells of classes, and the other rules of admission. */
void ingress_compile_admission(ingress_compile_t *c,
    ingress_table_header_t *h);

/* ingress_compile_host.c */

/* The catch-all, which is always there, and always the first. */
void ingress_compile_catchall(ingress_compile_t *c);
/* Add what a plan says of its hosts. */
void ingress_compile_join(ingress_compile_t *c, ingress_plan_t *plan);
/* Write them all, when all plans have joined. */
void ingress_compile_hosts(ingress_compile_t *c);
/* A string of a plan's pool as the table's pool has it. */
ingress_ref_t ingress_plan_ref(const ingress_plan_t *plan, ingress_ref_t ref);

#define ingress_compile_host(c, i)                                            \
    ((ingress_host_t *) (void *) (c)->store->hosts.data + (i))
#define ingress_compile_part(c, i)                                            \
    ((ingress_part_t *) (void *) (c)->store->parts.data + (i))

/* ingress_compile_path.c */

void ingress_compile_paths(ingress_compile_t *c, uint32_t host);

/* ingress_compile_name.c */

void ingress_compile_names(ingress_compile_t *c);

/* ingress_compile_tls.c */

void ingress_compile_tls(ingress_compile_t *c, uint32_t host);
/* The Secret's certificate, checked; never NULL if it is there. */
ingress_cert_t *ingress_cert_of(ingress_item_t *secret);
/* Index in CERTS. */
uint32_t ingress_cert_write(ingress_compile_t *c, ingress_item_t *secret,
    ingress_ref_t host);
/* 1 + index in TLS, or 0 with what is wrong. */
uint32_t ingress_identity_write(ingress_compile_t *c, ingress_item_t *secret,
    const char **problem);

/* ingress_compile.c */

/* A finding about an object that the entry names. */
void ingress_compile_finding(ingress_compile_t *c,
    ingress_severity_e severity, const char *reason, ingress_item_t *e,
    uint32_t line, const char *field, torii_str_t value, const char *fmt, ...)
    __attribute__((format(printf, 8, 9)));

/* ingress_table_write.c */

void ingress_writer_start(ingress_writer_t *w);
void *ingress_writer_add(ingress_writer_t *w, ingress_section_e section,
    size_t size);
/* Whether len bytes more fit into what a ref can name. */
int ingress_writer_fits(const ingress_writer_t *w, size_t len);
/* Bytes into the pool, at a place divisible by 8; a NUL follows. */
ingress_ref_t ingress_writer_pool(ingress_writer_t *w, const void *data,
    size_t len);
/*
 * The same without a copy: data must live until the end.  The ref counts from
 * where the blobs will begin.  Only for refs of CERTS and TLS.
 */
ingress_ref_t ingress_writer_blob(ingress_writer_t *w, torii_str_t data);
/* Index in NAMES, or INGRESS_NONE. */
uint32_t ingress_writer_name_find(const ingress_writer_t *w, torii_str_t name,
    uint32_t hash);
/* The name must not be there yet. */
void ingress_writer_name(ingress_writer_t *w, ingress_ref_t name,
    uint32_t hash, uint32_t host);
void ingress_writer_end(ingress_writer_t *w, ingress_table_header_t *h,
    torii_buf_t *out);
void ingress_writer_free(ingress_writer_t *w);


#endif /* _INGRESS_COMPILE_H_INCLUDED_ */
