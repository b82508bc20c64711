
/*
 * Issuers that need nobody: a CA whose key is at hand, and none at all.
 */

#include <stdlib.h>

#include "acme_engine.h"


#define ACME_LOCAL_LIFE  (90 * 86400)       /* s, where nothing is said */
#define ACME_LOCAL_BACK  60                 /* for clocks that are behind */


static int
acme_local_sign(acme_entry_t *e, torii_buf_t *pem, char error[256])
{
    int             rc;
    int64_t         from, to;
    uint32_t        i;
    torii_str_t    *names;
    acme_names_t    list;
    acme_issuer_t  *issuer;

    issuer = e->issuer;

    from = (int64_t) (e->acme->now / 1000) - ACME_LOCAL_BACK;
    to = from + (e->want.duration ? e->want.duration : ACME_LOCAL_LIFE);

    names = torii_malloc(e->want.n * sizeof(torii_str_t));

    for (i = 0; i < e->want.n; i++) {
        names[i] = e->want.names[i].name;
    }

    list.names = names;
    list.n = e->want.n;

    rc = acme_sign(e->order_key, &list, e->want.common_name, from, to,
                   issuer->conf.ca_chain, issuer->ca_key, pem, error);

    free(names);

    return rc;
}


void
acme_local_issue(acme_entry_t *e)
{
    char         error[256];
    torii_str_t  chain;
    torii_buf_t  pem = { NULL, 0, 0 };

    if (acme_local_sign(e, &pem, error) != TORII_OK) {
        acme_issue_refused(e, ACME_FAIL_CONFIG, "%s", error);
        torii_buf_free(&pem);
        return;
    }

    chain.data = pem.data;
    chain.len = pem.len;

    acme_issue_issued(e, chain);
    torii_buf_free(&pem);
}
