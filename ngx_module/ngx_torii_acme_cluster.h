
/*
 * What the files of certificates in a cluster share.  One gateway, the leader,
 * asks for certificates; what it must not forget it writes to Secrets, so that
 * whoever leads next goes on with the same orders:
 *
 *   torii-acme-HASH        one for each name of the machine's state, and one
 *                          for each certificate, a copy of what we issued; in
 *                          the gateway's namespace, type torii/acme-state
 *   torii-acme-challenges  what CAs are to be answered now: all gateways read
 *                          it; likewise
 *   the issuer's           the key of the account, where its object says
 *   the TLS Secrets        as cert-manager leaves them
 *
 * All but accounts by server-side apply.  A write has less time (5 s) than is
 * left between a leader's last renewal of its Lease and the next leader's
 * first: none comes late.
 */

#ifndef _NGX_TORII_ACME_CLUSTER_H_INCLUDED_
#define _NGX_TORII_ACME_CLUSTER_H_INCLUDED_


#include "ngx_torii_acme.h"
#include "ngx_torii_kubernetes.h"
#include "ingress_challenge.h"
#include "ingress_rival.h"


#define NGX_TORII_CLUSTER_TIMEOUT     5000      /* ms, of a write */
#define NGX_TORII_CLUSTER_CHALLENGES  "torii-acme-challenges"
#define NGX_TORII_CLUSTER_COPIES      "certificates/"
#define NGX_TORII_CLUSTER_TYPE        "torii/acme-state"


typedef enum {
    NGX_TORII_RIVAL_UNKNOWN = 0,
    NGX_TORII_RIVAL_GONE,
    NGX_TORII_RIVAL_RUNS,
    NGX_TORII_RIVAL_DENIED               /* we may not look */
} ngx_torii_rival_e;


/* A certificate that we issued, as it is kept in its copy. */

typedef struct {
    ngx_str_node_t           sn;         /* its id; in c->copies */
    torii_str_t              chain;
    torii_str_t              key;
    uint64_t                 hash;       /* of both */
    uint64_t                 before;     /* of what it was before, 0 nothing */
    uint64_t                 seen;       /* in the Secret at the last look */
    uint64_t                 changed;    /* us, by somebody else */
    unsigned                 busy:1;     /* its Secret is being written */
    unsigned                 stopped:1;  /* … and is not any more */
} ngx_torii_copy_t;


/* ngx_torii_acme_spread.c */

typedef struct {
    torii_arena_t           *arena;      /* of the newest set */
    ingress_challenge_t     *all;
    uint32_t                 n;
    ngx_int_t                newest;     /* sets, counted */
    ngx_int_t                flying;     /* the one that is being spread, 0 */
    ngx_int_t                done;
    char                     probe[64];  /* a token that tells it apart */
    ngx_queue_t              places;     /* gateways that are asked for it */
    ngx_uint_t               left;       /* of them, without an answer … */
    ngx_uint_t               asked;      /* … and all */
    ngx_msec_t               until;
    ngx_event_t              next;
    uint64_t                 version;    /* of the Secret that was read */
    unsigned                 blind:1;    /* last time nobody answered */
} ngx_torii_spread_t;


typedef struct {
    ngx_torii_acme_t        *acme;
    ngx_torii_api_t         *api;        /* NULL: not known yet */
    torii_str_t              namespace;  /* the gateway's */
    torii_str_t              challenges; /* "namespace/name" */

    ngx_event_t              wake;       /* to ask what is to be asked */
    ngx_msec_t               due;        /* the rival, again */
    ngx_torii_rival_e        rival;
    ingress_rival_t          lease;

    uint32_t                 term;       /* of the list */
    torii_arena_t           *listed;     /* what it brought so far */
    ngx_queue_t              files;      /* ngx_torii_listed_t */
    ngx_uint_t               failures;
    ngx_msec_t               list;       /* not before */

    ngx_rbtree_t             copies;
    ngx_rbtree_node_t        sentinel;

    ngx_torii_spread_t       spread;

    unsigned                 leads:1;
    unsigned                 asking:1;   /* for the rival's Lease */
    unsigned                 listing:1;
    char                     said[256];  /* to the log */
} ngx_torii_cluster_t;


/* A question, of one term. */

typedef struct {
    ngx_torii_cluster_t     *cluster;
    uint32_t                 term;
} ngx_torii_asked_t;


/* One write. */

