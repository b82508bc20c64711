
/*
 * The name servers of a zone, as the resolver finds them from above.
 */

#include "ngx_torii_dns_job.h"


#define NGX_TORII_DNS_SERVERS  15000         /* ms */
#define NGX_TORII_DNS_STEP     2000
#define NGX_TORII_DNS_FINDS    3


static void ngx_torii_dns_servers_found(ngx_torii_dns_job_t *job,
    const char *error);
static void ngx_torii_dns_servers_late(ngx_torii_dns_job_t *job);


static const ngx_torii_dns_kind_t  ngx_torii_dns_servers_kind = {
    ngx_torii_dns_job_find,
    NULL,                                    /* resolved */
    ngx_torii_dns_servers_found,
    NULL,                                    /* take */
    NULL,                                    /* answered */
    NULL,                                    /* wake */
    ngx_torii_dns_servers_late
};


ngx_int_t
ngx_torii_dns_servers(ngx_torii_dns_t *dns, torii_str_t zone,
    ngx_torii_dns_values_pt got, void *data)
{
    ngx_torii_dns_job_t  *job;

    job = ngx_torii_dns_job_create(dns, &ngx_torii_dns_servers_kind, 1,
                                   NGX_TORII_DNS_SERVERS);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->got = got;
    job->data = data;
    job->find = dnssync_find_create(zone, 0, 1);

    job->values = ngx_palloc(job->pool, DNSSYNC_SERVERS_MAX
                                        * sizeof(torii_str_t));
    if (job->values == NULL) {
        ngx_torii_dns_job_end(job, "no memory");

    } else if (job->find == NULL) {
        ngx_torii_dns_job_end(job, "the name is no DNS name");
    }

    return NGX_OK;
}


static void
ngx_torii_dns_servers_found(ngx_torii_dns_job_t *job, const char *error)
{
    unsigned     i, type;
    const char  *host;

    if (error) {

        if (dnssync_find_error(job->find)[0] == '\0'
            && ++job->tries < NGX_TORII_DNS_FINDS)
        {
            ngx_add_timer(&job->again, NGX_TORII_DNS_STEP);
            return;
        }

        ngx_torii_dns_job_end(job, "%s", error);
        return;
    }

    /* those of a zone above are none of this one */

    if (ngx_strcmp(dnssync_find_question(job->find, &type),
                   dnssync_find_name(job->find))
        == 0)
    {
        for (i = 0; i < DNSSYNC_SERVERS_MAX; i++) {
            host = dnssync_find_server(job->find, i);

            if (host == NULL) {
                break;
            }

            job->values[job->nvalues++] = torii_str((char *) host);
        }
    }

    ngx_torii_dns_job_end(job, NULL);
}


static void
ngx_torii_dns_servers_late(ngx_torii_dns_job_t *job)
{
    ngx_torii_dns_job_end(job, "no answer");
}
