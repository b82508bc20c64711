
/*
 * Annotations of an Ingress and keys of the ConfigMap, parsed into records.
 *
 * One table says everything about a name: scope, parser, validator and what a
 * bad value does.  A security setting that is wrong, or that Torii does not
 * enforce, denies the Ingress' paths (policy.deny); any other bad value leaves
 * the default in force.  Either way there is a finding.
 */

#ifndef _INGRESS_ANNOTATION_H_INCLUDED_
#define _INGRESS_ANNOTATION_H_INCLUDED_


#include "ingress_object.h"
#include "ingress_login_setting.h"


/* What the ConfigMap says of the whole gateway; written to the table as is. */

typedef struct {
    uint8_t            use_forwarded_headers;
    uint8_t            enable_real_ip;
    uint8_t            compute_full_forwarded_for;
    uint8_t            hsts;
    uint8_t            server_tokens;
    uint8_t            add_original_uri_header;
    uint8_t            generate_request_id;
    uint8_t            allow_backend_server_header;
    uint16_t           redirect_code;         /* http-redirect-code: 308 */
    uint8_t            ssl_reject_handshake;
    uint8_t            pad[5];
    ingress_ref_t      forwarded_for_header;  /* "X-Forwarded-For" */
    ingress_ref_t      real_ip_networks;      /* ingress_network_t[] */
    ingress_ref_t      hsts_value;            /* the header's whole value */
} ingress_global_t;

extern const uint16_t  ingress_global_refs[];
extern const uint32_t  ingress_global_nrefs;


typedef struct {
    ingress_global_t    global;
    ingress_policy_t    policy;      /* defaults for annotations */
    unsigned            cross_namespace:1;      /* allow-cross-namespace-… */
    unsigned            strict_path_type:1;     /* strict-validate-path-type */
    unsigned            retry_non_idempotent:1;
    torii_str_t        *no_tls_redirect;        /* path prefixes */
    uint32_t            n_no_tls_redirect;
    torii_buf_t         pool;        /* what the refs above point into */
    torii_arena_t      *arena;       /* what the pointers above point into */
    uint64_t            version;     /* hash of what annotations depend on */

    /* why policy.deny is set: what an Ingress can answer for itself */
    unsigned            deny_allow:1;           /* by an allow list */
    unsigned            deny_blocked:1;         /* by a deny list */
    unsigned            deny_global_auth:1;     /* enable-global-auth: false */
    unsigned            deny_modsecurity:1;     /* enable-modsecurity: false */

    /* global-auth-…; refs into pool */
    ingress_login_setting_t   login;
    ingress_ref_t       provider_namespace;     /* torii-oauth2: of logins that
                                                   name none */
    ingress_ref_t       provider;
    torii_str_t        *no_auth;                /* path prefixes */
    uint32_t            n_no_auth;
} ingress_config_t;

/*
 * cm may be NULL: defaults.  Findings carry the ConfigMap's name.  cm is not
 * referred to afterwards.
 */
ingress_config_t *ingress_config_parse(const ingress_object_t *cm,
    ingress_findings_t *findings);
void ingress_config_free(ingress_config_t *config);


/* What the annotations of one Ingress say. */

typedef struct {
    ingress_policy_t    policy;
    torii_buf_t         pool;        /* what all refs here point into */

    /* of the host: the first Ingress that sets it wins */
    ingress_ref_t       app_root;
    ingress_ref_t       server_alias;      /* ingress_ref_t[], lower case, a
                                              leading "~" is a regex */
    ingress_ref_t       ssl_ciphers;
    uint8_t             ssl_prefer_server_ciphers;  /* 0 unset, 1 off, 2 on */
    uint8_t             from_to_www;

    /* a canary (any value of true): not an Ingress of its own */
    uint8_t             canary;
    uint8_t             pad;

    /* objects named, "namespace/name" split; len 0: none */
    ingress_ref_t       proxy_ssl_namespace;
    ingress_ref_t       proxy_ssl_secret;
    ingress_ref_t       fastcgi_params_namespace;
    ingress_ref_t       fastcgi_params_configmap;
    ingress_ref_t       users_namespace;   /* auth-secret */
    ingress_ref_t       users_secret;

    /* who may enter */
    ingress_login_setting_t   login;       /* asked: 0, if none is asked for */
    uint8_t             basic;             /* auth-type: basic */
    uint8_t             users_map;         /* auth-secret-type: auth-map */
} ingress_annotations_t;

/*
 * Never fails: what is wrong is in the findings (object and file filled in)
 * and in policy.deny.  ing is a decoded Ingress and is not referred to
 * afterwards.  Free with ingress_annotations_free().
 */
void ingress_annotations_parse(ingress_annotations_t *out,
    const ingress_object_t *ing, const ingress_config_t *config,
    ingress_findings_t *findings);
void ingress_annotations_free(ingress_annotations_t *out);


/* One row of the tables of names, for lists and documents. */

typedef struct {
    const char         *name;        /* without the prefix */
    const char         *state;       /* "enforced", "not yet", "nginx.conf",
                                        "never" */
    const char         *scope;       /* "route", "host", "upstream",
                                        "gateway", "certificate" */
    const char         *value;       /* the default, "" none */
    const char         *bad;         /* of a bad value: "default", "deny",
                                        "off", "keep" (what was issued) */
    const char         *help;        /* one line */
} ingress_setting_info_t;

#define INGRESS_ANNOTATION_PREFIX  "nginx.ingress.kubernetes.io/"

typedef void (*ingress_setting_visit_pt)(void *data,
    const ingress_setting_info_t *info);

/*
 * All annotations, Torii's own of logins (with their prefix), and all keys of
 * the ConfigMap, in order of name.
 */
void ingress_annotation_each(ingress_setting_visit_pt visit, void *data);
void ingress_login_each(ingress_setting_visit_pt visit, void *data);
void ingress_config_each(ingress_setting_visit_pt visit, void *data);


/* A pool's string or array; refs come from the same record's pool. */
torii_str_t ingress_pool_str(const torii_buf_t *pool, ingress_ref_t ref);

/* Add bytes (8-aligned, a NUL behind) and return where; "" is {0, 0}. */
ingress_ref_t ingress_pool_add(torii_buf_t *pool, const void *data,
    size_t len);

/* Copy all that the policy's refs name into another pool, and point there. */
void ingress_policy_move(ingress_policy_t *policy, const unsigned char *from,
    torii_buf_t *to);


/*
 * The parsers, open to tests and fuzzers.  TORII_ERROR: not of the form, and
 * *why (static text, may be NULL) says what is expected.
 */
int ingress_parse_size(torii_str_t s, uint64_t *bytes, const char **why);
int ingress_parse_bool(torii_str_t s, uint8_t *value, const char **why);
int ingress_parse_network(torii_str_t s, ingress_network_t *net);

/*
 * Is the address (IPv6, or IPv4 mapped) in the list?  An IPv6 network does not
 * hold mapped addresses.  A list of more than 8 is sorted as parsed lists are.
 */
int ingress_network_match(const ingress_network_t *list, uint32_t n,
    const uint8_t addr[16]);

/* Is Origin (as sent) allowed by the policy's CORS settings?  pool: its own. */
int ingress_cors_match(const ingress_policy_t *policy,
    const unsigned char *pool, torii_str_t origin);


#endif /* _INGRESS_ANNOTATION_H_INCLUDED_ */
