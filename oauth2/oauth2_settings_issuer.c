
/*
 * extra-jwt-issuers: whose tokens programs may bring, beside the provider's.
 */

#include "oauth2_settings_option.h"


static int oauth2_option_issuer(oauth2_issuer_t *list, uint32_t *n,
    oauth2_reading_t *o, torii_str_t issuer, torii_str_t audience);


/* "ISSUER=AUDIENCE": an issuer that comes again has a further audience. */

const char *
oauth2_option_issuers(oauth2_reading_t *o, torii_str_t value)
{
    uint32_t          i, n, items;
    torii_str_t      *item, issuer, audience;
    oauth2_issuer_t  *list;

    item = oauth2_option_items(o, value, &items);

    if (item == NULL || items == 0) {
        return "is empty, has too many items, or control bytes";
    }

    list = torii_arena_alloc(o->arena, OAUTH2_ISSUERS_MAX
                                       * sizeof(oauth2_issuer_t));
    n = 0;

    for (i = 0; i < items; i++) {
        audience = item[i];
        (void) torii_str_next(&audience, "=", &issuer);

        if (issuer.len == 0 || audience.len == 0
            || memchr(audience.data, '=', audience.len))
        {
            return "is not of \"ISSUER=AUDIENCE\"";
        }

        if (!oauth2_option_issuer(list, &n, o, issuer, audience)) {
            return "has more than 8 issuers";
        }
    }

    o->settings->issuers = list;
    o->settings->nissuers = n;

    return NULL;
}


static int
oauth2_option_issuer(oauth2_issuer_t *list, uint32_t *n, oauth2_reading_t *o,
    torii_str_t issuer, torii_str_t audience)
{
    uint32_t      i;
    torii_str_t  *audiences;

    for (i = 0; i < *n && !torii_str_eq(list[i].issuer, issuer); i++) {
        /* void */
    }

    if (i == OAUTH2_ISSUERS_MAX) {
        return 0;
    }

    if (i == *n) {
        list[i].issuer = issuer;
        list[i].naudiences = 0;
        (*n)++;
    }

    audiences = torii_arena_alloc(o->arena, (list[i].naudiences + 1)
                                            * sizeof(torii_str_t));
    if (list[i].naudiences) {
        memcpy(audiences, list[i].audiences,
               list[i].naudiences * sizeof(torii_str_t));
    }

    audiences[list[i].naudiences++] = audience;
    list[i].audiences = audiences;

    return 1;
}


const char *
oauth2_settings_issuers(const oauth2_settings_t *s)
{
    uint32_t  i;

    if (s->nissuers && !s->bearer) {
        return "is for tokens that only skip-jwt-bearer-tokens takes";
    }

    for (i = 0; i < s->nissuers; i++) {

        if (oauth2_issuer_check(s->issuers[i].issuer, s->provider.loopback)) {
            return "has an issuer that is no https URL or has a query";
        }

        if (torii_str_eq(s->issuers[i].issuer, s->provider.issuer)) {
            return "has the issuer of oidc-issuer-url: its audiences are "
                   "those of oidc-extra-audience";
        }
    }

    return NULL;
}
