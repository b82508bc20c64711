
/*
 * What the tasks of ngx_torii_dns.c are made of: a job, with its memory, its
 * questions to the resolver and its end; and the servers that it talks to.
 */

#ifndef _NGX_TORII_DNS_JOB_H_INCLUDED_
#define _NGX_TORII_DNS_JOB_H_INCLUDED_


#include "ngx_torii_ares.h"
#include "ngx_torii_dns.h"
#include "ngx_torii_dns_exchange.h"


#define NGX_TORII_DNS_ADDRS  8               /* of a server */
#define NGX_TORII_DNS_PEERS  (DNSSYNC_SERVERS_MAX + 1)
#define NGX_TORII_DNS_ERROR  1024


typedef struct ngx_torii_dns_job_s   ngx_torii_dns_job_t;
typedef struct ngx_torii_dns_peer_s  ngx_torii_dns_peer_t;


struct ngx_torii_dns_s {
    ngx_queue_t                    jobs;
    ngx_str_t                      resolver;
    X509_STORE                    *store;    /* the machine's own, when it is
                                                needed */
    ngx_log_t                     *log;
};


/* What a kind of job does; resolved and found are told errors in words. */

typedef struct {
    void                         (*begin)(ngx_torii_dns_job_t *job);
    void                         (*resolved)(ngx_torii_dns_peer_t *peer,
                                             const char *error);
    void                         (*found)(ngx_torii_dns_job_t *job,
                                          const char *error);
    ngx_int_t                    (*take)(ngx_torii_dns_peer_t *peer,
                                         torii_str_t answer);
    void                         (*answered)(ngx_torii_dns_peer_t *peer,
                                             const char *error);
    void                         (*wake)(ngx_torii_dns_peer_t *peer);
    void                         (*late)(ngx_torii_dns_job_t *job);
} ngx_torii_dns_kind_t;


typedef struct {
    ngx_sockaddr_t                 sockaddr;
    socklen_t                      socklen;
} ngx_torii_dns_addr_t;


struct ngx_torii_dns_peer_s {
    ngx_torii_dns_job_t           *job;
    ngx_str_t                      name;     /* for people */
    ngx_str_t                      host;     /* to resolve, NUL-terminated;
                                                empty: it is an address */
    in_port_t                      port;
    ngx_torii_dns_addr_t           addrs[NGX_TORII_DNS_ADDRS];
    ngx_uint_t                     naddrs;
    ngx_uint_t                     current;
    ngx_uint_t                     failed;   /* addresses in a row */

    ngx_torii_dns_exchange_t       exchange;
    dnssync_step_e                 step;     /* from the last answer */
    ngx_event_t                    timer;
    ngx_connection_t               dummy;    /* what timer.data points to */

    unsigned                       tcp:1;
    unsigned                       update:1; /* the server of updates */
    unsigned                       same:1;   /* another name of that */
    unsigned                       seen:1;   /* it has the value */
    unsigned                       reached:1;
    char                           error[DNSSYNC_ERROR_MAX];
};


struct ngx_torii_dns_job_s {
    ngx_queue_t                    queue;    /* in dns->jobs */
    ngx_torii_dns_t               *dns;
    const ngx_torii_dns_kind_t    *kind;
    ngx_pool_t                    *pool;
    ngx_torii_ares_t               ares;

    ngx_torii_dns_done_pt          done;
    ngx_torii_dns_target_pt        target;
    ngx_torii_dns_take_pt          take;
    ngx_torii_dns_addresses_pt     addresses;
    ngx_torii_dns_values_pt        got;
    void                          *data;

    ngx_event_t                    turn;     /* to begin, and to end */
    ngx_event_t                    deadline;
    ngx_event_t                    again;    /* to ask the resolver */
    ngx_connection_t               dummy;    /* what those point to */

    SSL_CTX                       *tls;
    dnssync_key_t                 *key;
    dnssync_change_t              *change;
    dnssync_find_t                *find;
    ngx_uint_t                     tries;    /* of find, failed */
    torii_str_t                    value;    /* in a TXT set; or, with type, a
                                                name */
    unsigned                       type;     /* of the set that is looked for */
    torii_str_t                   *addrs;    /* its values; or what was found
                                                of a name */
    ngx_uint_t                     naddrs;
    uint32_t                       ttl;
    torii_str_t                   *values;   /* found … */
    ngx_uint_t                     nvalues;
    torii_buf_t                    request;

    ngx_torii_dns_peer_t          *peers;
    ngx_uint_t                     npeers;

    unsigned                       ready:1;  /* all peers are known */
    unsigned                       merged:1; /* … by one server at least */
    unsigned                       ended:1;
    unsigned                       bad:1;    /* error says why */
    char                           error[NGX_TORII_DNS_ERROR];
};


/* A job with room for peers; its begin is called soon. */
ngx_torii_dns_job_t *ngx_torii_dns_job_create(ngx_torii_dns_t *dns,
    const ngx_torii_dns_kind_t *kind, ngx_uint_t npeers, ngx_msec_t timeout);
/* Nobody is told. */
void ngx_torii_dns_job_free(ngx_torii_dns_job_t *job);
/* The first end counts: NULL, or what went wrong. */
void ngx_torii_dns_job_end(ngx_torii_dns_job_t *job, const char *fmt, ...);
/* NULL: there is a channel. */
const char *ngx_torii_dns_job_ares(ngx_torii_dns_job_t *job);
/* Asks the resolver what job->find wants to know; found() tells the end. */
void ngx_torii_dns_job_find(ngx_torii_dns_job_t *job);
/* All servers that were found are asked. */
void ngx_torii_dns_job_ask(ngx_torii_dns_job_t *job);

ngx_torii_dns_peer_t *ngx_torii_dns_peer_add(ngx_torii_dns_job_t *job,
    const char *host);
/* NULL: its name server is none, or no memory. */
ngx_torii_dns_peer_t *ngx_torii_dns_peer_parse(ngx_torii_dns_job_t *job,
    const ngx_torii_dns_server_t *server);
void ngx_torii_dns_peer_resolve(ngx_torii_dns_peer_t *peer);
/* Sends job->request to the current address. */
void ngx_torii_dns_peer_ask(ngx_torii_dns_peer_t *peer);
/* The next address is the current one.  NGX_DECLINED: all were tried. */
ngx_int_t ngx_torii_dns_peer_next(ngx_torii_dns_peer_t *peer);
void ngx_torii_dns_peer_wait(ngx_torii_dns_peer_t *peer, ngx_msec_t wait);

unsigned ngx_torii_dns_id(void);


#endif /* _NGX_TORII_DNS_JOB_H_INCLUDED_ */
