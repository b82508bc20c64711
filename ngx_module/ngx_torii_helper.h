
/*
 * What the files of the helper process share: its state, the sources of
 * objects, the pipeline from objects to tables, the writer of table files and
 * control page, the resolver of names and the log of findings.
 */

#ifndef _NGX_TORII_HELPER_H_INCLUDED_
#define _NGX_TORII_HELPER_H_INCLUDED_


#include "ngx_http_torii.h"


/* ngx_torii_publish.c: one writer at a time, the holder of the lock */

typedef struct {
    ngx_str_t              dir;          /* state/table */
    ngx_torii_control_t   *control;      /* mapped for writing, or NULL */
    dev_t                  dev;          /* of the page's file */
    ino_t                  ino;
} ngx_torii_publisher_t;

/* Makes or keeps the control page, removes what earlier helpers left. */
ngx_int_t ngx_torii_publish_open(ngx_torii_publisher_t *pub, ngx_log_t *log);

/*
 * NGX_OK: written and published as the next generation.  NGX_DECLINED: the
 * newest file has these very bytes already.  NGX_ERROR: not written (logged);
 * what was in force stays.
 */
ngx_int_t ngx_torii_publish(ngx_torii_publisher_t *pub, torii_buf_t *bytes,
    ngx_log_t *log);

/* The newest sound table on disk, or NGX_DECLINED. */
ngx_int_t ngx_torii_publish_last(ngx_torii_publisher_t *pub,
    ingress_table_t *table);

/* Whether a path no longer names the file we have open. */
ngx_uint_t ngx_torii_publish_moved(u_char *path, dev_t dev, ino_t ino);
ngx_uint_t ngx_torii_publish_lost(ngx_torii_publisher_t *pub);

uint64_t ngx_torii_publish_ms(void);     /* since 1970 */
uint64_t ngx_torii_publish_us(void);     /* monotonic */
/* us that the helper has run: on a busy machine the time that passes is several
   times as long, and what is done for a share of it would wait that long */
uint64_t ngx_torii_publish_cpu(void);


/* ngx_torii_resolver.c: keeps names resolved, by c-ares on this event loop */

typedef struct ngx_torii_resolver_s  ngx_torii_resolver_t;

/*
 * A name was resolved (IPv4 as ::ffff:a.b.c.d), for the first time or again.
 * Failures are logged and tried again; the handler hears only of a first one,
 * with n 0.  It must not call back into the resolver.
 */
typedef void (*ngx_torii_resolver_pt)(void *data, ngx_str_t *name,
    const uint8_t (*addrs)[16], ngx_uint_t n);

/* servers: "ADDR[:PORT][,…]", NUL-terminated; empty: /etc/resolv.conf. */
ngx_torii_resolver_t *ngx_torii_resolver_create(ngx_pool_t *pool,
    ngx_str_t *servers, ngx_torii_resolver_pt handler, void *data,
    ngx_log_t *log);

/*
 * Say all wanted names between begin and end; others are forgotten.  Returns
 * how many are new.
 */
void ngx_torii_resolver_begin(ngx_torii_resolver_t *resolver);
void ngx_torii_resolver_want(ngx_torii_resolver_t *resolver, ngx_str_t *name);
ngx_uint_t ngx_torii_resolver_end(ngx_torii_resolver_t *resolver);

/* How many names have not had their first answer, good or bad. */
ngx_uint_t ngx_torii_resolver_fresh(ngx_torii_resolver_t *resolver);


/* ngx_torii_finding.c: errors in the objects go to the log, once each */

typedef struct {
    ngx_log_t                   *log;
    ngx_str_t                    where;      /* to look for the rest */
    uint64_t                    *known;      /* hashes, of the last compile */
    size_t                       n;
    ngx_int_t                    lines;      /* that may still be logged */
    time_t                       counted;    /* when lines was */
} ngx_torii_finding_log_t;

void ngx_torii_finding_log(ngx_torii_finding_log_t *fl,
    ingress_findings_t *findings);


