
/*
 * Which route answers a request: the lookup of the data plane, used alike by
 * the workers and by "torii explain".
 */

#ifndef _INGRESS_ROUTE_H_INCLUDED_
#define _INGRESS_ROUTE_H_INCLUDED_


#include "ingress_table.h"
#include "torii_regex.h"


typedef struct {
    const ingress_table_host_t   *host;    /* never NULL: "_" at worst */
    const ingress_table_route_t  *route;   /* NULL: nothing, 404 */
    const ingress_table_path_t   *path;    /* entry that matched, or NULL */
    unsigned                      slash:1; /* redirect to uri + "/" (301) */
    unsigned                      failed:1;   /* a regex hit its limit, or all
                                                 have taken too long: 503 */
} ingress_match_t;

/*
 * host: lower case, without port and trailing dot; "" if none was sent.
 * uri: decoded and normalised, without query.  regexes: the process' cache.
 */
void ingress_route_find(const ingress_table_t *t, torii_regex_cache_t *regexes,
    torii_str_t host, torii_str_t uri, ingress_match_t *match);

/* The host of exactly this name, "*.example" among them, or NULL. */
const ingress_table_host_t *ingress_route_name(const ingress_table_t *t,
    torii_str_t name);

/* The first step alone, which the TLS handshake needs too. */
const ingress_table_host_t *ingress_route_host(const ingress_table_t *t,
    torii_regex_cache_t *regexes, torii_str_t host);

/*
 * rewrite-target applied: the path text as an unanchored, caseless regex, $1
 * to $9 replaced.  *out is written into buf (size bytes).  TORII_DECLINED: the
 * regex does not match; TORII_ERROR: too long or a limit was hit.
 */
int ingress_route_rewrite(const ingress_table_t *t,
    torii_regex_cache_t *regexes, const ingress_match_t *match,
    torii_str_t uri, unsigned char *buf, size_t size, torii_str_t *out);


#endif /* _INGRESS_ROUTE_H_INCLUDED_ */
