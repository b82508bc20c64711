
/*
 * What the helper's files of certificates share: the machine of acme.h, the
 * issuers it asks and whom it trusts there, the challenges that workers answer,
 * and the certificates that came of it.
 */

#ifndef _NGX_TORII_ACME_H_INCLUDED_
#define _NGX_TORII_ACME_H_INCLUDED_


#include "ngx_torii_helper.h"
#include "ngx_torii_curl.h"
#include "ngx_torii_dns.h"
#include "ngx_torii_key.h"
#include "acme.h"
#include "ingress_issue.h"


typedef struct ngx_torii_acme_s    ngx_torii_acme_t;
typedef struct ngx_torii_keeper_s  ngx_torii_keeper_t;


/* A certificate that is wanted, as the objects had it at the last look. */

typedef struct {
    torii_str_t              id;         /* "namespace/secret" */
    torii_str_t              namespace;
    torii_str_t              secret;
    torii_str_t              kind;       /* of the owner */
    torii_str_t              owner;      /* in the same namespace */
    torii_str_t              file;
    torii_str_t              field;
    uint32_t                 line;
    torii_str_t              issuer;     /* the first one's name … */
    torii_str_t              issuer_kind;
    torii_str_t              names;      /* "a.example, b.example" */
    torii_str_t              host;       /* the first one */
    torii_str_t              metadata;   /* of its Secret, the keeper's own */
    uint64_t                 compared;   /* hash of ours and theirs, which is
                                            no better; 0 none */
    unsigned                 served:1;   /* there is a certificate */
} ngx_torii_wanted_t;


/*
 * Where state, keys and certificates are kept, and how challenges get to those
 * who answer them: in a folder, or in a cluster.  Chosen once.  What is to be
 * kept is NGX_OK, NGX_ERROR (logged), or NGX_AGAIN: ngx_torii_acme_saved() is
 * to come.
 */

struct ngx_torii_keeper_s {
    ngx_int_t              (*create)(ngx_torii_acme_t *a);
    /* Before a look.  NGX_AGAIN: soon; NGX_DECLINED: others do it.  With NGX_OK
       there is a machine, or a->held says why not. */
    ngx_int_t              (*ready)(ngx_torii_acme_t *a);
    /* A machine was made: it gets what was saved. */
    void                   (*load)(ngx_torii_acme_t *a);
    ngx_int_t              (*save)(ngx_torii_acme_t *a,
                                   const acme_action_t *action);
    ngx_int_t              (*account)(ngx_torii_acme_t *a,
                                      const acme_action_t *action);
    ngx_int_t              (*certificate)(ngx_torii_acme_t *a,
                                          const acme_action_t *action);
    /* All that are to be answered.  The number of this set, whose way to all
       is told by ngx_torii_challenge_spread(); 0: nothing is to be waited for
       but the table.  NGX_ERROR: they are too many. */
    ngx_int_t              (*challenges)(ngx_torii_acme_t *a,
                                         const ingress_challenge_t *all,
                                         uint32_t n);
    /* Of each that is wanted, NULL: as the store has it.  NGX_DECLINED: what
       is there cannot be seen, and is left as it is; NGX_AGAIN: yet. */
    ngx_int_t              (*wanted)(ngx_torii_acme_t *a,
                                     ngx_torii_wanted_t *w,
                                     const ingress_issue_t *issue);
    void                   (*have)(ngx_torii_acme_t *a, ngx_torii_wanted_t *w,
                                   torii_str_t *chain, torii_str_t *key);
};

extern const ngx_torii_keeper_t  ngx_torii_acme_folder;
extern const ngx_torii_keeper_t  ngx_torii_acme_cluster;


/* ngx_torii_acme.c */

/* NULL: no memory (logged), or switched off. */
ngx_torii_acme_t *ngx_torii_acme_create(ngx_torii_helper_t *h);
/* A table was compiled; published 0: it could not be written. */
void ngx_torii_acme_compiled(ngx_torii_acme_t *a, ngx_uint_t published);
/* Each second. */
void ngx_torii_acme_beat(ngx_torii_acme_t *a);
/* Findings of certificates in front of the source's own. */
const ingress_finding_t *ngx_torii_acme_findings(ngx_torii_acme_t *a,
    const ingress_finding_t *source);