typedef struct ngx_torii_helper_s  ngx_torii_helper_t;


/*
 * Where objects come from.  A source fills h->store as it learns of them, and
 * tells the pipeline by ngx_torii_pipeline_changed() and _complete().
 */

typedef struct {
    ngx_int_t                  (*start)(ngx_torii_helper_t *h);

    /* Whether it is there: what is not may not take anything away. */
    ngx_uint_t                 (*present)(ngx_torii_helper_t *h);

    /* Its own findings, valid until it runs again. */
    const ingress_finding_t   *(*findings)(ngx_torii_helper_t *h);

    /* A table was compiled with these findings; may be NULL. */
    void                       (*compiled)(ngx_torii_helper_t *h,
                                           ingress_findings_t *findings);

    /* Brings its rows in the control page up to date, each second. */
    void                       (*report)(ngx_torii_helper_t *h);
} ngx_torii_source_t;

extern const ngx_torii_source_t  ngx_torii_folder_source;
extern const ngx_torii_source_t  ngx_torii_kubernetes_source;


/* The state of a helper process. */

struct ngx_torii_helper_s {
    ngx_http_torii_main_conf_t  *tmcf;
    ngx_log_t                   *log;
    ngx_pool_t                  *pool;

    int                          lock;
    dev_t                        lock_dev;
    ino_t                        lock_ino;
    ngx_torii_publisher_t        pub;

    ingress_store_t             *store;
    ingress_options_t            options;
    const ngx_torii_source_t    *source;
    void                        *feed;       /* the source's own */
    ngx_torii_resolver_t        *resolver;
    struct ngx_torii_acme_s     *acme;       /* NULL: off */
    struct ngx_torii_dnssync_s  *dnssync;    /* NULL: off */
    struct ngx_torii_discovery_s  *discovery;    /* of logins */
    ngx_torii_finding_log_t      findings;

    ngx_event_t                  start;
    ngx_event_t                  beat;
    ngx_event_t                  publish;
    ngx_connection_t             dummy;      /* what those point to */

    uint64_t                     born;       /* us, as all times here */
    uint64_t                     seen;       /* first change to publish, or 0 */
    uint64_t                     next;       /* not to publish before */
    uint64_t                     hold;       /* for new names, until then */
    ngx_msec_t                   retry;
    torii_buf_t                  out;        /* kept for its memory */

    unsigned                     started:1;
    unsigned                     standby:1;
    unsigned                     complete:1; /* source was read whole once */
    unsigned                     partial:1;  /* more of a change will come */
    unsigned                     compiled:1;
    unsigned                     names:1;    /* may have changed */
};


/* ngx_torii_helper.c */

#define NGX_TORII_HELPER_RETRY      1000     /* ms, doubled per failure */
#define NGX_TORII_HELPER_RETRY_MAX  8000

/* The handler finds the helper as ((ngx_connection_t *) ev->data)->data. */
void ngx_torii_helper_event(ngx_torii_helper_t *h, ngx_event_t *ev,
    ngx_event_handler_pt handler);
void ngx_torii_helper_arm(ngx_event_t *ev, ngx_msec_t wait);
/* Sets h->retry, the wait until what failed is tried again. */
void ngx_torii_helper_backoff(ngx_torii_helper_t *h);

/* ngx_torii_pipeline.c: source → store → table, from now on */

ngx_int_t ngx_torii_pipeline_start(ngx_torii_helper_t *h);

/* The store, or a finding of the source, has changed; noticed at since (us). */
void ngx_torii_pipeline_changed(ngx_torii_helper_t *h, uint64_t since);
/* The source was read whole: what it says is all there is. */
void ngx_torii_pipeline_complete(ngx_torii_helper_t *h);
/* Publishes what has changed, now or as soon as it may be. */
void ngx_torii_pipeline_publish(ngx_torii_helper_t *h);


#endif /* _NGX_TORII_HELPER_H_INCLUDED_ */
