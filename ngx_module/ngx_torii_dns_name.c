
/*
 * Addresses of a name, as the resolver has them now.
 */

#include "ngx_torii_dns_job.h"


#define NGX_TORII_DNS_NAME   20000           /* ms */
#define NGX_TORII_DNS_NAMES  64              /* addresses of one */
#define NGX_TORII_DNS_TTL    86400


static void ngx_torii_dns_name_begin(ngx_torii_dns_job_t *job);
static void ngx_torii_dns_name_found(void *data, int status, int timeouts,
    struct ares_addrinfo *res);
static void ngx_torii_dns_name_take(ngx_torii_dns_job_t *job,
    const struct ares_addrinfo *res);
static torii_str_t ngx_torii_dns_name_text(ngx_torii_dns_job_t *job,
    const struct sockaddr *sockaddr);
static void ngx_torii_dns_name_late(ngx_torii_dns_job_t *job);


static const ngx_torii_dns_kind_t  ngx_torii_dns_name_kind = {
    ngx_torii_dns_name_begin,
    NULL,                                    /* resolved */
    NULL,                                    /* found */
    NULL,                                    /* take */
    NULL,                                    /* answered */
    NULL,                                    /* wake */
    ngx_torii_dns_name_late
};


ngx_int_t
ngx_torii_dns_addresses(ngx_torii_dns_t *dns, torii_str_t name,
    ngx_torii_dns_addresses_pt done, void *data)
{
    u_char               *p;
    ngx_torii_dns_job_t  *job;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_name_kind, 1,
                                   NGX_TORII_DNS_NAME);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->addresses = done;
    job->data = data;

    /* with a dot behind it, which keeps the search list out */

    p = ngx_pnalloc(job->pool, name.len + 2);
    if (p == NULL) {
        ngx_torii_dns_job_end(job, "no memory");
        return NGX_OK;
    }

    job->value.data = p;
    job->value.len = name.len;

    p = ngx_cpymem(p, name.data, name.len);
    *p++ = '.';
    *p = '\0';

    return NGX_OK;
}


static void
ngx_torii_dns_name_begin(ngx_torii_dns_job_t *job)
{
    const char                 *error;
    struct ares_addrinfo_hints  hints;

    error = ngx_torii_dns_job_ares(job);

    if (error) {
        ngx_torii_dns_job_end(job, "%s", error);
        return;
    }

    ngx_memzero(&hints, sizeof(struct ares_addrinfo_hints));

    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;

    ares_getaddrinfo(job->ares.channel, (char *) job->value.data, NULL, &hints,
                     ngx_torii_dns_name_found, job);

    ngx_torii_ares_arm(&job->ares);
}


static void
ngx_torii_dns_name_found(void *data, int status, int timeouts,
    struct ares_addrinfo *res)
{
    ngx_torii_dns_job_t *job = data;

    if (res && !job->ended) {
        ngx_torii_dns_name_take(job, res);
    }

    if (res) {
        ares_freeaddrinfo(res);
    }

    if (status == ARES_SUCCESS && job->naddrs == 0) {
        status = ARES_ENODATA;
    }

    if (status == ARES_SUCCESS) {
        ngx_torii_dns_job_end(job, NULL);

    } else {
        ngx_torii_dns_job_end(job, "%s", ares_strerror(status));
    }
}


static void
ngx_torii_dns_name_take(ngx_torii_dns_job_t *job,
    const struct ares_addrinfo *res)
{
    torii_str_t                       text;
    const struct ares_addrinfo_node  *node;

    job->addrs = ngx_palloc(job->pool,
                            NGX_TORII_DNS_NAMES * sizeof(torii_str_t));
    if (job->addrs == NULL) {
        return;
    }

    job->ttl = NGX_TORII_DNS_TTL;

    for (node = res->nodes; node; node = node->ai_next) {

        text = ngx_torii_dns_name_text(job, node->ai_addr);

        if (text.len == 0 || job->naddrs == NGX_TORII_DNS_NAMES) {
            continue;
        }

        job->addrs[job->naddrs++] = text;

        if (node->ai_ttl >= 0 && (uint32_t) node->ai_ttl < job->ttl) {
            job->ttl = node->ai_ttl;
        }
    }
}


static torii_str_t
ngx_torii_dns_name_text(ngx_torii_dns_job_t *job,
    const struct sockaddr *sockaddr)
{
    char           text[INET6_ADDRSTRLEN];
    const void    *addr;
    torii_str_t    s;

    ngx_memzero(&s, sizeof(torii_str_t));

    switch (sockaddr->sa_family) {

    case AF_INET:
        addr = &((const struct sockaddr_in *) sockaddr)->sin_addr;
        break;

    case AF_INET6:
        addr = &((const struct sockaddr_in6 *) sockaddr)->sin6_addr;
        break;

    default:
        return s;
    }

    if (inet_ntop(sockaddr->sa_family, addr, text, sizeof(text)) == NULL) {
        return s;
    }

    s.data = ngx_pnalloc(job->pool, ngx_strlen(text));

    if (s.data) {
        s.len = ngx_strlen(text);
        ngx_memcpy(s.data, text, s.len);
    }

    return s;
}


static void
ngx_torii_dns_name_late(ngx_torii_dns_job_t *job)
{
    ngx_torii_dns_job_end(job, "no answer");
}
