
/*
 * The module's own types: what its files share.  nginx's words inside, the
 * rooms' words (ingress_, torii_) at the border.
 */

#ifndef _NGX_HTTP_TORII_H_INCLUDED_
#define _NGX_HTTP_TORII_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ingress_store.h"
#include "ingress_route.h"


/* What a template location does with a request: ngx_http_torii_template.c. */

typedef enum {
    NGX_HTTP_TORII_HTTP = 0,
    NGX_HTTP_TORII_HTTP_STREAM,       /* the request's body goes unbuffered */
    NGX_HTTP_TORII_HTTP10,
    NGX_HTTP_TORII_HTTPS,
    NGX_HTTP_TORII_HTTPS_STREAM,
    NGX_HTTP_TORII_HTTPS10,
    NGX_HTTP_TORII_GRPC,
    NGX_HTTP_TORII_GRPCS,
    NGX_HTTP_TORII_FASTCGI,
    NGX_HTTP_TORII_FASTCGI_STREAM,
    NGX_HTTP_TORII_TEMPLATES
} ngx_http_torii_template_e;


/*
 * The control page: state/table/control, written by the helper, mapped shared
 * and read-only by the workers.  It outlives reloads, upgrades and restarts.
 */

#define NGX_TORII_CONTROL_MAGIC  0x31306c7274636f74ULL
#define NGX_TORII_CONTROL_SIZE   4096
#define NGX_TORII_CONTROL_KINDS  16

/* How a source of objects is, one row a resource; texts may be torn. */

typedef struct {
    char                     resource[48];   /* "ingresses", "files" */
    uint32_t                 state;          /* NGX_TORII_SOURCE_… */
    uint32_t                 objects;
    uint64_t                 stale;          /* ms since 1970, 0: it is not */
    char                     error[112];
} ngx_torii_control_kind_t;

#define NGX_TORII_SOURCE_NEVER      0        /* as ingress_watch_state_e */
#define NGX_TORII_SOURCE_COMPLETE   1
#define NGX_TORII_SOURCE_STALE      2
#define NGX_TORII_SOURCE_FORBIDDEN  3
#define NGX_TORII_SOURCE_ABSENT     4
#define NGX_TORII_SOURCE_STATES     5

#define NGX_TORII_LEADER_NONE       0        /* no election */
#define NGX_TORII_LEADER_OTHER      1
#define NGX_TORII_LEADER_SELF       2

typedef struct {
    uint64_t                 magic;
    volatile uint64_t        generation;     /* of the newest table file */
    uint64_t                 published;      /* ms since 1970 */
    uint64_t                 compile_us;     /* of the last publish */
    uint64_t                 publish_us;     /* change seen to published */
    uint64_t                 publish_us_sum;
    uint64_t                 publishes;
    uint64_t                 failures;       /* to write a table */
    uint64_t                 helper_pid;
    uint64_t                 started;        /* helper; ms since 1970 */
    uint64_t                 restarts;       /* in a row, soon after start */
    uint64_t                 beat;           /* ms since 1970, each second */
    uint64_t                 synced;         /* ms since 1970 when the source
                                                was last whole, 0: never */
    uint64_t                 failed;         /* 1: the last write failed */

    uint32_t                 nkinds;
    uint32_t                 leader;         /* NGX_TORII_LEADER_… */
    char                     lease[112];     /* "namespace/name" */
    char                     holder[112];    /* of the Lease */
    char                     error[192];     /* of the source as a whole */
    ngx_torii_control_kind_t kinds[NGX_TORII_CONTROL_KINDS];
} ngx_torii_control_t;


/*
 * A mapped table in one process; freed when its last request is done, but the
 * file is let go before that (ngx_torii_shrink.c).
 */

