
/*
 * XML as web services write it, one piece after the other: elements and text,
 * the five entities and character references, CDATA; comments, attributes and
 * processing instructions are passed over.  A document type is refused, and
 * with it all that could be declared there.
 *
 * The first failure stays, so that reading is a straight line with one test at
 * the end.
 */

#ifndef _DNSSYNC_XML_H_INCLUDED_
#define _DNSSYNC_XML_H_INCLUDED_


#include "torii.h"


#define DNSSYNC_XML_DEPTH  16


typedef enum {
    DNSSYNC_XML_OPEN = 0,      /* name; depth counts it */
    DNSSYNC_XML_CLOSE,         /* name; depth does not */
    DNSSYNC_XML_TEXT,          /* text */
    DNSSYNC_XML_END,
    DNSSYNC_XML_FAILED
} dnssync_xml_e;

typedef struct {
    torii_arena_t        *arena;
    const unsigned char  *p;
    const unsigned char  *last;
    torii_str_t           name;      /* without a prefix; refers to the input */
    torii_str_t           text;      /* decoded */
    torii_str_t           path[DNSSYNC_XML_DEPTH];   /* with prefixes */
    unsigned              depth;
    unsigned              empty:1;   /* "<a/>": its end comes next */
    unsigned              rooted:1;
    unsigned              failed:1;
} dnssync_xml_t;


void dnssync_xml_start(dnssync_xml_t *x, torii_arena_t *a, torii_str_t in);
dnssync_xml_e dnssync_xml_next(dnssync_xml_t *x);
/*
 * The next element inside of the one at depth, which is x->name then; what was
 * not read of those before is passed over.  0: that one ends, or failed.
 */
int dnssync_xml_child(dnssync_xml_t *x, unsigned depth);
/* The text of the element just opened, up to its end. */
torii_str_t dnssync_xml_value(dnssync_xml_t *x);
/* The document is over, and nothing was wrong with it: 1. */
int dnssync_xml_done(dnssync_xml_t *x);
/* "a < b" as "a &lt; b". */
void dnssync_xml_write(torii_buf_t *b, torii_str_t s);


#endif /* _DNSSYNC_XML_H_INCLUDED_ */
