
/*
 * Inside of "torii dns".
 */

#ifndef _TORII_DNS_H_INCLUDED_
#define _TORII_DNS_H_INCLUDED_


#include "torii_tool.h"
#include "dnssync_engine.h"


/* of plan and apply; a caller that cannot read output has these */

#define TORII_DNS_SAME     0
#define TORII_DNS_ERROR    1
#define TORII_DNS_CHANGES  2


#define TORII_DNS_VIEWS    64


typedef struct {
    torii_source_t      source;
    const char         *state;         /* folder */
    torii_str_t         addresses;     /* lists, as given */
    torii_str_t         private;
    torii_str_t         owner;
    dnssync_adopt_t     adopt;
    torii_str_t         views[TORII_DNS_VIEWS];    /* of providers */
    uint32_t            nviews;
    unsigned            ack:1;
    unsigned            json:1;
    unsigned            preview:1;     /* nothing is done by us */
} torii_dns_t;


/* torii_dns_source.c: of objects, what the engine is told */

/* Returns how many providers there are that can be used; *bad: others. */
uint32_t torii_dns_accounts(torii_dns_t *t, dnssync_engine_t *engine,
    uint32_t *bad);
void torii_dns_objects(torii_dns_t *t, dnssync_objects_t *objects);


/* torii_dns_run.c: until nothing is left that can be done now */

/* Milliseconds since 1970, of the engine. */
uint64_t torii_dns_now(void);
/* So much of what it waits for is over. */
void torii_dns_skip(uint32_t ms);
int torii_dns_run(dnssync_engine_t *engine);


/* torii_dns_send.c: one request at a time, and its answer is awaited */

typedef struct torii_dns_sender_s  torii_dns_sender_t;

torii_dns_sender_t *torii_dns_sender_create(void);
void torii_dns_sender_free(torii_dns_sender_t *s);
void torii_dns_send(torii_dns_sender_t *s, dnssync_engine_t *engine,
    const dnssync_action_t *action);


/* torii_dns_message.c: DNS.  A static text: why there is no answer. */

typedef struct {
    void               *curl;          /* TCP, TLS */
    int                 fd;            /* UDP; -1 */
    uint64_t            until;         /* ms */
    torii_buf_t         in;
} torii_dns_link_t;

const char *torii_dns_link_open(torii_dns_link_t *l,
    const dnssync_request_t *request, int tcp);
const char *torii_dns_link_send(torii_dns_link_t *l, torii_str_t message);
/* The next message; it lives until the next call. */
const char *torii_dns_link_read(torii_dns_link_t *l, torii_str_t *message);
void torii_dns_link_close(torii_dns_link_t *l);


/* torii_dns_print.c: what is planned, for people or programs */

typedef struct {
    torii_buf_t         out;
    torii_arena_t      *arena;
    uint32_t            n[DNSSYNC_EDIT_DELETE + 1];
    uint32_t            held;
    uint32_t            errors;
    uint32_t            edits;         /* printed */
    torii_str_t         zone;          /* of the last one */
    unsigned            json:1;
} torii_dns_print_t;

void torii_dns_print_begin(torii_dns_print_t *p);
/* Edits; then, once, what there is to say. */
void torii_dns_print(torii_dns_print_t *p, const dnssync_engine_t *engine);
void torii_dns_print_end(torii_dns_print_t *p,
    const dnssync_engine_t *engine);
/* Control characters as "?". */
void torii_dns_plain(torii_buf_t *b);
/* Held deletions and errors are counted only. */
void torii_dns_count(torii_dns_print_t *p, const dnssync_engine_t *engine);
void torii_dns_summary(const torii_dns_print_t *p);


/* torii_dns_ask.c: of a running gateway */

int torii_dns_status(const torii_dns_t *t);
int torii_dns_ask(const torii_dns_t *t, const char *verb, char **args, int n);


#endif /* _TORII_DNS_H_INCLUDED_ */
