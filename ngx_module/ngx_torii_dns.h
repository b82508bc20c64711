
/*
 * DNS in the helper process: TXT records written to the primary server of
 * their zone (RFC 2136, TSIG), and looked at on all servers of it; c-ares and
 * sockets on nginx's event loop, nothing blocks.
 */

#ifndef _NGX_TORII_DNS_H_INCLUDED_
#define _NGX_TORII_DNS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <openssl/x509.h>

#include "torii.h"


typedef struct ngx_torii_dns_s  ngx_torii_dns_t;


typedef struct {
    torii_str_t    nameserver;   /* "host[:53]"; a name, IPv4 or [IPv6] */
    torii_str_t    key_name;     /* empty: not signed */
    torii_str_t    algorithm;    /* "HMACSHA256", "hmac-sha256." …; empty:
                                    HMACMD5, as cert-manager has it */
    torii_str_t    secret;       /* decoded */
    unsigned       tcp;          /* at once */
    unsigned       tls;          /* DNS over TLS, ngx_torii_dns_ask() only … */
    X509_STORE    *store;        /* … and whom to trust; NULL: as the machine */
} ngx_torii_dns_server_t;


/*
 * Handlers are called exactly once, and never from inside the call that named
 * them; only when dns goes with its pool are they not called.  error, NULL if
 * all is well, target and values live as long as the handler runs.
 */

typedef void (*ngx_torii_dns_done_pt)(void *data, const char *error);
typedef void (*ngx_torii_dns_target_pt)(void *data, const char *error,
    torii_str_t target);
/* NGX_OK: that was the last; NGX_AGAIN: it was not, or not an answer to this;
   NGX_DECLINED: it is truncated.  It may not free dns. */
typedef ngx_int_t (*ngx_torii_dns_take_pt)(void *data, torii_str_t answer);

typedef void (*ngx_torii_dns_values_pt)(void *data, const char *error,
    const torii_str_t *values, ngx_uint_t n);


/* n 0: it failed; ttl: seconds that they are good for. */
typedef void (*ngx_torii_dns_addresses_pt)(void *data,
    const torii_str_t *addresses, ngx_uint_t n, uint32_t ttl);

/* resolver: as of ngx_torii_resolver_create(); referred to. */
ngx_torii_dns_t *ngx_torii_dns_create(ngx_pool_t *pool, ngx_str_t *resolver,
    ngx_log_t *log);

/*
 * Adds a value to the TXT records of a name, or (add 0) removes this very one.
 * All strings are copied.  NGX_ERROR: out of memory (logged), done will not be
 * called.
 */
ngx_int_t ngx_torii_dns_txt(ngx_torii_dns_t *dns,
    const ngx_torii_dns_server_t *server, torii_str_t name, torii_str_t value,
    ngx_uint_t add, uint32_t ttl, ngx_torii_dns_done_pt done, void *data);

/*
 * Asks all servers of the name's zone, every 2 seconds, until they have the
 * value or timeout is over (ms, 0: 120 s).  server may be NULL; otherwise it is
 * asked too, is the only one to be asked when the resolver knows no others,
 * and those who have its address are taken for it, on its port.  follow: where
 * the name is an alias (CNAME), its target is looked at.
 *
 * An error that begins with "warning: " tells that server has the value and
 * that the others did not so much as answer.
 */
ngx_int_t ngx_torii_dns_txt_seen(ngx_torii_dns_t *dns, torii_str_t name,
    torii_str_t value, const ngx_torii_dns_server_t *server, ngx_uint_t follow,
    ngx_msec_t timeout, ngx_torii_dns_done_pt done, void *data);

/*
 * The same of a whole set of A, AAAA, CNAME or TXT: these values and no others,
 * or, without values, that it is gone.  The resolver is asked about the zone
 * only: it would remember that a new name is not there.
 */
ngx_int_t ngx_torii_dns_set_seen(ngx_torii_dns_t *dns, torii_str_t zone,
    torii_str_t name, unsigned type, const torii_str_t *values, ngx_uint_t n,
    const ngx_torii_dns_server_t *server, ngx_msec_t timeout,
    ngx_torii_dns_done_pt done, void *data);

/* Addresses of a name, by the resolver. */
ngx_int_t ngx_torii_dns_addresses(ngx_torii_dns_t *dns, torii_str_t name,
    ngx_torii_dns_addresses_pt done, void *data);

/*
 * A message as it is, to one server; take gets what comes back, and done tells
 * the end.  A stream may last 10 minutes, timeout ms between its messages.
 */
ngx_int_t ngx_torii_dns_ask(ngx_torii_dns_t *dns,
    const ngx_torii_dns_server_t *server, torii_str_t message,
    ngx_uint_t stream, ngx_msec_t timeout, ngx_torii_dns_take_pt take,
    ngx_torii_dns_done_pt done, void *data);

#define NGX_TORII_DNS_VALUES  32             /* of a name, more are not seen */

/*
 * The TXT values that all servers of the name's zone have which answer, within
 * 15 seconds; when none does, those that the resolver has.  Aliases are
 * followed.  No values are no error.
 */
ngx_int_t ngx_torii_dns_txt_look(ngx_torii_dns_t *dns, torii_str_t name,
    ngx_torii_dns_values_pt got, void *data);

/*
 * The name servers of a zone, as the resolver finds them from above.  No values
 * and no error: there is no such zone, the name is in one above.
 */
ngx_int_t ngx_torii_dns_servers(ngx_torii_dns_t *dns, torii_str_t zone,
    ngx_torii_dns_values_pt got, void *data);

/* What a name is an alias of, at the end; the name itself if of nothing. */
ngx_int_t ngx_torii_dns_target(ngx_torii_dns_t *dns, torii_str_t name,
    ngx_torii_dns_target_pt done, void *data);


#endif /* _NGX_TORII_DNS_H_INCLUDED_ */
