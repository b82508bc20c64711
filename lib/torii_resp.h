
/*
 * RESP2, what Redis speaks: commands as arrays of strings, and a bounded reader
 * of replies.
 */

#ifndef _TORII_RESP_H_INCLUDED_
#define _TORII_RESP_H_INCLUDED_


#include "torii.h"


#define TORII_RESP_ITEMS  8                 /* of an array */
#define TORII_RESP_BULK   (256 * 1024)      /* bytes of a string */
#define TORII_RESP_LINE   1024


typedef enum {
    TORII_RESP_NIL = 0,
    TORII_RESP_STATUS,         /* "OK" */
    TORII_RESP_ERROR,          /* "WRONGPASS invalid …" */
    TORII_RESP_NUMBER,
    TORII_RESP_STRING,
    TORII_RESP_ARRAY
} torii_resp_e;

typedef struct {
    torii_resp_e       type;
    int64_t            number;
    torii_str_t        text;
} torii_resp_value_t;

typedef struct {
    torii_resp_value_t  value;
    uint32_t            n;     /* of an array, whose items are no arrays */
    torii_resp_value_t  items[TORII_RESP_ITEMS];
} torii_resp_t;


/* A command of n arguments, each of which follows. */
void torii_resp_begin(torii_buf_t *b, unsigned n);
void torii_resp_add(torii_buf_t *b, torii_str_t s);
void torii_resp_adds(torii_buf_t *b, const char *s);
void torii_resp_add_number(torii_buf_t *b, int64_t number);

/*
 * The first reply of in, whose strings point there; *used bytes of it.
 * TORII_AGAIN: it is not whole yet; TORII_ERROR: no reply, or a larger one than
 * anything that is asked for comes to.
 */
int torii_resp_read(torii_str_t in, size_t *used, torii_resp_t *reply);


#endif /* _TORII_RESP_H_INCLUDED_ */