/* Actions are to be looked for, once the present call is over. */
void ngx_torii_acme_wake(ngx_torii_acme_t *a);
/* The machine is made, and freed: what is under way for it is ignored then. */
void ngx_torii_acme_start(ngx_torii_acme_t *a);
void ngx_torii_acme_stop(ngx_torii_acme_t *a);
/* At the objects, now. */
void ngx_torii_acme_look(ngx_torii_acme_t *a);
/* What was to be kept in that term is, or not. */
void ngx_torii_acme_saved(ngx_torii_acme_t *a, uint32_t term,
    uint32_t ticket, ngx_uint_t ok);


struct ngx_torii_acme_s {
    ngx_torii_helper_t      *helper;
    ngx_log_t               *log;
    const ngx_torii_keeper_t  *keeper;
    void                    *keeping;    /* the keeper's own */
    acme_t                  *acme;       /* NULL until the first look, and
                                            where another one leads */
    uint32_t                 term;       /* of the machine, or the lack of it */
    const char              *held;       /* why there is none, a reason … */
    char                     held_text[256];    /* … in words */
    ngx_torii_curl_t        *curl;
    ngx_torii_dns_t         *dns;
    ngx_torii_keys_t        *keys;
    ngx_str_t                dir;        /* private/acme */
    ngx_str_t                accounts;   /* private/accounts: their keys */
    ngx_str_t                certificates;   /* private/certificates */
    ngx_str_t                requests;   /* private/requests */

    ngx_event_t              pump;
    ngx_event_t              look;       /* at the objects */
    ngx_connection_t         dummy;      /* what those point to */
    uint64_t                 version;    /* of the objects at the last look */
    uint64_t                 looked;     /* us */
    time_t                   sweep;      /* of certificates, not before */

    torii_arena_t           *arena;      /* of what the last look found */
    ngx_torii_wanted_t      *wanted;     /* sorted by id */
    ngx_uint_t               n;
    ngx_torii_wanted_t      *before;     /* while it looks: of the last time */
    ngx_uint_t               nbefore;
    ingress_findings_t       bad;        /* BadConfig, of the last look */

    ngx_queue_t              trusts;     /* ngx_torii_issuer.c */
    struct ngx_torii_dnssync_s  *solvers;    /* ngx_torii_solver.c */
    ngx_queue_t              tickets;    /* ngx_torii_challenge.c */
    ngx_queue_t              challenges;
    ngx_event_t              expire;     /* of challenges */
    ngx_event_t              watch;      /* whether validators come */

    ngx_queue_t              notices;    /* ngx_torii_notice.c */
    ngx_uint_t               nnotices;

    torii_arena_t           *said;       /* of findings */
    ingress_finding_t       *findings;   /* of certificates, a list … */
    ingress_finding_t       *last;       /* and its last one */
    uint64_t                 told;       /* hash of them */
    uint64_t                 report;     /* us, not before then */
    uint64_t                 changes;    /* of the machine, as reported */
    unsigned                 dirty:1;    /* findings and reports are old */
    unsigned                 again:1;    /* the last look missed something */
};

ngx_torii_wanted_t *ngx_torii_acme_wanted(ngx_torii_acme_t *a,
    torii_str_t id);
/* NULL but during a look. */
ngx_torii_wanted_t *ngx_torii_acme_before(ngx_torii_acme_t *a,
    torii_str_t id);


/* ngx_torii_issuer.c */

void ngx_torii_issuers_init(ngx_torii_acme_t *a);
/* "ClusterIssuer/letsencrypt", "Issuer/namespace/name" */
torii_str_t ngx_torii_issuer_name(torii_arena_t *arena,
    const ingress_object_t *issuer);
/* Tells the machine of one, with what its Secrets hold. */
void ngx_torii_issuer_tell(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer);
/* Around those of one look: what was not told of in it is forgotten. */
void ngx_torii_issuers_begin(ngx_torii_acme_t *a);
void ngx_torii_issuers_end(ngx_torii_acme_t *a);
/* Frees what nobody uses any more; not from inside an answer. */
void ngx_torii_issuers_sweep(ngx_torii_acme_t *a);

typedef struct ngx_torii_trust_s  ngx_torii_trust_t;