typedef struct {
    ingress_table_t          table;
    uint64_t                 generation;
    ngx_uint_t               refs;
    ngx_queue_t              requests;       /* ngx_http_torii_ctx_t */
    ngx_queue_t              queue;          /* of those that were replaced and
                                                still have their file */
    ngx_msec_t               replaced;
    ngx_event_t              retire;         /* frees it after the last event
                                                that may still look at it */
    ngx_pool_t              *pool;           /* lives as long as the table */
    void                   **locations;      /* [policy * TEMPLATES + t]:
                                                loc_conf arrays, made lazily */
    ngx_http_upstream_conf_t  **upstreams;   /* the same for u->conf */
    void                   **peers;          /* [backend]: the balancer's
                                                state, found lazily */
    void                    *metrics;        /* label sets of the routes */
    void                    *logins;         /* [provider]: this process' state
                                                of it, found lazily */
    ngx_uint_t               nlogins;
    void                    *rules;          /* [login]: what of a login's
                                                record was read, lazily */
    ngx_ssl_t              **ssl;            /* [2 * policy + h2]: towards the
                                                backend, made lazily */
    ngx_array_t              *trusted;       /* ngx_cidr_t: proxy-real-ip-cidr,
                                                as nginx wants it */
} ngx_torii_table_t;


/* torii_publish: what goes to the status of Ingresses, and into DNS. */

#define NGX_HTTP_TORII_ECHO_MAX  8       /* servers */

typedef enum {
    NGX_HTTP_TORII_PUBLISH_NONE = 0,
    NGX_HTTP_TORII_PUBLISH_ADDRESSES,
    NGX_HTTP_TORII_PUBLISH_SERVICE,
    NGX_HTTP_TORII_PUBLISH_NODE,
    NGX_HTTP_TORII_PUBLISH_INTERFACE,
    NGX_HTTP_TORII_PUBLISH_ECHO
} ngx_http_torii_publish_e;


/*
 * torii_kubernetes and what it goes with.  The environment is read while the
 * configuration is: nginx's processes have it no longer.
 */

typedef struct {
    ngx_flag_t               enable;
    ngx_flag_t               insecure;
    ngx_str_t                kubeconfig;     /* a file; empty: in a pod */
    ngx_str_t                context;
    ngx_array_t             *secrets;        /* torii_secret_namespaces */
    ngx_str_t                leader;         /* "NS/NAME", "off" or empty */
    ngx_http_torii_publish_e publish;
    ngx_str_t                publish_name;   /* "NS/NAME" or an interface */
    ngx_array_t             *addresses;      /* of ngx_str_t; or URLs */

    ngx_str_t                host;           /* of the API, in a pod */
    ngx_str_t                port;
    ngx_str_t                pod_name;       /* all may be empty */
    ngx_str_t                pod_namespace;
    ngx_str_t                node_name;
} ngx_http_torii_kubernetes_t;


/* torii_acme */

typedef struct {
    ngx_flag_t               enable;
    ngx_flag_t               eager;          /* no random wait at the start */
    ngx_flag_t               takeover;       /* whether cert-manager runs or
                                                not */
    ngx_str_t                rival;          /* "NS/NAME", its Lease */
    ngx_str_t                default_issuer; /* "KIND/NAME" or empty */
} ngx_http_torii_acme_t;


/* torii_dns */

typedef struct {
    ngx_flag_t               enable;
    ngx_flag_t               observe;        /* plans, and writes nothing */
    ngx_str_t                owner;          /* in marks; or empty */
    ngx_str_t                private;        /* addresses of the view "private",
                                                with commas; or empty */
} ngx_http_torii_dns_t;

#define NGX_HTTP_TORII_DNS_OWNER     128     /* DNSSYNC_OWNER_MAX */


typedef struct {
    ngx_path_t              *state;          /* torii_state */
    ngx_str_t                table_dir;      /* state/table */
    ngx_str_t                private_dir;    /* state/private */
    ngx_str_t                manifests;
    ngx_http_torii_kubernetes_t  kubernetes;
    ngx_http_torii_acme_t    acme;
    ngx_http_torii_dns_t     dns;
    ngx_array_t             *classes;        /* of ngx_str_t */
    ngx_array_t             *controllers;
    ngx_str_t                config;
    ngx_str_t                default_backend;
    ngx_str_t                default_certificate;
    ngx_int_t                certificate_cache;      /* parsed ones of a
                                                        worker */
    ngx_str_t                watch_namespace;
    ngx_str_t                watch_selector; /* of namespaces, or empty */
    ngx_str_t                cluster_namespace;
    ngx_str_t                resolver;       /* "ADDR[:PORT][,…]" or empty */
    ngx_uint_t               helper;         /* NGX_HTTP_TORII_HELPER_… */

    ngx_array_t              servers;        /* ngx_http_core_srv_conf_t *:
                                                those with "torii on" */
    ngx_uint_t               https_port;     /* first "listen … ssl" of them */
    ngx_shm_zone_t          *metrics;
    ngx_shm_zone_t          *login;
    ngx_str_t                login_page;     /* the file's text, or empty */
} ngx_http_torii_main_conf_t;

