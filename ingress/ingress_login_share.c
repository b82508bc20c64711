
/*
 * Settings of logins that are kept once however many Ingresses say the same,
 * and the pools that their refs point into.
 */

#include <stdlib.h>

#include "ingress_compile.h"


typedef enum {
    INGRESS_FIELD_BYTES = 0,     /* a string, or records without refs */
    INGRESS_FIELD_STRINGS,
    INGRESS_FIELD_TEMPLATE,
    INGRESS_FIELD_HEADERS
} ingress_field_e;

typedef struct {
    uint16_t            offset;
    uint16_t            kind;
} ingress_field_t;

typedef struct {
    const unsigned char     *from;
    ingress_login_add_pt     add;
    void                    *to;
} ingress_move_t;


static ingress_ref_t ingress_move_field(ingress_move_t *m, ingress_ref_t ref,
    unsigned kind);
static ingress_ref_t ingress_move_array(ingress_move_t *m, ingress_ref_t ref,
    size_t size, size_t value, unsigned kind);


#define L(name)  offsetof(ingress_login_setting_t, name)

static const ingress_field_t  ingress_login_fields[] = {
    { L(record.emails), INGRESS_FIELD_STRINGS },
    { L(record.domains), INGRESS_FIELD_STRINGS },
    { L(record.groups), INGRESS_FIELD_STRINGS },
    { L(record.skip), INGRESS_FIELD_STRINGS },
    { L(record.write_groups), INGRESS_FIELD_STRINGS },
    { L(record.url), INGRESS_FIELD_TEMPLATE },
    { L(record.method), INGRESS_FIELD_BYTES },
    { L(record.request_redirect), INGRESS_FIELD_TEMPLATE },
    { L(record.set_headers), INGRESS_FIELD_HEADERS },
    { L(record.cache_key), INGRESS_FIELD_TEMPLATE },
    { L(record.cache_rules), INGRESS_FIELD_BYTES },
    { L(record.signin), INGRESS_FIELD_TEMPLATE },
    { L(record.signin_param), INGRESS_FIELD_BYTES },
    { L(record.response_headers), INGRESS_FIELD_STRINGS },
    { L(provider_namespace), INGRESS_FIELD_BYTES },
    { L(provider), INGRESS_FIELD_BYTES },
    { L(headers_namespace), INGRESS_FIELD_BYTES },
    { L(headers), INGRESS_FIELD_BYTES },
    { L(host), INGRESS_FIELD_BYTES },
    { L(query), INGRESS_FIELD_BYTES },
    { L(emails), INGRESS_FIELD_STRINGS },
    { L(domains), INGRESS_FIELD_STRINGS },
    { L(groups), INGRESS_FIELD_STRINGS }
};

#define INGRESS_LOGIN_FIELDS                                                  \
    (sizeof(ingress_login_fields) / sizeof(ingress_login_fields[0]))


ingress_ref_t
ingress_login_to_pool(void *to, const void *data, size_t len)
{
    return ingress_pool_add(to, data, len);
}


void
ingress_login_move(ingress_login_setting_t *login, const unsigned char *from,
    ingress_login_add_pt add, void *to)
{
    uint32_t                i;
    ingress_ref_t          *ref;
    ingress_move_t          m;
    const ingress_field_t  *field;

    m.from = from;
    m.add = add;
    m.to = to;

    for (i = 0; i < INGRESS_LOGIN_FIELDS; i++) {
        field = &ingress_login_fields[i];
        ref = (void *) ((unsigned char *) login + field->offset);

        *ref = ingress_move_field(&m, *ref, field->kind);
    }
}


static ingress_ref_t
ingress_move_field(ingress_move_t *m, ingress_ref_t ref, unsigned kind)
{
    if (ref.len == 0) {
        ref.off = 0;
        return ref;
    }

    switch (kind) {

    case INGRESS_FIELD_STRINGS:
        return ingress_move_array(m, ref, sizeof(ingress_ref_t), 0,
                                  INGRESS_FIELD_BYTES);

    case INGRESS_FIELD_TEMPLATE:
        return ingress_move_array(m, ref, sizeof(ingress_template_part_t),
                                  offsetof(ingress_template_part_t, value),
                                  INGRESS_FIELD_BYTES);

    case INGRESS_FIELD_HEADERS:
        return ingress_move_array(m, ref, sizeof(ingress_login_header_t),
                                  offsetof(ingress_login_header_t, value),
                                  INGRESS_FIELD_TEMPLATE);

    default:
        return m->add(m->to, m->from + ref.off, ref.len);
    }
}


/*
 * Records of a ref to a string, and with value of one more, that is of another
 * kind.  The copy is moved, since the pool may be of the same memory.
 */

static ingress_ref_t
ingress_move_array(ingress_move_t *m, ingress_ref_t ref, size_t size,
    size_t value, unsigned kind)
{
    size_t          i;
    ingress_ref_t  *field;
    unsigned char  *copy;

    copy = torii_malloc(ref.len);
    memcpy(copy, m->from + ref.off, ref.len);

    for (i = 0; i + size <= ref.len; i += size) {
        field = (void *) (copy + i);
        *field = ingress_move_field(m, *field, INGRESS_FIELD_BYTES);

        if (value) {
            field = (void *) (copy + i + value);
            *field = ingress_move_field(m, *field, kind);
        }
    }

    ref = m->add(m->to, copy, ref.len);

    free(copy);

    return ref;
}


ingress_login_shared_t *
ingress_login_hold(ingress_store_t *store,
    const ingress_login_setting_t *login, const torii_buf_t *pool)
{
    torii_buf_t              own;
    ingress_login_setting_t  copy;

    memset(&own, 0, sizeof(torii_buf_t));
    memcpy(&copy, login, sizeof(ingress_login_setting_t));

    ingress_login_move(&copy, pool->data, ingress_login_to_pool, &own);

    return ingress_shared_hold(&store->logins, sizeof(ingress_login_shared_t),
                               offsetof(ingress_login_shared_t, setting),
                               &copy, sizeof(ingress_login_setting_t), &own);
}


void
ingress_login_release(ingress_store_t *store, ingress_login_shared_t *shared)
{
    ingress_shared_release(&store->logins, &shared->head);
}
