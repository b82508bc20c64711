
/*
 * What the helper finds wrong with the settings of a provider: a worker answers
 * 503 where one of them is.
 */

#include "ngx_torii_discovery_ask.h"


/* An oauth2_settings_pt. */

void
ngx_torii_login_check(void *data, torii_str_t name, const char *text)
{
    ngx_torii_discovery_one_t *one = data;

    ingress_findings_t     *list;
    ngx_torii_discovery_t  *d;

    d = one->discovery;
    list = &one->wrong;

    if (list->arena == NULL) {
        ingress_findings_init(list, one->arena);
    }

    ingress_login_wrong(d->helper->store, list, one->name, name, text);

    /* the table that they go with was compiled already */

    d->again = 1;
}


void
ngx_torii_login_check_tell(ngx_torii_discovery_one_t *one,
    ingress_findings_t *to)
{
    ingress_finding_t  *f;

    for (f = one->wrong.first; f; f = f->next) {
        ingress_finding_copy(to, f);
    }
}
