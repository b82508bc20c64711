
/*
 * Logins that succeed, and do not last: a browser that loses its cookie, or a
 * session that ends at once, would be sent to the provider and back for ever.
 */

#include "ngx_http_torii_endpoint.h"

#include <openssl/evp.h>


#define NGX_HTTP_TORII_LOOP_MAX   5     /* logins within that time, */
#define NGX_HTTP_TORII_LOOP_TIME  60    /* s */


static void ngx_http_torii_loop_add(EVP_MD_CTX *md, const u_char *p,
    size_t len);


/*
 * Who comes back to another page has several tabs.  Each login takes a place of
 * its own among those that are used once; when all are taken, it is a loop.
 */

ngx_uint_t
ngx_http_torii_endpoint_loops(ngx_http_torii_endpoint_t *e,
    const oauth2_session_t *s, torii_str_t rd)
{
    u_char               place, id[EVP_MAX_MD_SIZE];
    EVP_MD_CTX          *md;
    ngx_int_t            rc;
    ngx_table_elt_t     *agent;
    ngx_connection_t    *c;

    c = e->request->connection;
    agent = e->request->headers_in.user_agent;

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return 0;
    }

    rc = NGX_DECLINED;

    for (place = 0; place < NGX_HTTP_TORII_LOOP_MAX && rc == NGX_DECLINED;
         place++)
    {
        (void) EVP_DigestInit_ex(md, EVP_sha256(), NULL);

        ngx_http_torii_loop_add(md, (u_char *) "loop", 4);
        ngx_http_torii_loop_add(md, &place, 1);
        ngx_http_torii_loop_add(md, e->provider->id.data, e->provider->id.len);
        ngx_http_torii_loop_add(md, e->origin.data, e->origin.len);
        ngx_http_torii_loop_add(md, rd.data, rd.len);
        ngx_http_torii_loop_add(md, s->sub.data, s->sub.len);
        ngx_http_torii_loop_add(md, c->addr_text.data, c->addr_text.len);

        if (agent) {
            ngx_http_torii_loop_add(md, agent->value.data, agent->value.len);
        }

        rc = EVP_DigestFinal_ex(md, id, NULL) == 1
             ? ngx_torii_login_once(NGX_TORII_ONCE_STATE, id,
                                    ngx_time() + NGX_HTTP_TORII_LOOP_TIME)
             : NGX_ERROR;
    }

    EVP_MD_CTX_free(md);

    /* where nobody can tell, it is none */

    return rc == NGX_DECLINED;
}


static void
ngx_http_torii_loop_add(EVP_MD_CTX *md, const u_char *p, size_t len)
{
    uint64_t  n;

    n = len;

    (void) EVP_DigestUpdate(md, &n, sizeof(n));
    (void) EVP_DigestUpdate(md, p, len);
}
