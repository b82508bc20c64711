
/*
 * Finding the blocks of PEM.
 */

#define _GNU_SOURCE

#include "ingress_pem.h"


#define INGRESS_PEM_LABEL  64

static const torii_str_t  ingress_pem_begin = torii_string("-----BEGIN ");
static const torii_str_t  ingress_pem_end = torii_string("-----END ");
static const torii_str_t  ingress_pem_dashes = torii_string("-----");


static unsigned char *ingress_pem_find(torii_str_t s, torii_str_t what);


int
ingress_pem_next(torii_str_t *rest, ingress_pem_t *block)
{
    torii_str_t     s;
    unsigned char  *p, *last, *end;

    s = *rest;

    p = ingress_pem_find(s, ingress_pem_begin);
    if (p == NULL) {
        return TORII_DECLINED;
    }

    last = s.data + s.len;

    block->label.data = p + ingress_pem_begin.len;

    s.data = block->label.data;
    s.len = last - s.data;

    p = ingress_pem_find(s, ingress_pem_dashes);
    if (p == NULL || p - s.data > INGRESS_PEM_LABEL) {
        return TORII_ERROR;
    }

    block->label.len = p - block->label.data;
    block->body.data = p + ingress_pem_dashes.len;

    s.data = block->body.data;
    s.len = last - s.data;

    end = ingress_pem_find(s, ingress_pem_end);
    if (end == NULL) {
        return TORII_ERROR;
    }

    block->body.len = end - block->body.data;

    p = end + ingress_pem_end.len;

    if ((size_t) (last - p) < block->label.len + ingress_pem_dashes.len
        || memcmp(p, block->label.data, block->label.len) != 0)
    {
        return TORII_ERROR;
    }

    p += block->label.len;

    if (memcmp(p, ingress_pem_dashes.data, ingress_pem_dashes.len) != 0) {
        return TORII_ERROR;
    }

    rest->data = p + ingress_pem_dashes.len;
    rest->len = last - rest->data;

    return TORII_OK;
}


static unsigned char *
ingress_pem_find(torii_str_t s, torii_str_t what)
{
    if (s.len < what.len) {
        return NULL;
    }

    return memmem(s.data, s.len, what.data, what.len);
}