#define NGX_HTTP_TORII_HELPER_ON     1
#define NGX_HTTP_TORII_HELPER_OFF    2
#define NGX_HTTP_TORII_HELPER_ONLY   3

typedef struct {
    ngx_flag_t               enable;         /* torii on */
    ngx_http_core_loc_conf_t
                            *templates[NGX_HTTP_TORII_TEMPLATES];
} ngx_http_torii_srv_conf_t;

typedef struct {
    ngx_flag_t               routes;         /* the generated "location /" */
    ngx_flag_t               webhook;        /* torii_webhook on */
} ngx_http_torii_loc_conf_t;


/* Of one request; kept in a pool cleanup too, since error_page clears ctx. */

typedef struct {
    ngx_http_request_t              *request;
    ngx_torii_table_t               *table;
    ngx_queue_t                      queue;      /* of table->requests */
    ingress_match_t                  match;
    const ingress_table_host_t      *host;
    const ingress_table_route_t     *route;      /* NULL: default backend */
    const ingress_policy_t          *policy;     /* never NULL once routed */
    const ingress_table_backend_t   *backend;    /* NULL: none */
    ngx_uint_t                       template;
    unsigned                         trusted:1;  /* X-Forwarded-* believed */
    unsigned                         registry:1; /* uri is under /v2/ */
    unsigned                         cors:1;     /* Origin is allowed */
    unsigned                         rewritten:1;    /* by rewrite-target */
    unsigned                         error:1;    /* body is error_body */

    ngx_str_t                        best_host;  /* what the client asked for,
                                                    with its port */
    ngx_str_t                        scheme;     /* effective one */
    ngx_str_t                        peer_text;  /* the connection's address,
                                                    whoever the client is */
    ngx_str_t                        forwarded_for;  /* as received, joined */
    ngx_table_elt_t                 *request_id; /* as received, or NULL … */
    ngx_table_elt_t                 *forwarded_proto;
    ngx_table_elt_t                 *forwarded_host;
    ngx_table_elt_t                 *forwarded_port;
    ngx_table_elt_t                 *forwarded_prefix;
    ngx_table_elt_t                 *origin;
    ngx_table_elt_t                 *upgrade;
    ngx_str_t                        error_body;

    ngx_str_t                        uri;        /* before any rewrite */
    ngx_str_t                        auth_user;  /* for logs: who it is, … */
    const char                      *auth_status;    /* … "ok", "skip" … */
    const char                      *auth_reason;
    void                            *verdict;    /* of an external login */
    ngx_msec_t                       auth_wait;  /* since when, 0: not */
    unsigned                         auth_late:1;    /* waited long enough */
    unsigned                         auth_session:1; /* by a cookie */
    unsigned                         auth_cookie:1;  /* ours is set in the
                                                        answer */
} ngx_http_torii_ctx_t;


#define NGX_HTTP_TORII_SSL_ID        16

/* towards the backend nothing but HTTP/2 is offered */

#define ngx_http_torii_is_h2(ctx)                                             \
    ((ctx)->template == NGX_HTTP_TORII_GRPCS)


/*
 * What a request needs of thousands of routes is not in the processor's cache:
 * asked for early, it arrives while something else is done.
 */

#define ngx_http_torii_prefetch(p)   __builtin_prefetch((const void *) (p))


/* Fields of a head, one after the other: begins zeroed, NULL after the last. */

typedef struct {
    ngx_list_part_t         *part;
    ngx_uint_t               next;
} ngx_http_torii_walk_t;

static ngx_inline ngx_table_elt_t *
ngx_http_torii_walk(ngx_http_torii_walk_t *walk, ngx_list_t *headers)
{
    if (walk->part == NULL) {
        walk->part = &headers->part;
    }

    while (walk->next >= walk->part->nelts) {

        if (walk->part->next == NULL) {
            return NULL;
        }

        walk->part = walk->part->next;
        walk->next = 0;
    }

    return (ngx_table_elt_t *) walk->part->elts + walk->next++;
}


