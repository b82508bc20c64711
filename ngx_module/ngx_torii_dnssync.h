
/*
 * What the helper's files of DNS share: the engine of dnssync_engine.h, the
 * accounts and objects that it is told of, and what becomes of its requests.
 */

#ifndef _NGX_TORII_DNSSYNC_H_INCLUDED_
#define _NGX_TORII_DNSSYNC_H_INCLUDED_


#include "ngx_torii_helper.h"
#include "ngx_torii_curl.h"
#include "ngx_torii_dns.h"
#include "ngx_torii_kubernetes.h"
#include "dnssync_engine.h"


#define NGX_TORII_DNSSYNC_TYPE  "torii/dns-provider"   /* of a Secret */

#define NGX_TORII_DNSSYNC_WRITER    64
#define NGX_TORII_DNSSYNC_INSTANCE  (NGX_TORII_DNSSYNC_WRITER + 32)


typedef struct ngx_torii_dnssync_s  ngx_torii_dnssync_t;


/* ngx_torii_dnssync.c */

/* NULL: no memory. */
ngx_torii_dnssync_t *ngx_torii_dnssync_create(ngx_torii_helper_t *h);
/* A table was compiled, of which h->out has the bytes. */
void ngx_torii_dnssync_compiled(ngx_torii_dnssync_t *d);
/* Each second. */
void ngx_torii_dnssync_beat(ngx_torii_dnssync_t *d);
/* Findings of DNS in front of the source's own. */
const ingress_finding_t *ngx_torii_dnssync_findings(ngx_torii_dnssync_t *d,
    const ingress_finding_t *source);
/*
 * In a cluster: where its API is, and whether this instance leads; lease is the
 * uid of the Lease by which it does, or empty.
 */
void ngx_torii_dnssync_api(ngx_torii_dnssync_t *d, ngx_torii_api_t *api);
void ngx_torii_dnssync_lead(ngx_torii_dnssync_t *d, ngx_uint_t leads,
    torii_str_t lease);
/* The engine is asked what to do, once the present call is over. */
void ngx_torii_dnssync_wake(ngx_torii_dnssync_t *d);
/* At objects, accounts and addresses, soon. */
void ngx_torii_dnssync_look(ngx_torii_dnssync_t *d);


/* The server that an account of RFC 2136 writes to. */

typedef struct {
    torii_str_t              account;
    torii_str_t              server;
} ngx_torii_dnssync_at_t;


struct ngx_torii_dnssync_s {
    ngx_torii_helper_t      *helper;
    ngx_log_t               *log;
    dnssync_engine_t        *engine;     /* NULL until there is an account */
    ngx_torii_curl_t        *curl;
    ngx_torii_dns_t         *dns;
    ngx_torii_api_t         *api;        /* of a cluster, once it is known */
    ngx_str_t                dir;        /* private/dns: state */
    ngx_str_t                requests;   /* private/requests */

    ngx_event_t              pump;
    ngx_event_t              look;
    ngx_connection_t         dummy;      /* what those point to */
    uint64_t                 looked;     /* us */
    ngx_uint_t               leads;
    torii_str_t              lease;      /* uid, or empty */

    torii_str_t              owner;      /* who we are in zones; empty: not
                                            known yet */
    unsigned                 asking:1;   /* the cluster for it */
    uint64_t                 ask;        /* us, not before then */

    torii_arena_t           *accounts;   /* of the last look … */
    uint64_t                 accounts_hash;
    ingress_findings_t       bad;        /* … what is wrong with Secrets */
    ngx_array_t              views;      /* of torii_str_t: of accounts */
    ngx_array_t              servers;    /* of ngx_torii_dnssync_at_t */
    ngx_uint_t               naccounts;
    uint64_t                 files;      /* us, settings in files not before */

