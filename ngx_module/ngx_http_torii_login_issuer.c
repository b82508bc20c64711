
/*
 * Further issuers whose tokens programs may bring: their keys come with the
 * table, and only with it.
 */

#include "ngx_http_torii_login.h"


static void ngx_http_torii_issuer_keys(ngx_http_torii_provider_t *p,
    torii_str_t issuer, torii_str_t jwks, ngx_log_t *log);


uint64_t
ngx_http_torii_login_issuers_hash(const ingress_table_t *t,
    const ingress_table_provider_t *record, uint64_t hash)
{
    uint32_t                i, n;
    torii_str_t             s;
    const ingress_entry_t  *entry;

    s = ingress_table_str(t, record->issuers);
    entry = (const ingress_entry_t *) s.data;
    n = s.len / sizeof(ingress_entry_t);

    for (i = 0; i < n; i++) {
        s = ingress_table_str(t, entry[i].name);
        hash = torii_hash(s.data, s.len, hash);

        s = ingress_table_str(t, entry[i].value);
        hash = torii_hash(s.data, s.len, hash);
    }

    return hash;
}


void
ngx_http_torii_login_issuers(ngx_http_torii_provider_t *p,
    const ingress_table_t *t, const ingress_table_provider_t *record,
    ngx_log_t *log)
{
    uint32_t                i, n;
    torii_str_t             list;
    const ingress_entry_t  *entry;

    list = ingress_table_str(t, record->issuers);
    entry = (const ingress_entry_t *) list.data;
    n = list.len / sizeof(ingress_entry_t);

    for (i = 0; i < n; i++) {
        ngx_http_torii_issuer_keys(p, ingress_table_str(t, entry[i].name),
                                   ingress_table_str(t, entry[i].value), log);
    }
}


/* The table may have one that the settings do not name any more. */

static void
ngx_http_torii_issuer_keys(ngx_http_torii_provider_t *p, torii_str_t issuer,
    torii_str_t jwks, ngx_log_t *log)
{
    uint32_t     i;
    const char  *error;

    for (i = 0; i < p->settings.nissuers; i++) {

        if (!torii_str_eq(p->settings.issuers[i].issuer, issuer)) {
            continue;
        }

        p->issuers[i] = oauth2_keys_create();

        if (oauth2_keys_set(p->issuers[i], jwks, torii_str(""), ngx_time(),
                            &error)
            != TORII_OK)
        {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "torii: the keys of issuer \"%*s\" of login "
                          "provider \"%*s\" cannot be used: %s", issuer.len,
                          issuer.data, p->id.len, p->id.data, error);
        }

        return;
    }
}


void
ngx_http_torii_login_issuers_free(ngx_http_torii_provider_t *p)
{
    uint32_t  i;

    for (i = 0; i < OAUTH2_ISSUERS_MAX; i++) {
        if (p->issuers[i]) {
            oauth2_keys_free(p->issuers[i]);
        }
    }
}


ngx_uint_t
ngx_http_torii_login_issuer(ngx_http_torii_provider_t *p, torii_arena_t *a,
    torii_str_t token, oauth2_trust_t *trust, const torii_jwks_t **keys)
{
    uint32_t                  i;
    torii_str_t               issuer;
    const oauth2_issuer_t    *one;
    const oauth2_provider_t  *provider;

    provider = &p->settings.provider;

    if (p->settings.nissuers == 0
        || oauth2_token_issuer(a, provider->algs, token, &issuer) != OAUTH2_OK)
    {
        return 0;
    }

    for (i = 0; i < p->settings.nissuers; i++) {
        one = &p->settings.issuers[i];

        if (torii_str_eq(one->issuer, issuer)) {
            trust->issuer = one->issuer;
            trust->client_id = torii_str("");
            trust->audiences = one->audiences;
            trust->naudiences = one->naudiences;
            trust->algs = provider->algs;
            trust->skew = provider->skew;

            *keys = p->issuers[i] ? oauth2_keys_get(p->issuers[i]) : NULL;

            return 1;
        }
    }

    return 0;
}