/*
 * Whom to trust when this issuer is asked, until ngx_torii_trust_leave(); NULL:
 * it is not known, or its caBundle cannot be read.
 */
ngx_torii_trust_t *ngx_torii_issuer_trust(ngx_torii_acme_t *a,
    torii_str_t name);
ngx_torii_curl_tls_t *ngx_torii_trust_tls(ngx_torii_trust_t *t);
void ngx_torii_trust_leave(ngx_torii_trust_t *t);
/* Keeps an account's key beside what the operator has put there. */
ngx_int_t ngx_torii_issuer_account(ngx_torii_acme_t *a, torii_str_t name,
    torii_str_t key);
/* Where the issuer's object wants the key of its account to be, and what is
   there (or empty).  NGX_DECLINED: there is no such issuer. */
ngx_int_t ngx_torii_issuer_place(ngx_torii_acme_t *a, torii_str_t name,
    torii_str_t *namespace, ingress_secret_ref_t *ref, torii_str_t *there);
/* NULL: there is none that asks an authority. */
const ingress_object_t *ngx_torii_issuer_find(ngx_torii_acme_t *a,
    torii_str_t name);
/* What a Secret that it refers to has under key; "" if it is not there. */
torii_str_t ngx_torii_issuer_secret(ngx_torii_acme_t *a,
    const ingress_object_t *issuer, torii_str_t name, torii_str_t key);
/* The Secret itself, or NULL. */
const ingress_object_t *ngx_torii_issuer_secret_find(ngx_torii_acme_t *a,
    const ingress_object_t *issuer, torii_str_t name);


/* ngx_torii_solver.c: who writes the records of dns-01 */

/* By RFC 2136 to server, or by an account; strings live in the arena. */

typedef struct {
    struct ngx_torii_dnssync_s  *dnssync;    /* NULL: to server … */
    torii_str_t              account;    /* … or by this one of it; "": by the
                                            one that has the zone */
    ngx_torii_dns_server_t   server;     /* what is looked at, too */
    ngx_uint_t               follow;     /* names may be aliases */
} ngx_torii_solver_t;

/* NGX_ERROR: no memory. */
ngx_int_t ngx_torii_solvers_init(ngx_torii_acme_t *a);
/* Of a solver "ISSUER#INDEX".  NGX_ERROR: error says what is missing. */
ngx_int_t ngx_torii_solver_find(ngx_torii_acme_t *a, torii_arena_t *arena,
    torii_str_t name, ngx_torii_solver_t *solver, char error[256]);
/* Accounts of all issuers of a look. */
void ngx_torii_solvers_begin(ngx_torii_acme_t *a);
void ngx_torii_solvers_tell(ngx_torii_acme_t *a, torii_arena_t *arena,
    const ingress_object_t *issuer);
void ngx_torii_solvers_end(ngx_torii_acme_t *a);
/* Each second. */
void ngx_torii_solvers_beat(ngx_torii_acme_t *a);

/* ngx_torii_solver_account.c: NULL: error says what is missing */
struct dnssync_account_s *ngx_torii_solver_make(ngx_torii_acme_t *a,
    torii_arena_t *arena, const ingress_object_t *issuer,
    const ingress_dns_t *dns, torii_str_t name, char error[256]);
/* A plain field, "" if it is not there. */
torii_str_t ngx_torii_solver_field(const ingress_dns_t *dns,
    const char *name);


/* ngx_torii_challenge.c */

void ngx_torii_challenges_init(ngx_torii_acme_t *a);
void ngx_torii_challenge_present(ngx_torii_acme_t *a,
    const acme_action_t *action);
void ngx_torii_challenge_withdraw(ngx_torii_acme_t *a,
    const acme_action_t *action);
/* Who has come meanwhile. */
void ngx_torii_challenge_count(ngx_torii_acme_t *a);
/* All workers can answer what is in the table that was just published. */
void ngx_torii_challenge_published(ngx_torii_acme_t *a, ngx_uint_t published);
/* All gateways can, up to this set; unseen: some could not be seen to. */
void ngx_torii_challenge_spread(ngx_torii_acme_t *a, ngx_int_t set,
    const char *unseen);
/* Those that another leader has left are answered for a while. */
void ngx_torii_challenge_inherit(ngx_torii_acme_t *a,
    const ingress_challenge_t *all, uint32_t n);