    ngx_torii_address_t     *addresses;
    uint64_t                 due;        /* us, addresses not before */
    torii_arena_t           *settled;    /* of those that are published */
    ingress_address_t       *steady;
    ngx_uint_t               nsteady;
    uint64_t                 candidate;  /* hash of others … */
    uint64_t                 since;      /* us, … that are there since then */
    uint64_t                 seen[DNSSYNC_TYPES];    /* us: last had */
    uint64_t                 objects_hash;

    ngx_queue_t              trusts;     /* CAs of accounts' own */
    ngx_queue_t              challenges; /* of certificates, under way */

    torii_arena_t           *said;       /* of findings */
    ingress_finding_t       *findings;   /* a list … */
    ingress_finding_t       *last;       /* and its last one */
    uint64_t                 told;       /* hash of them */
    uint64_t                 report;     /* us, not before then */
    unsigned                 dirty:1;    /* findings and reports are old */
    unsigned                 mute:1;     /* no address: told */
};


/* ngx_torii_dnssync_send.c */

void ngx_torii_dnssync_send(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);
void ngx_torii_dnssync_trusts_init(ngx_torii_dnssync_t *d);
/* CAs that nobody has asked with for a while go; not from inside an answer. */
void ngx_torii_dnssync_trusts_sweep(ngx_torii_dnssync_t *d);


/* ngx_torii_dnssync_check.c: names and servers */

void ngx_torii_dnssync_resolve(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);
void ngx_torii_dnssync_verify(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);
void ngx_torii_dnssync_delegation(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);


/* ngx_torii_dnssync_challenge.c */

void ngx_torii_dnssync_challenges_init(ngx_torii_dnssync_t *d);
/*
 * Adds a value to the TXT records of a name, or removes it, by an account, or
 * by the one that has its zone (""); there must be an engine.  done is called
 * once, not from inside.
 */
void ngx_torii_dnssync_challenge(ngx_torii_dnssync_t *d, torii_str_t account,
    torii_str_t name, torii_str_t value, ngx_uint_t add,
    ngx_torii_dns_done_pt done, void *data);
/* The server that a name's zone is written to, if it is a name server. */
torii_str_t ngx_torii_dnssync_nameserver(ngx_torii_dnssync_t *d,
    torii_str_t name);
void ngx_torii_dnssync_challenged(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);


/* ngx_torii_dnssync_account.c: from Secrets to accounts */

/* Tells the engine, if there is something new. */
void ngx_torii_dnssync_accounts(ngx_torii_dnssync_t *d);
/* Of an account, a setting that is no secret; "" if there is none. */
torii_str_t ngx_torii_dnssync_server(ngx_torii_dnssync_t *d,
    torii_str_t account);


/* ngx_torii_dnssync_object.c: from Ingresses to what is to be in DNS */

void ngx_torii_dnssync_objects(ngx_torii_dnssync_t *d);
/* All objects are known, and would be seen to change. */
ngx_uint_t ngx_torii_dnssync_complete(ngx_torii_helper_t *h);


/* ngx_torii_dnssync_state.c: what is kept, and who we are */

void ngx_torii_dnssync_load(ngx_torii_dnssync_t *d);
void ngx_torii_dnssync_save(ngx_torii_dnssync_t *d,
    const dnssync_action_t *action);
/* NGX_OK: d->owner is known.  NGX_AGAIN: later. */
ngx_int_t ngx_torii_dnssync_owner(ngx_torii_dnssync_t *d);
/* WRITER.RUN, by which this process is known to others of the same owner. */
torii_str_t ngx_torii_dnssync_instance(ngx_torii_dnssync_t *d,
    u_char buf[NGX_TORII_DNSSYNC_INSTANCE]);


/* ngx_torii_dnssync_report.c */

/* Findings, and the files that the admin pages show. */
void ngx_torii_dnssync_report(ngx_torii_dnssync_t *d);


/* ngx_torii_dnssync_metrics.c: all series, behind what is in out */

void ngx_torii_dnssync_metrics(const dnssync_engine_t *engine,
    torii_buf_t *out);


#endif /* _NGX_TORII_DNSSYNC_H_INCLUDED_ */