extern ngx_module_t  ngx_http_torii_module;


/* A string of the request's table; valid as long as the request. */

static ngx_inline ngx_str_t
ngx_http_torii_str(ngx_http_torii_ctx_t *ctx, ingress_ref_t ref)
{
    ngx_str_t  s;

    s.len = ref.len;
    s.data = (u_char *) ctx->table->table.pool + ref.off;

    return s;
}


/* ngx_torii_table.c */

/* The newest table of this process, or NULL when there is none yet. */
ngx_torii_table_t *ngx_torii_table_current(ngx_http_torii_main_conf_t *tmcf,
    ngx_log_t *log);
/*
 * Zeroed room in the table's pool for something of each route, policy or
 * backend.  Most of them are never asked for: pages that nobody touches take no
 * memory.
 */
void *ngx_torii_table_room(ngx_torii_table_t *table, size_t size);
/* A request begins and ends to use what it found there. */
void ngx_torii_table_hold(ngx_torii_table_t *table, ngx_http_torii_ctx_t *ctx);
void ngx_torii_table_leave(ngx_http_torii_ctx_t *ctx);
/* NULL until the first ngx_torii_table_current() that finds the page. */
ngx_torii_control_t *ngx_torii_control(void);
torii_regex_cache_t *ngx_torii_regexes(void);

/* ngx_torii_shrink.c */

/*
 * Lets go of a replaced table's file, and keeps what its requests hold where it
 * is.  NGX_ERROR (logged): the file stays.  Not to be called while a request is
 * being worked on.
 */
ngx_int_t ngx_torii_table_shrink(ngx_torii_table_t *table, ngx_log_t *log);

/* ngx_torii_helper.c */

/* "torii_state DIR": sets state, table_dir and private_dir. */
char *ngx_torii_helper_state(ngx_conf_t *cf, ngx_http_torii_main_conf_t *tmcf,
    ngx_str_t *dir);
/* When all directives are read: asks nginx for the process, unless "off". */
ngx_int_t ngx_torii_helper_conf(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf);
/* The two hooks of the module; both do nothing without "torii_state". */
ngx_int_t ngx_torii_helper_init_module(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);
ngx_int_t ngx_torii_helper_init_process(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);

/* ngx_http_torii_module.c */

/*
 * The request's ctx, found again after an internal redirect; a subrequest that
 * was not routed has its parent's.  NULL: none.
 */
ngx_http_torii_ctx_t *ngx_http_torii_ctx(ngx_http_request_t *r);

