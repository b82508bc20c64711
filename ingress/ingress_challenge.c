
/*
 * The lookup of challenges; the table was checked when it was opened.
 */

#include "ingress_challenge.h"


static const ingress_table_challenge_t *ingress_challenge_find(
    const ingress_table_t *t, const ingress_table_challenge_t *list,
    uint32_t n, torii_str_t name);


const ingress_table_challenge_t *
ingress_challenge_http(const ingress_table_t *t, torii_str_t token)
{
    return ingress_challenge_find(t, t->challenges_http,
                                  ingress_table_n(t, CHALLENGES_HTTP), token);
}


const ingress_table_challenge_t *
ingress_challenge_alpn(const ingress_table_t *t, torii_str_t name)
{
    return ingress_challenge_find(t, t->challenges_alpn,
                                  ingress_table_n(t, CHALLENGES_ALPN), name);
}


static const ingress_table_challenge_t *
ingress_challenge_find(const ingress_table_t *t,
    const ingress_table_challenge_t *list, uint32_t n, torii_str_t name)
{
    int       rc;
    uint32_t  low, mid;

    low = 0;

    while (low < n) {
        mid = low + (n - low) / 2;

        rc = torii_str_cmp(ingress_table_str(t, list[mid].name), name);

        if (rc == 0) {
            return &list[mid];
        }

        if (rc < 0) {
            low = mid + 1;

        } else {
            n = mid;
        }
    }

    return NULL;
}
