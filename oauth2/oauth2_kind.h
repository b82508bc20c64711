
/*
 * Who asks without a session, and how he is told: a person's browser is sent to
 * the login, everything else gets an answer that its program understands.
 */

#ifndef _OAUTH2_KIND_H_INCLUDED_
#define _OAUTH2_KIND_H_INCLUDED_


#include "oauth2.h"


typedef enum {
    OAUTH2_KIND_PAGE = 0,      /* a browser that shows a page */
    OAUTH2_KIND_FORM,          /* a browser that sends a form */
    OAUTH2_KIND_API,           /* XHR, fetch(), command-line tools */
    OAUTH2_KIND_EVENTS,        /* server-sent events */
    OAUTH2_KIND_SOCKET,        /* WebSocket and other upgrades */
    OAUTH2_KIND_GRPC,
    OAUTH2_KIND_GRPC_WEB,
    OAUTH2_KIND_MAX
} oauth2_kind_e;

/* Values of request headers; empty: not there. */

typedef struct {
    torii_str_t     method;
    torii_str_t     accept;
    torii_str_t     content_type;
    torii_str_t     upgrade;           /* or ":protocol" of HTTP/2 */
    torii_str_t     requested_with;    /* X-Requested-With */
    torii_str_t     fetch_mode;        /* Sec-Fetch-Mode */
    torii_str_t     fetch_dest;        /* Sec-Fetch-Dest */
    unsigned        api:1;             /* the path is an API's by rule */
    unsigned        frames:1;          /* log in inside of frames, too */
} oauth2_asker_t;

oauth2_kind_e oauth2_kind(const oauth2_asker_t *asker);
/* "page", "api" … */
const char *oauth2_kind_name(oauth2_kind_e kind);


typedef struct {
    uint16_t        status;            /* 302: to the provider, with the state
                                          cookie; no other answer sets one */
    unsigned        page:1;            /* for people: HTML */
    unsigned        challenge:1;       /* WWW-Authenticate (RFC 6750) */
    const char     *content_type;      /* NULL: no body */
    const char     *body;              /* NULL and page: the glue's */
    const char     *grpc_status;       /* NULL: none; else trailers only */
    const char     *grpc_message;
} oauth2_denial_t;

/* known: there is a session, but it may not enter. */
const oauth2_denial_t *oauth2_kind_denial(oauth2_kind_e kind, int known);


#endif /* _OAUTH2_KIND_H_INCLUDED_ */