typedef struct {
    ngx_torii_cluster_t     *cluster;
    uint32_t                 term;
    uint32_t                 ticket;
    torii_arena_t           *arena;
    const char              *what;       /* for the log … */
    torii_str_t              subject;    /* … and of which */
    torii_str_t              id;         /* of a certificate */
    torii_str_t              chain;
    torii_str_t              key;
    unsigned                 restore:1;  /* the machine does not wait */
    unsigned                 removes:1;
} ngx_torii_write_t;


/* ngx_torii_acme_cluster_list.c */

/* A page of it, the first if token is empty; then the machine is made. */
void ngx_torii_cluster_list(ngx_torii_cluster_t *c, torii_str_t token);
/* What was listed, for the machine. */
void ngx_torii_cluster_load(ngx_torii_acme_t *a);
/* Of the list; an answer that is still under way is of another term. */
void ngx_torii_cluster_drop(ngx_torii_cluster_t *c);


/* ngx_torii_acme_cluster_save.c */

ngx_int_t ngx_torii_cluster_save(ngx_torii_acme_t *a,
    const acme_action_t *action);
ngx_int_t ngx_torii_cluster_account(ngx_torii_acme_t *a,
    const acme_action_t *action);


/* ngx_torii_acme_write.c */

ngx_torii_write_t *ngx_torii_write_create(ngx_torii_cluster_t *c,
    uint32_t ticket, const char *what, torii_str_t subject);
void ngx_torii_write_free(ngx_torii_write_t *w);
/* The end of it, for the machine. */
void ngx_torii_write_done(ngx_torii_write_t *w, ngx_uint_t ok);
/* name "": POST.  The body is JSON, which is YAML. */
void ngx_torii_write_apply(ngx_torii_write_t *w, torii_str_t namespace,
    torii_str_t name, torii_str_t body, ngx_torii_api_answer_pt handler);
/* Whether it was done; if not, the log says why. */
ngx_uint_t ngx_torii_write_ok(ngx_torii_write_t *w,
    const ingress_api_answer_t *answer, torii_str_t body);
/* A Secret of ours with "name" and "state". */
void ngx_torii_write_state(ngx_torii_write_t *w, torii_str_t name,
    torii_str_t data, ngx_torii_api_answer_pt handler);
void ngx_torii_write_base64(torii_buf_t *b, torii_str_t data);
/* Of the Secret that holds a name of the state. */
torii_str_t ngx_torii_write_name(torii_arena_t *arena, torii_str_t name);


/* ngx_torii_acme_secret.c */

void ngx_torii_copies_init(ngx_torii_cluster_t *c);
void ngx_torii_copies_free(ngx_torii_cluster_t *c);
/* From what was listed: name is behind "certificates/". */
void ngx_torii_copy_load(ngx_torii_cluster_t *c, torii_str_t name,
    torii_str_t pem);
/* 1: there was one. */
ngx_uint_t ngx_torii_copy_forget(ngx_torii_cluster_t *c, torii_str_t id);
ngx_int_t ngx_torii_cluster_certificate(ngx_torii_acme_t *a,
    const acme_action_t *action);
ngx_int_t ngx_torii_cluster_wanted(ngx_torii_acme_t *a, ngx_torii_wanted_t *w,
    const ingress_issue_t *issue);
void ngx_torii_cluster_have(ngx_torii_acme_t *a, ngx_torii_wanted_t *w,
    torii_str_t *chain, torii_str_t *key);


/* ngx_torii_acme_spread.c */

void ngx_torii_spread_init(ngx_torii_cluster_t *c);
ngx_int_t ngx_torii_cluster_challenges(ngx_torii_acme_t *a,
    const ingress_challenge_t *all, uint32_t n);
/* What the leader wrote, for those who do not lead … */
void ngx_torii_spread_read(ngx_torii_cluster_t *c);
/* … and once for the one that begins to. */
void ngx_torii_spread_inherit(ngx_torii_cluster_t *c);
void ngx_torii_spread_stop(ngx_torii_cluster_t *c);
/* All have answered, or there is no more time. */
void ngx_torii_spread_done(ngx_torii_cluster_t *c);


/* ngx_torii_acme_places.c */

void ngx_torii_places_find(ngx_torii_cluster_t *c);
/* Those that have not answered yet. */
void ngx_torii_places_ask(ngx_torii_cluster_t *c);
void ngx_torii_places_free(ngx_torii_spread_t *s);


#endif /* _NGX_TORII_ACME_CLUSTER_H_INCLUDED_ */