/* A directive with NAMESPACE/NAME, into the ngx_str_t at cmd->offset. */
char *ngx_http_torii_object(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_http_torii_kubernetes.c: directives of the Kubernetes source */

char *ngx_http_torii_kubernetes(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_torii_publish(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_torii_leader(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* When all are read: what is missing, or does not go together. */
char *ngx_http_torii_kubernetes_init(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf);

/* ngx_http_torii_acme.c: certificates that are issued */

char *ngx_http_torii_acme(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* /api/certificates, and what /metrics says of them */
ngx_uint_t ngx_http_torii_acme_page(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
void ngx_http_torii_acme_metrics(ngx_http_torii_main_conf_t *tmcf,
    torii_buf_t *out);
/* A file that the helper leaves beside the tables, behind what is in out. */
ngx_int_t ngx_http_torii_acme_read(ngx_http_torii_main_conf_t *tmcf,
    char *name, torii_buf_t *out);

/* ngx_http_torii_dnssync.c: records in DNS */

char *ngx_http_torii_dns(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* /api/dns, and what /metrics says of it */
ngx_uint_t ngx_http_torii_dns_page(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
void ngx_http_torii_dns_metrics(ngx_http_torii_main_conf_t *tmcf,
    torii_buf_t *out);

/* ngx_http_torii_template.c */

/* "torii on;": parses the generated text, which nginx -T shows. */
char *ngx_http_torii_templates(ngx_conf_t *cf);
/* Postconfiguration: finds the template locations of a server again. */
ngx_int_t ngx_http_torii_templates_find(ngx_conf_t *cf,
    ngx_http_core_srv_conf_t *cscf);

/* ngx_http_torii_route.c */

/* Rewrite phase: object's policy to an answer or to a template location. */
ngx_int_t ngx_http_torii_route_handler(ngx_http_request_t *r);
/* Access phase: 503 without endpoints, then who may enter. */
ngx_int_t ngx_http_torii_access_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_torii_access_lists(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);

/* ngx_http_torii_challenge.c */

/* Server rewrite phase: answers http-01 for tokens of the table. */
ngx_int_t ngx_http_torii_challenge_handler(ngx_http_request_t *r);

/* ngx_http_torii_request.c */

/* The backend does not get it. */
void ngx_http_torii_header_hide(ngx_table_elt_t *h);

/*
 * One pass over the request's headers: what Torii needs of them goes to ctx,
 * what only a trusted peer may say is hidden from the backend, and the client's
 * address is set.  It can be made once only: a request that is routed again
 * gives the ctx it had before, else NULL.
 */
ngx_int_t ngx_http_torii_request_headers(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_http_torii_ctx_t *before);

/* "host:port" without the port; an IPv6 address keeps its brackets. */
ngx_str_t ngx_http_torii_hostname(ngx_str_t *host);

/* upstream-vhost with its variables replaced; empty: not set. */
ngx_int_t ngx_http_torii_vhost(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, ngx_str_t *vhost);

/*
 * The port that the client used: what a trusted peer says, else that of the
 * PROXY protocol, else 443 for TLS, else the socket's.  port->data has room
 * for NGX_INT_T_LEN bytes.
 */
void ngx_http_torii_port(ngx_http_request_t *r, ngx_http_torii_ctx_t *ctx,
    ngx_str_t *port);

/* ngx_http_torii_redirect.c */

/* A status to answer with and Location set, or NGX_DECLINED. */
ngx_int_t ngx_http_torii_redirect_slash(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
ngx_int_t ngx_http_torii_redirect_host(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
ngx_int_t ngx_http_torii_redirect_route(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
ngx_int_t ngx_http_torii_redirect_https(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
/* rewrite-target: a new URI, or a redirect when it is absolute. */
ngx_int_t ngx_http_torii_redirect_rewrite(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);

/* ngx_http_torii_location.c */

/* The template's configuration with the policy's limits becomes r's. */
ngx_int_t ngx_http_torii_location_set(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);

/* ngx_http_torii_variable.c */

ngx_int_t ngx_http_torii_variables_add(ngx_conf_t *cf);
/* ngx_http_torii_variable_auth.c */
ngx_int_t ngx_http_torii_variables_auth(ngx_conf_t *cf);

/* ngx_http_torii_filter.c */

ngx_int_t ngx_http_torii_filter_init(ngx_conf_t *cf);
/* A field of the answer; name and value are not copied. */
ngx_int_t ngx_http_torii_header_add(ngx_http_request_t *r, char *name,
    ngx_str_t *value);

/* ngx_http_torii_balancer.c */

/* "torii_balancer;" in the generated upstream blocks: sets peer.init. */
char *ngx_http_torii_balancer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* Whether the backend has an address to try now (else: 503). */
ngx_int_t ngx_http_torii_balancer_ready(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
ngx_int_t ngx_http_torii_balancer_init_process(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);

/* ngx_http_torii_upstream.c */

/*
 * The policy's settings become r->upstream's.  With TLS, ssl_id is set to what
 * tells its connections from those of another identity.
 */
ngx_int_t ngx_http_torii_upstream_set(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx, u_char ssl_id[NGX_HTTP_TORII_SSL_ID]);

/* ngx_http_torii_fastcgi.c */

/* Before the first try: a route's parameters go into the built request. */
ngx_int_t ngx_http_torii_fastcgi_params(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);

/* ngx_http_torii_ssl.c */

/* Postconfiguration: callbacks on every SSL_CTX of a server with "torii on". */
ngx_int_t ngx_http_torii_ssl_init(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf);
ngx_int_t ngx_http_torii_ssl_init_process(ngx_cycle_t *cycle,
    ngx_http_torii_main_conf_t *tmcf);

/* ngx_http_torii_upstream_ssl.c */

/*
 * The client SSL context for a policy's TLS settings towards its backend, from
 * this process' cache, or NULL on error (logged).  Valid while the table is.
 * h2: only HTTP/2 is offered, for gRPC.
 */
ngx_ssl_t *ngx_http_torii_upstream_ssl(ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2, ngx_log_t *log);
/*
 * What tells connections of one TLS identity from those of another: a digest of
 * everything that decides whom they prove to be and whom they trust.  Of name
 * only when it is sent or verified.
 */
void ngx_http_torii_upstream_ssl_id(ngx_torii_table_t *table,
    const ingress_policy_t *policy, ngx_uint_t h2, ngx_str_t *name,
    u_char id[NGX_HTTP_TORII_SSL_ID]);
/* The peer's set_session and save_session: resumption per address and id. */
ngx_int_t ngx_http_torii_upstream_ssl_set_session(ngx_peer_connection_t *pc,
    void *data);
void ngx_http_torii_upstream_ssl_save_session(ngx_peer_connection_t *pc,
    void *data);

/* ngx_http_torii_admin.c */

/* "torii_admin on;" in a server or location: content handler. */
char *ngx_http_torii_admin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* An answer whose body is out, which is freed with the request. */
ngx_int_t ngx_http_torii_admin_send(ngx_http_request_t *r, ngx_uint_t status,
    char *type, torii_buf_t *out);

/* ngx_http_torii_admin_metrics.c */

ngx_uint_t ngx_http_torii_admin_metrics(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
/* A label's value, escaped; the labels that all metrics have. */
void ngx_http_torii_label_value(torii_buf_t *out, torii_str_t value);
void ngx_http_torii_label_const(torii_buf_t *out);

/* ngx_http_torii_source.c: what the helper tells of its source */

ngx_uint_t ngx_http_torii_source_page(ngx_http_request_t *r,
    ngx_http_torii_main_conf_t *tmcf, ngx_torii_table_t *table,
    torii_buf_t *out);
void ngx_http_torii_source_metrics(torii_buf_t *out);
/* Of the source as a whole: "syncing", "complete" or "stale". */
char *ngx_http_torii_source_state(void);

/* ngx_http_torii_webhook.c */

/* "torii_webhook on;" in a server or location: content handler. */
char *ngx_http_torii_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
/* The limits of bodies, once the location's own are known. */
void ngx_http_torii_webhook_merge(ngx_http_core_loc_conf_t *clcf);

/* ngx_http_torii_metrics.c */

/* Adds the shared zone (preconfiguration) and counts a request (log phase). */
ngx_int_t ngx_http_torii_metrics_zone(ngx_conf_t *cf,
    ngx_http_torii_main_conf_t *tmcf);
void ngx_http_torii_metrics_count(ngx_http_request_t *r,
    ngx_http_torii_ctx_t *ctx);
/* Before: to be called in this order, with other work in between. */
void ngx_http_torii_metrics_far(ngx_http_torii_ctx_t *ctx);
void ngx_http_torii_metrics_near(ngx_http_torii_ctx_t *ctx);
/*
 * A CA asked for a challenge, by an INGRESS_CHALLENGE_… of a name or token,
 * that the table has or has not.
 */
void ngx_http_torii_challenge_count(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t type, ngx_uint_t known, torii_str_t name,
    struct sockaddr *client);
/*
 * How often one was answered, for the helper of the same nginx: a number that
 * grows when its CA comes, and seldom when another challenge's does; and to how
 * many addresses (8: so many or more) since it was watched first.
 */
ngx_uint_t ngx_http_torii_challenge_watch(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t type, torii_str_t name);
ngx_uint_t ngx_http_torii_challenge_seen(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t type, torii_str_t name, ngx_uint_t *addresses);
/*
 * Prometheus text, all series of the zone, piece by piece: *at is 0 at first.
 * NGX_AGAIN: there is more.
 */
ngx_int_t ngx_http_torii_metrics_write(ngx_http_torii_main_conf_t *tmcf,
    ngx_uint_t *at, torii_buf_t *out);


#endif /* _NGX_HTTP_TORII_H_INCLUDED_ */
