
/*
 * Policy records: where their refs are, and the pools that these point into.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ingress_annotation.h"


#define ingress_ref_at(record, off)                                           \
    ((ingress_ref_t *) (void *) ((unsigned char *) (record) + (off)))


static void ingress_policy_move_entries(ingress_ref_t *ref,
    const unsigned char *from, torii_buf_t *to);


const uint16_t  ingress_policy_refs[] = {
    offsetof(ingress_policy_t, rewrite_target),
    offsetof(ingress_policy_t, upstream_vhost),
    offsetof(ingress_policy_t, forwarded_prefix),
    offsetof(ingress_policy_t, redirect),
    offsetof(ingress_policy_t, redirect_from),
    offsetof(ingress_policy_t, redirect_to),
    offsetof(ingress_policy_t, cookie_domain_from),
    offsetof(ingress_policy_t, cookie_domain_to),
    offsetof(ingress_policy_t, cookie_path_from),
    offsetof(ingress_policy_t, cookie_path_to),
    offsetof(ingress_policy_t, fastcgi_index),
    offsetof(ingress_policy_t, fastcgi_params),
    offsetof(ingress_policy_t, ssl_name),
    offsetof(ingress_policy_t, ssl_ciphers),
    offsetof(ingress_policy_t, cors_origins),
    offsetof(ingress_policy_t, cors_methods),
    offsetof(ingress_policy_t, cors_headers),
    offsetof(ingress_policy_t, cors_expose),
    offsetof(ingress_policy_t, allow),
    offsetof(ingress_policy_t, deny_list),
    offsetof(ingress_policy_t, realm)
};

const uint32_t  ingress_policy_nrefs = sizeof(ingress_policy_refs)
                                       / sizeof(ingress_policy_refs[0]);

const uint16_t  ingress_global_refs[] = {
    offsetof(ingress_global_t, forwarded_for_header),
    offsetof(ingress_global_t, real_ip_networks),
    offsetof(ingress_global_t, hsts_value)
};

const uint32_t  ingress_global_nrefs = sizeof(ingress_global_refs)
                                       / sizeof(ingress_global_refs[0]);


ingress_ref_t
ingress_pool_add(torii_buf_t *pool, const void *data, size_t len)
{
    size_t          pad;
    ingress_ref_t   ref;
    unsigned char  *p;

    ref.off = 0;
    ref.len = 0;

    if (len == 0) {
        return ref;
    }

    pad = (8 - (pool->len & 7)) & 7;

    if (len > UINT32_MAX - 16 || pool->len > UINT32_MAX - 16 - len) {
        (void) fprintf(stderr, "torii: a string pool is full\n");
        abort();
    }

    p = torii_buf_room(pool, pad + len + 1);

    memset(p, 0, pad);
    memcpy(p + pad, data, len);
    p[pad + len] = '\0';

    ref.off = pool->len + pad;
    ref.len = len;

    pool->len += pad + len + 1;

    return ref;
}


torii_str_t
ingress_pool_str(const torii_buf_t *pool, ingress_ref_t ref)
{
    torii_str_t  s;

    if (ref.len == 0 || ref.off > pool->len || ref.len > pool->len - ref.off) {
        s.len = 0;
        s.data = (unsigned char *) "";
        return s;
    }

    s.len = ref.len;
    s.data = pool->data + ref.off;

    return s;
}


void
ingress_policy_move(ingress_policy_t *policy, const unsigned char *from,
    torii_buf_t *to)
{
    uint32_t        i;
    ingress_ref_t  *ref;

    for (i = 0; i < ingress_policy_nrefs; i++) {
        ref = ingress_ref_at(policy, ingress_policy_refs[i]);

        if (ref->len == 0) {
            continue;
        }

        if (ref == &policy->cors_origins || ref == &policy->fastcgi_params) {
            ingress_policy_move_entries(ref, from, to);
            continue;
        }

        *ref = ingress_pool_add(to, from + ref->off, ref->len);
    }
}


static void
ingress_policy_move_entries(ingress_ref_t *ref, const unsigned char *from,
    torii_buf_t *to)
{
    uint32_t          i, n;
    ingress_entry_t  *entries;

    n = ref->len / sizeof(ingress_entry_t);

    entries = torii_malloc(ref->len);
    memcpy(entries, from + ref->off, ref->len);

    for (i = 0; i < n; i++) {
        entries[i].name = ingress_pool_add(to, from + entries[i].name.off,
                                           entries[i].name.len);
        entries[i].value = ingress_pool_add(to, from + entries[i].value.off,
                                            entries[i].value.len);
    }

    *ref = ingress_pool_add(to, entries, n * sizeof(ingress_entry_t));

    free(entries);
}


size_t
ingress_vhost_variable(const unsigned char *p, size_t len, torii_str_t *name)
{
    size_t      i, n, brace;
    const char  *const *known;

    static const char  *const  names[] = {
        "namespace", "ingress_name", "service_name", "service_port", NULL
    };

    if (len == 0 || p[0] != '$') {
        return 0;
    }

    brace = (len > 1 && p[1] == '{');
    i = 1 + brace;

    for (n = i; n < len; n++) {
        if ((p[n] < 'a' || p[n] > 'z') && p[n] != '_') {
            break;
        }
    }

    name->data = (unsigned char *) p + i;
    name->len = n - i;

    if (brace) {
        if (n == len || p[n] != '}') {
            name->len = 0;
        }

        n++;
    }

    for (known = names; *known; known++) {
        if (torii_str_eqs(*name, *known)) {
            return n < len ? n : len;
        }
    }

    name->len = 0;

    return n < len ? n : len;
}
