
/*
 * JSON objects out of bytes that come in any pieces: the events of a watch,
 * one a line, or the items of a list.  Only brackets and strings are looked
 * at; whether it is JSON at all, the reader of each object finds out.
 */

#ifndef _INGRESS_SPLIT_H_INCLUDED_
#define _INGRESS_SPLIT_H_INCLUDED_


#include "torii.h"


#define INGRESS_SPLIT_OBJECT  (16 * 1024 * 1024)
#define INGRESS_SPLIT_SHELL   (1024 * 1024)
#define INGRESS_SPLIT_DEPTH   64


typedef struct {
    torii_buf_t      object;       /* what came of it in earlier pieces */
    torii_buf_t      shell;        /* the list without its items */
    const char      *error;
    uint32_t         depth;        /* inside an object, 0: outside */
    uint32_t         outer;        /* of the shell */
    uint32_t         key;          /* bytes that agree with "items" */
    unsigned         list:1;
    unsigned         items:1;      /* between the brackets of the items */
    unsigned         quoted:1;
    unsigned         escaped:1;
    unsigned         given:1;      /* object was handed out */
} ingress_split_t;


/* Forgets all of before; s is zeroed at first. */
void ingress_split_start(ingress_split_t *s, unsigned list);
void ingress_split_free(ingress_split_t *s);

/*
 * Takes bytes off the front of *in.  TORII_OK: *object, valid until the next
 * call and as long as the bytes of *in.  TORII_AGAIN: *in is used up.
 * TORII_ERROR: s->error ends the sentence "an event …" or "a list …".
 */
int ingress_split_next(ingress_split_t *s, torii_str_t *in,
    torii_str_t *object);

/* 1 in the middle of an object, or of a list. */
int ingress_split_inside(const ingress_split_t *s);


#endif /* _INGRESS_SPLIT_H_INCLUDED_ */