/* The machine is gone, and with it all that waits. */
void ngx_torii_challenge_stop(ngx_torii_acme_t *a);


/* ngx_torii_look.c: what of the records is there → acme_looked() */
void ngx_torii_look_start(ngx_torii_acme_t *a, const acme_action_t *action);


/* ngx_torii_certificate.c */

/* Those that were kept go to the store. */
void ngx_torii_certificate_load(ngx_torii_acme_t *a);
/* Keeps one as a file, and has it served. */
ngx_int_t ngx_torii_certificate_keep(ngx_torii_acme_t *a,
    const acme_action_t *action);
/* It is kept: a Secret of that name is in the store, and in the next table. */
void ngx_torii_certificate_kept(ngx_torii_acme_t *a, torii_str_t id,
    torii_str_t chain, torii_str_t key);
/*
 * What is served under a Secret's name now, whoever made it; empty strings: not
 * there.  They live until the store changes.
 */
void ngx_torii_certificate_get(ngx_torii_acme_t *a, ngx_torii_wanted_t *w,
    torii_str_t *chain, torii_str_t *key);
/* Findings, and the files that the admin pages show, from the machine. */
void ngx_torii_certificate_report(ngx_torii_acme_t *a);


/* ngx_torii_sweep.c: of files that nobody names any more, once a day */
void ngx_torii_sweep(ngx_torii_acme_t *a);


/* ngx_torii_acme_metrics.c */

typedef enum {
    NGX_TORII_METRIC_EXPIRATION = 0,
    NGX_TORII_METRIC_NOT_AFTER,
    NGX_TORII_METRIC_NOT_BEFORE,
    NGX_TORII_METRIC_RENEWAL,
    NGX_TORII_METRIC_READY,
    NGX_TORII_METRIC_NEXT,
    NGX_TORII_METRIC_FAILURES,
    NGX_TORII_METRIC_ISSUER,
    NGX_TORII_METRIC_REQUESTS,
    NGX_TORII_METRIC_ORDERS,
    NGX_TORII_METRIC_NONCES,
    NGX_TORII_METRIC_LIMITED,
    NGX_TORII_METRIC_MAX
} ngx_torii_metric_e;

/* The series of each name, zeroed at first. */

typedef struct {
    torii_buf_t              names[NGX_TORII_METRIC_MAX];
} ngx_torii_metrics_t;

void ngx_torii_metrics_certificate(ngx_torii_metrics_t *m,
    const acme_status_t *s, const ngx_torii_wanted_t *w);
void ngx_torii_metrics_issuer(ngx_torii_metrics_t *m,
    const acme_issuer_status_t *s);
/* All of them as text, behind what is in out; m is empty then. */
void ngx_torii_metrics_join(ngx_torii_metrics_t *m, torii_buf_t *out);


/*
 * ngx_torii_notice.c: what happened to a certificate, as a finding about its
 * owner for some minutes, and so an Event.  reason is static.
 */
void ngx_torii_notice_init(ngx_torii_acme_t *a);
void ngx_torii_notice_add(ngx_torii_acme_t *a, torii_str_t want,
    const char *reason, ngx_uint_t warning, torii_str_t text);
/* 1: some are over. */
ngx_uint_t ngx_torii_notice_expire(ngx_torii_acme_t *a);
void ngx_torii_notice_findings(ngx_torii_acme_t *a,
    ingress_findings_t *findings);
/* A finding is about the owner of what is wanted. */
void ngx_torii_notice_owner(ingress_findings_t *findings,
    ingress_finding_t *f, const ngx_torii_wanted_t *w);


/*
 * ngx_torii_acme_cluster.c: what the source tells.  The API is where state is
 * kept; leads 1: this instance is the one that asks for certificates.  heard:
 * Secrets may have changed, before a table is made of them.
 */
struct ngx_torii_api_s;
void ngx_torii_acme_cluster_api(ngx_torii_acme_t *a,
    struct ngx_torii_api_s *api);
void ngx_torii_acme_cluster_lead(ngx_torii_acme_t *a, ngx_uint_t leads);
void ngx_torii_acme_cluster_heard(ngx_torii_acme_t *a);


#endif /* _NGX_TORII_ACME_H_INCLUDED_ */
